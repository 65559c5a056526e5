import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { PlannedTable, PrecheckItem } from "../../../engine/models/plan.js";
import { migrates, type TaskDefinition } from "../../../engine/taskDefinition.js";
import { listed, precheckItem } from "../../postgres/precheck/precheckItem.js";
import type { OracleCatalog } from "../catalog/model.js";
import type { MiningConnection } from "../connections.js";
import type { OracleConnection } from "../driver.js";
import { currentScn } from "../logMiner/settledScn.js";
import { objectText } from "../objectText.js";
import { oracleCode } from "../oracleErrors.js";
import type { OracleFacts } from "../serverFacts.js";
import { quoted } from "../sql.js";
import { forceLogging } from "./forceLogging.js";
import { lobSizes } from "./lobSizes.js";
import { loggingChecks } from "./logging.js";
import { logMinerNames, longNames } from "./names.js";
import { miningRights } from "./rights.js";
import { rowWidth } from "./rowWidth.js";
import { xmlStorage } from "./xmlStorage.js";

export interface SourceToCheck {
  /** Where the tables are. */
  readonly connection: OracleConnection;
  /** A session where redo is mined. Errors: GW2101 when the user can't get there. */
  readonly mining: () => Promise<MiningConnection>;
  readonly facts: OracleFacts;
  readonly user: string;
  readonly catalog: OracleCatalog;
}

/** What an Oracle source must have and allow. Reads only. */
export async function oracleSourceChecks(
  { connection, mining, facts, user, catalog }: SourceToCheck,
  tables: readonly PlannedTable[],
  definition: TaskDefinition,
): Promise<PrecheckItem[]> {
  const version = Number.parseFloat(facts.serverVersion);
  const moves = migrates(definition, "full") || migrates(definition, "incremental");
  const items = [
    precheckItem({
      item: "sourceVersion",
      passed: version >= 11.2,
      message: `the source is Oracle ${facts.serverVersion}`,
      remedy: "Oracle 11.2 and up can be read; of 9i and 10g restore a copy into a newer release first",
    }),
    ...(moves ? [await readRights(connection, tables, user)] : []),
    unreadableTypes(catalog, tables, migrates(definition, "incremental")),
    ...(moves ? [await lobSizes(connection, tables)] : []),
    longNames(tables),
    rowWidth(tables),
    precheckItem({
      item: "sourceTriggers",
      severity: "warning",
      passed: catalog.sources.every(({ kind }) => kind !== "trigger"),
      message: "triggers of the source move with their tables; while changes are applied they stay quiet on the target",
      remedy: "after the switch they fire there: read what the converter made of them",
    }),
  ];
  if (!migrates(definition, "incremental")) return [...items, await undoRetention(connection, tables)];
  const undo = migrates(definition, "full") ? [await undoRetention(connection, tables)] : [];
  const reached = await reach(mining);
  if (reached instanceof GodwitError) {
    const item = precheckItem({ item: "sourceContainer", passed: false, message: reached.message, remedy: reached.remedy ?? "" });
    return [...items, ...undo, item];
  }
  return [
    ...items,
    ...undo,
    precheckItem({
      item: "sourceContainer",
      passed: true,
      message: reached.local
        ? `${user} mines the redo of ${facts.container} from inside, without the root`
        : facts.pluggable
          ? `${user} may mine the redo of ${facts.container} in CDB$ROOT`
          : "the database is no pluggable one",
    }),
    ...(await miningRights(reached, user, version)),
    ...(await loggingChecks({ connection, mining: reached }, facts, tables, definition)),
    await forceLogging(connection, facts, tables),
    logMinerNames(tables),
    await xmlStorage(connection, tables),
  ];
}

async function reach(mining: () => Promise<MiningConnection>): Promise<MiningConnection | GodwitError> {
  try {
    return await mining();
  } catch (cause) {
    if (cause instanceof GodwitError && cause.code === ErrorCode.OracleRootRefused) return cause;
    throw cause;
  }
}

/** Tries each table, as the load and the stream's look-ups read it: as of an SCN. */
async function readRights(connection: OracleConnection, tables: readonly PlannedTable[], user: string): Promise<PrecheckItem> {
  const refused: string[] = [];
  const grants: string[] = [];
  // The AS OF clause takes no subquery.
  const scn = await currentScn(connection);
  for (const { source } of tables) {
    const name = `${quoted(source.schema)}.${quoted(source.name)}`;
    try {
      await connection.query(`SELECT COUNT(*) AS "n" FROM ${name} AS OF SCN :scn WHERE 1 = 0`, { scn });
    } catch (cause) {
      const code = oracleCode(cause);
      if (code !== "ORA-00942" && code !== "ORA-01031") throw cause;
      refused.push(`${source.schema}.${source.name}`);
      grants.push(`GRANT SELECT, FLASHBACK ON ${name} TO ${user}`);
    }
  }
  return precheckItem({
    item: "sourceReadRights",
    passed: refused.length === 0,
    message:
      refused.length === 0
        ? `${user} may read every selected table as of an SCN`
        : `${user} may not read ${listed(refused)} as of an SCN`,
    remedy: grants.length > 5 ? `GRANT SELECT ANY TABLE, FLASHBACK ANY TABLE TO ${user}` : grants.join("; "),
  });
}

/**
 * Objects, VARRAYs and geometries are read attribute by attribute by the load. LogMiner shows no changes of tables that have them, so a task that
 * follows changes can't have such columns.
 */
function unreadableTypes(catalog: OracleCatalog, tables: readonly PlannedTable[], follows: boolean): PrecheckItem {
  const found = tables.flatMap((table) =>
    table.columns
      .filter(({ source }) => catalog.details.get(table.id)?.columns.find(({ name }) => name === source)?.kind === "other")
      .filter(({ source, type }) => follows || objectText(source, type, catalog.types) === undefined)
      .map(({ source, type }) => `${table.source.schema}.${table.source.name}.${source} (${type})`),
  );
  return precheckItem({
    item: "sourceTypes",
    passed: found.length === 0,
    message:
      found.length === 0
        ? "every column's values can be read as text"
        : `values of ${listed(found)} cannot be ${follows ? "followed: LogMiner shows no changes of them" : "read as text"}`,
    remedy: follows
      ? "leave these tables to a task without incremental, for objects, VARRAYs and geometries can be loaded; nested tables, references and BFILE go into excludeColumns"
      : "name these columns in excludeColumns, or leave the tables out",
  });
}

/** Bytes a second that a load reads, at the least, from one table. */
const SLOW_BYTES_PER_SECOND = 20e6;

async function undoRetention(connection: OracleConnection, tables: readonly PlannedTable[]): Promise<PrecheckItem> {
  const [row] = await connection
    .query<{ seconds: string }>(`SELECT p.value AS "seconds" FROM v$parameter p WHERE p.name = 'undo_retention'`)
    .catch((cause: unknown) => {
      if (oracleCode(cause) === undefined) throw cause;
      return [];
    });
  const needed = Math.ceil(tables.reduce((sum, { bytes }) => sum + bytes, 0) / SLOW_BYTES_PER_SECOND) + 60;
  const seconds = row === undefined ? undefined : Number(row.seconds);
  return precheckItem({
    item: "sourceUndoRetention",
    severity: "warning",
    passed: seconds !== undefined && seconds >= needed,
    message:
      seconds === undefined
        ? "UNDO_RETENTION can't be read (V$PARAMETER)"
        : `undo is kept for ${seconds} s; reading all rows at one SCN may take about ${needed} s`,
    remedy: `ALTER SYSTEM SET UNDO_RETENTION = ${Math.max(needed * 2, 900)}, with an undo tablespace that holds it`,
  });
}
