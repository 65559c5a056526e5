import type { PlannedTable, PrecheckItem } from "../../../engine/models/plan.js";
import { migrates, type TaskDefinition } from "../../../engine/taskDefinition.js";
import { listed, precheckItem } from "../../postgres/precheck/precheckItem.js";
import type { MiningConnection } from "../connections.js";
import type { OracleConnection } from "../driver.js";
import type { OracleFacts } from "../serverFacts.js";
import { quoted } from "../sql.js";

/** Whether the redo is kept, and says which row a change means. */
export async function loggingChecks(
  { connection, mining }: { readonly connection: OracleConnection; readonly mining: MiningConnection },
  facts: OracleFacts,
  tables: readonly PlannedTable[],
  definition: TaskDefinition,
): Promise<PrecheckItem[]> {
  return [
    precheckItem({
      item: "sourceArchiveLog",
      passed: facts.archiveLog,
      message: facts.archiveLog ? "the database archives its redo" : "the database is in NOARCHIVELOG mode: redo is written over",
      remedy: "SHUTDOWN IMMEDIATE; STARTUP MOUNT; ALTER DATABASE ARCHIVELOG; ALTER DATABASE OPEN",
    }),
    ...(await supplementalLogging(connection, facts, tables, mining.local)),
    await retention(mining.connection, definition),
  ];
}

const GROUPS = `
SELECT g.owner AS "schema", g.table_name AS "table", g.log_group_type AS "type"
  FROM all_log_groups g
 WHERE g.log_group_type IN ('ALL COLUMN LOGGING', 'PRIMARY KEY LOGGING', 'UNIQUE KEY LOGGING')`;

async function supplementalLogging(
  connection: OracleConnection,
  { logging, pluggable }: OracleFacts,
  tables: readonly PlannedTable[],
  local: boolean,
): Promise<PrecheckItem[]> {
  const groups = new Set(
    (await connection.query<{ schema: string; table: string; type: string }>(GROUPS)).map(({ schema, table, type }) =>
      JSON.stringify([schema, table, type]),
    ),
  );
  const logs = (table: PlannedTable, type: string) => groups.has(JSON.stringify([table.source.schema, table.source.name, type]));
  const short = tables.flatMap((table) => {
    if (logging.all || logs(table, "ALL COLUMN LOGGING")) return [];
    if (table.key.source === "none") return [{ table, columns: "ALL" }];
    if (table.key.source === "primaryKey") {
      return logging.primaryKey || logs(table, "PRIMARY KEY LOGGING") ? [] : [{ table, columns: "PRIMARY KEY" }];
    }
    // Unique key logging writes the key's columns only when one of them changes, which does not name the row of other changes.
    return [{ table, columns: "ALL" }];
  });
  const name = ({ source }: PlannedTable) => `${quoted(source.schema)}.${quoted(source.name)}`;
  return [
    precheckItem({
      item: "sourceSupplementalLogging",
      passed: logging.minimal,
      message: logging.minimal ? "minimal supplemental logging is on" : "supplemental logging is off: changes can't be read",
      remedy: local
        ? "ALTER PLUGGABLE DATABASE ADD SUPPLEMENTAL LOG DATA"
        : `ALTER DATABASE ADD SUPPLEMENTAL LOG DATA${pluggable ? " (in CDB$ROOT)" : ""}`,
    }),
    precheckItem({
      item: "sourceKeyLogging",
      passed: short.length === 0,
      message:
        short.length === 0
          ? "each change tells the key of its row"
          : `changes of ${listed(short.map(({ table }) => `${table.source.schema}.${table.source.name}`))} would not tell which row they mean`,
      remedy: short
        .slice(0, 20)
        .map(({ table, columns }) => `ALTER TABLE ${name(table)} ADD SUPPLEMENTAL LOG DATA (${columns}) COLUMNS`)
        .join("; "),
    }),
  ];
}

/** Hours of redo that are still on disk. */
export const KEPT = `
SELECT (SYSDATE - MIN(l.first_time)) * 24 AS "hours" FROM v$archived_log l
 WHERE l.deleted = 'NO' AND l.archived = 'YES' AND l.name IS NOT NULL`;

async function retention(connection: OracleConnection, definition: TaskDefinition): Promise<PrecheckItem> {
  const [row] = await connection.query<{ hours: string | null }>(KEPT);
  const wanted = migrates(definition, "full") ? 7 * 24 : 24;
  const hours = row?.hours === null || row?.hours === undefined ? undefined : Number(row.hours);
  return precheckItem({
    item: "sourceLogRetention",
    severity: "warning",
    passed: hours !== undefined && hours >= wanted,
    message:
      hours === undefined ? "no archived log is on disk yet" : `archived logs of the last ${Math.round(hours)} hours are on disk`,
    remedy: `keep ${wanted} hours of archived logs while the task runs: RMAN> CONFIGURE ARCHIVELOG DELETION POLICY, and DB_RECOVERY_FILE_DEST_SIZE to match`,
  });
}
