import type { PlannedTable, PrecheckItem } from "../../../engine/models/plan.js";
import { listed, precheckItem } from "../../postgres/precheck/precheckItem.js";
import type { OracleConnection } from "../driver.js";
import type { OracleFacts } from "../serverFacts.js";
import { quoted } from "../sql.js";

/** Tables, partitions and LOBs that may be written without redo: a direct load, of a LOB that is not cached every write. */
const UNLOGGED = `
SELECT t.owner AS "schema", t.table_name AS "table", NULL AS "lob" FROM all_tables t WHERE t.logging = 'NO'
 UNION
SELECT p.table_owner, p.table_name, NULL FROM all_tab_partitions p WHERE p.logging = 'NO'
 UNION
SELECT l.owner, l.table_name, l.column_name FROM all_lobs l WHERE l.logging = 'NO'`;

/**
 * Whether every change is in the redo. What is written under NOLOGGING is in none (Administrator's Guide, "Specifying FORCE LOGGING Mode"), and nothing
 * in the redo tells that it is missing.
 */
export async function forceLogging(
  connection: OracleConnection,
  facts: OracleFacts,
  tables: readonly PlannedTable[],
): Promise<PrecheckItem> {
  const item = "sourceForceLogging";
  if (facts.forceLogging) return precheckItem({ item, passed: true, message: "every change is in the redo (FORCE LOGGING)" });
  const planned = new Set(tables.map(({ source }) => JSON.stringify([source.schema, source.name])));
  const rows = await connection.query<{ schema: string; table: string; lob: string | null }>(UNLOGGED);
  const unlogged = rows.filter(({ schema, table }) => planned.has(JSON.stringify([schema, table])));
  const whole = facts.pluggable
    ? "ALTER PLUGGABLE DATABASE ENABLE FORCE LOGGING (before 12.2, ALTER DATABASE FORCE LOGGING in CDB$ROOT)"
    : "ALTER DATABASE FORCE LOGGING";
  if (unlogged.length === 0) {
    return precheckItem({
      item,
      severity: "warning",
      passed: false,
      message:
        "no selected table is NOLOGGING, but FORCE LOGGING is off: who loads with UNRECOVERABLE, or sets a table to NOLOGGING, writes rows that no redo has",
      remedy: whole,
    });
  }
  const named = unlogged.map(({ schema, table, lob }) => `${schema}.${table}${lob === null ? "" : `.${lob}`}`);
  const statements = unlogged.slice(0, 10).map(({ schema, table, lob }) => {
    const name = `${quoted(schema)}.${quoted(table)}`;
    return lob === null ? `ALTER TABLE ${name} LOGGING` : `ALTER TABLE ${name} MODIFY LOB (${quoted(lob)}) (NOCACHE LOGGING)`;
  });
  return precheckItem({
    item,
    passed: false,
    ignorable: true,
    message: `${listed(named)} are NOLOGGING and FORCE LOGGING is off: rows of direct loads and LOBs written there are in no redo, and would be missing on the target`,
    remedy: `${whole}; or ${statements.join("; ")}`,
  });
}
