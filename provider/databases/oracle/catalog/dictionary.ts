import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { OracleConnection } from "../driver.js";
import { oracleCode } from "../oracleErrors.js";

/** A row of the dictionary: values under the lower-case aliases of its query. NUMBER is text. */
export type DictionaryRow = Readonly<Record<string, string | null>>;

export interface Dictionary {
  /** Sees every object (the DBA_ views), not only what the user may use. */
  readonly whole: boolean;
  /** Such as "19.3.0.0.0". */
  readonly version: string;
  /** Runs a query in which `{users}` is the condition on OWNER that keeps Oracle's own schemas out, `{view}` the views' prefix. */
  read(sql: string): Promise<readonly DictionaryRow[]>;
}

/**
 * Schemas that Oracle makes, for releases before 12.1, whose ALL_USERS does not tell them. From the 11.2 Security Guide's list of predefined
 * accounts.
 */
const OWN_SCHEMAS = [
  ..."ANONYMOUS APEX_PUBLIC_USER APPQOSSYS CTXSYS DBSNMP DIP EXFSYS FLOWS_FILES LBACSYS MDDATA MDSYS MGMT_VIEW OLAPSYS".split(
    " ",
  ),
  ..."ORACLE_OCM ORDDATA ORDPLUGINS ORDSYS OUTLN OWBSYS OWBSYS_AUDIT SI_INFORMTN_SCHEMA SPATIAL_CSW_ADMIN_USR".split(" "),
  ..."SPATIAL_WFS_ADMIN_USR SYS SYSMAN SYSTEM WKPROXY WKSYS WK_TEST WMSYS XDB XS$NULL APEX_030200 APEX_040000".split(" "),
];

/**
 * Opens the dictionary of the database (or pluggable database) the session is in. With the DBA_ views when the user may read them: ALL_SOURCE
 * hides the bodies of others' packages. Errors: GW1305.
 */
export async function openDictionary(connection: OracleConnection): Promise<Dictionary> {
  const versions = await connection.query<{ version: string }>('SELECT version AS "version" FROM v$instance').catch(() => []);
  const version =
    versions[0]?.version ??
    (
      await connection.query<{ version: string }>(
        `SELECT MAX(version) AS "version" FROM product_component_version WHERE product LIKE 'Oracle%'`,
      )
    )[0]?.version ??
    "";
  const whole = await readable(connection, "dba_objects");
  const view = whole ? "dba" : "all";
  const modern = Number.parseInt(version, 10) >= 12;
  const users = modern
    ? "IN (SELECT username FROM all_users WHERE oracle_maintained = 'N')"
    : `IN (SELECT username FROM all_users WHERE username NOT IN (${OWN_SCHEMAS.map((name) => `'${name}'`).join(", ")}))`;
  return {
    whole,
    version,
    async read(sql) {
      try {
        return await connection.query<DictionaryRow>(sql.replaceAll("{users}", users).replaceAll("{view}", view));
      } catch (cause) {
        if (cause instanceof GodwitError || oracleCode(cause) === undefined) throw cause;
        throw new GodwitError(ErrorCode.CatalogUnreadable, `the dictionary could not be read: ${(cause as Error).message}`, {
          remedy: "GRANT SELECT_CATALOG_ROLE to the endpoint's user",
          cause,
        });
      }
    },
  };
}

/** ORA-00942 is what a view that may not be read looks like. */
async function readable(connection: OracleConnection, view: string): Promise<boolean> {
  try {
    await connection.query(`SELECT COUNT(*) AS "n" FROM ${view} WHERE object_id = 2`);
    return true;
  } catch (cause) {
    if (cause instanceof GodwitError) throw cause;
    return false;
  }
}

/** Rows under a key, in the order they came. */
export function grouped<T>(rows: readonly T[], keyOf: (row: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return groups;
}
