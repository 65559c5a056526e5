import { ErrorCode, GodwitError } from "../../engine/errors.js";
import type { ServerFacts, TaskEndpoint } from "../../engine/models/endpoint.js";
import { connectOracle, type OracleConnection } from "./driver.js";
import { oracleCode } from "./oracleErrors.js";

/** What precheck and plan want to know beside an endpoint's facts. */
export interface OracleFacts extends ServerFacts {
  /** CDB$ROOT, a pluggable database's name, or the database's own where there are no containers. */
  readonly container: string;
  readonly pluggable: boolean;
  readonly archiveLog: boolean;
  /** Every change is in the redo, NOLOGGING or not. */
  readonly forceLogging: boolean;
  /** Supplemental logging of the whole database. */
  readonly logging: { readonly minimal: boolean; readonly primaryKey: boolean; readonly unique: boolean; readonly all: boolean };
}

const DATABASE = `
SELECT d.dbid AS "id", d.name AS "name", d.log_mode AS "log_mode", d.supplemental_log_data_min AS "minimal",
       d.force_logging AS "force_logging", d.supplemental_log_data_pk AS "primary_key", d.supplemental_log_data_ui AS "unique", d.supplemental_log_data_all AS "all"
  FROM v$database d`;

const SESSION = `
SELECT SYS_CONTEXT('USERENV', 'CON_NAME') AS "container", SYS_CONTEXT('USERENV', 'CON_ID') AS "container_id",
       SYS_CONTEXT('USERENV', 'ISDBA') AS "dba"
  FROM dual`;

const PARAMETERS = `
SELECT p.parameter AS "name", p.value AS "value" FROM nls_database_parameters p
 WHERE p.parameter IN ('NLS_CHARACTERSET', 'NLS_RDBMS_VERSION')`;

export const DATABASE_ZONE = 'SELECT DBTIMEZONE AS "zone" FROM dual';

/**
 * An Oracle database's facts. Its id is the DBID, with the container behind it in a multitenant one, where every pluggable database has the same.
 * Errors: those of the connection; GW1110 when V$DATABASE may not be read.
 */
export async function readOracleServer(endpoint: TaskEndpoint, applicationName: string): Promise<ServerFacts> {
  const connection = await connectOracle(endpoint, { applicationName });
  try {
    const { serverVersion, serverId, encoding, timeZone, superuser } = await readOracleFacts(connection, endpoint);
    return { serverVersion, serverId, encoding, timeZone, superuser };
  } finally {
    await connection.close();
  }
}

export async function readOracleFacts(connection: OracleConnection, endpoint: TaskEndpoint): Promise<OracleFacts> {
  const [database] = await readDatabase(connection, endpoint);
  const [session] = await connection.query<Record<string, string | null>>(SESSION);
  const parameters = new Map(
    (await connection.query<Record<string, string>>(PARAMETERS)).map(({ name, value }) => [name, value]),
  );
  const [zone] = await connection.query<{ zone: string }>(DATABASE_ZONE);
  const roles = await connection.query<{ role: string }>(`SELECT r.role AS "role" FROM session_roles r WHERE r.role = 'DBA'`);
  const container = session?.container ?? database?.name ?? "";
  // 0: no containers; 1: the root; from 3 on pluggable databases.
  const pluggable = Number(session?.container_id ?? 0) > 2;
  return {
    serverVersion: parameters.get("NLS_RDBMS_VERSION") ?? "",
    serverId: pluggable ? `${database?.id}/${container}` : (database?.id ?? ""),
    encoding: parameters.get("NLS_CHARACTERSET") ?? "",
    timeZone: zone?.zone ?? "",
    superuser: roles.length > 0 || session?.dba === "TRUE",
    container,
    pluggable,
    archiveLog: database?.log_mode === "ARCHIVELOG",
    forceLogging: database?.force_logging === "YES",
    logging: {
      minimal: database?.minimal === "YES" || database?.minimal === "IMPLICIT",
      primaryKey: database?.primary_key === "YES",
      unique: database?.unique === "YES",
      all: database?.all === "YES",
    },
  };
}

async function readDatabase(connection: OracleConnection, endpoint: TaskEndpoint): Promise<Record<string, string | null>[]> {
  try {
    return await connection.query<Record<string, string | null>>(DATABASE);
  } catch (cause) {
    if (oracleCode(cause) !== "ORA-00942" && oracleCode(cause) !== "ORA-01031") throw cause;
    throw new GodwitError(ErrorCode.ServerIdUnreadable, `${endpoint.username} may not read V$DATABASE`, {
      object: connection.host,
      remedy: `GRANT SELECT ON V_$DATABASE TO ${endpoint.username}`,
      cause,
    });
  }
}
