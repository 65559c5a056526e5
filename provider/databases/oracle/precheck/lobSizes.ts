import type { PlannedTable, PrecheckItem } from "../../../engine/models/plan.js";
import { listed, precheckItem } from "../../postgres/precheck/precheckItem.js";
import { kindOfType } from "../catalog/columns.js";
import type { OracleConnection } from "../driver.js";
import { oracleCode } from "../oracleErrors.js";
import { quoted } from "../sql.js";

/** LOBs whose storage is large enough to hold one value that is too large. */
const SEGMENTS = `
SELECT l.owner AS "schema", l.table_name AS "table", l.column_name AS "column"
  FROM dba_lobs l
  JOIN dba_segments s ON s.owner = l.owner AND s.segment_name = l.segment_name
 GROUP BY l.owner, l.table_name, l.column_name
HAVING SUM(s.bytes) > :least`;

/** PostgreSQL takes a COPY's line below 1 GB, in which each byte of a BLOB is two digits; a JavaScript string has 2^29 characters at most. */
const LARGEST = { blob: 500_000_000, clob: 530_000_000 } as const;

/** Asks the lengths of values where the storage says that one may be too large: that reads their rows, not the LOBs. */
export async function lobSizes(connection: OracleConnection, tables: readonly PlannedTable[]): Promise<PrecheckItem> {
  const item = (passed: boolean, message: string) =>
    precheckItem({
      item: "sourceLobSizes",
      passed,
      ignorable: true,
      message,
      remedy: "name these columns in excludeColumns; PostgreSQL keeps larger values as large objects, or outside of the database",
    });
  let large: readonly { readonly schema: string; readonly table: string; readonly column: string }[];
  try {
    large = await connection.query(SEGMENTS, { least: LARGEST.blob });
  } catch (cause) {
    if (oracleCode(cause) === undefined) throw cause;
    return item(true, "sizes of LOBs were not looked at (DBA_SEGMENTS can't be read)");
  }
  const found: string[] = [];
  for (const { source, columns } of tables) {
    for (const { schema, table, column } of large) {
      const planned = columns.find((each) => each.source === column);
      if (schema !== source.schema || table !== source.name || !planned) continue;
      const [row] = await connection.query<{ largest: string | null }>(
        `SELECT MAX(DBMS_LOB.GETLENGTH(${quoted(column)})) AS "largest" FROM ${quoted(schema)}.${quoted(table)}`,
      );
      const largest = Number(row?.largest ?? 0);
      if (largest > LARGEST[kindOfType(planned.type) === "blob" ? "blob" : "clob"])
        found.push(`${schema}.${table}.${column} (${largest})`);
    }
  }
  return item(
    found.length === 0,
    found.length === 0 ? "no LOB is too large for PostgreSQL" : `${listed(found)} hold values too large for PostgreSQL`,
  );
}
