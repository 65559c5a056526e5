import type { PlannedTable, PrecheckItem } from "../../../engine/models/plan.js";
import { listed, precheckItem } from "../../postgres/precheck/precheckItem.js";
import type { OracleConnection } from "../driver.js";
import { oracleCode } from "../oracleErrors.js";

const STORAGE = `
SELECT x.owner AS "schema", x.table_name AS "table", x.column_name AS "column" FROM all_xml_tab_cols x WHERE x.storage_type = 'OBJECT-RELATIONAL'`;

const COMPATIBLE = `SELECT p.value AS "value" FROM v$parameter p WHERE p.name = 'compatible'`;

/**
 * Whether LogMiner shows changes of XMLTYPE columns. Of documents kept as CLOB it does from COMPATIBLE 11.0 on, as binary XML and in objects from 11.2.0.3 on;
 * of those in objects "there may be cases when it is not possible" to put the change together (Utilities, "Querying V$LOGMNR_CONTENTS Based on XMLType").
 */
export async function xmlStorage(connection: OracleConnection, tables: readonly PlannedTable[]): Promise<PrecheckItem> {
  const item = "sourceXmlStorage";
  const planned = new Set(
    tables.flatMap(({ source, columns }) =>
      columns.filter(({ type }) => type === "XMLTYPE").map((column) => `${source.schema}.${source.name}.${column.source}`),
    ),
  );
  if (planned.size === 0) return precheckItem({ item, passed: true, message: "no selected table has XML columns" });
  const [parameter] = await readable(connection, COMPATIBLE);
  const compatible = parameter?.value ?? "";
  if (compatible !== "" && isBefore(compatible, [11, 2, 0, 3])) {
    return precheckItem({
      item,
      passed: false,
      ignorable: true,
      message: `COMPATIBLE is ${compatible}, and LogMiner shows changes of binary XML from 11.2.0.3 on: ${listed([...planned])}`,
      remedy:
        "raise COMPATIBLE to 11.2.0.3 (ALTER SYSTEM ... SCOPE=SPFILE, restart), or leave these columns out with excludeColumns",
    });
  }
  const rows = await readable(connection, STORAGE);
  const shredded = rows.map(({ schema, table, column }) => `${schema}.${table}.${column}`).filter((name) => planned.has(name));
  return precheckItem({
    item,
    severity: "warning",
    passed: shredded.length === 0,
    message:
      shredded.length === 0
        ? "LogMiner shows changes of the selected XML columns"
        : `${listed(shredded)} are stored as objects: a change that LogMiner can't show stops the task (GW1725)`,
    remedy: "store the documents as BINARY XML, or leave these columns out with excludeColumns",
  });
}

async function readable(connection: OracleConnection, sql: string): Promise<readonly Readonly<Record<string, string | null>>[]> {
  try {
    return await connection.query(sql);
  } catch (cause) {
    if (oracleCode(cause) === undefined) throw cause;
    return [];
  }
}

function isBefore(version: string, than: readonly number[]): boolean {
  const parts = version.split(".").map(Number);
  const differing = than.findIndex((wanted, index) => (parts[index] ?? 0) !== wanted);
  return differing >= 0 && (parts[differing] ?? 0) < (than[differing] ?? 0);
}
