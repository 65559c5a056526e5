import type { PrecheckItem } from "../../../engine/models/plan.js";
import { listed, precheckItem } from "../../postgres/precheck/precheckItem.js";
import type { MiningConnection } from "../connections.js";
import type { OracleConnection } from "../driver.js";
import { oracleCode } from "../oracleErrors.js";

/** Views that mining reads, each a grant of its own. Granted by the name with the underscore: V$LOG is a synonym. */
const MINING_VIEWS = [
  "v$database",
  "v$database_incarnation",
  "v$thread",
  "v$log",
  "v$logfile",
  "v$archived_log",
  "v$logmnr_contents",
  "gv$transaction",
];

/** What reading the redo takes, by name, each with the GRANT that mends it. */
export async function miningRights(
  { connection, local }: Omit<MiningConnection, "container">,
  user: string,
  version: number,
): Promise<PrecheckItem[]> {
  const privileges = await names(connection, 'SELECT p.privilege AS "name" FROM session_privs p');
  const roles = await names(connection, 'SELECT r.role AS "name" FROM session_roles r');
  const dba = roles.has("DBA");
  const lacking: string[] = [];
  if (version >= 12 && !privileges.has("LOGMINING") && !dba) lacking.push("LOGMINING");
  if (!privileges.has("SELECT ANY TRANSACTION") && !dba) lacking.push("SELECT ANY TRANSACTION");
  const views: string[] = [];
  for (const view of MINING_VIEWS) if (!(await mayRead(connection, view))) views.push(view);
  const packages = dba || roles.has("EXECUTE_CATALOG_ROLE") || (await mayMine(connection));
  const wrong = [...lacking, ...views.map((view) => view.toUpperCase()), ...(packages ? [] : ["DBMS_LOGMNR"])];
  return [
    precheckItem({
      item: "sourceLogMinerRights",
      passed: wrong.length === 0,
      message: wrong.length === 0 ? `${user} may read the redo through LogMiner` : `${user} lacks ${listed(wrong, 12)}`,
      remedy: [
        ...(lacking.length > 0 ? [`GRANT ${lacking.join(", ")} TO ${user}`] : []),
        ...views.map((view) => `GRANT SELECT ON ${view.toUpperCase().replace("V$", "V_$")} TO ${user}`),
        ...(packages ? [] : [`GRANT EXECUTE ON DBMS_LOGMNR TO ${user}`]),
        ...(local
          ? [`or all at once in the pluggable database: EXEC DBMS_GOLDENGATE_AUTH.GRANT_ADMIN_PRIVILEGE('${user}')`]
          : []),
      ].join("; "),
    }),
  ];
}

async function names(connection: OracleConnection, sql: string): Promise<ReadonlySet<string>> {
  return new Set((await connection.query<{ name: string }>(sql)).map(({ name }) => name));
}

async function mayRead(connection: OracleConnection, view: string): Promise<boolean> {
  try {
    // LogMiner's contents can't be read outside of a session of its own: ORA-01306 says that the view itself may.
    await connection.query(`SELECT COUNT(*) AS "n" FROM ${view} WHERE 1 = 0`);
    return true;
  } catch (cause) {
    if (oracleCode(cause) === "ORA-01306") return true;
    if (oracleCode(cause) === undefined) throw cause;
    return false;
  }
}

/** PLS-00201 comes as ORA-06550; that no session is active (ORA-01307) says that the package may be called. */
async function mayMine(connection: OracleConnection): Promise<boolean> {
  try {
    await connection.execute("BEGIN DBMS_LOGMNR.END_LOGMNR; END;");
    return true;
  } catch (cause) {
    if (oracleCode(cause) === undefined) throw cause;
    return oracleCode(cause) === "ORA-01307";
  }
}
