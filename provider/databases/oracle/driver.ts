import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";
import { ErrorCode, GodwitError } from "../../engine/errors.js";
import type { TaskEndpoint } from "../../engine/models/endpoint.js";

/** What it takes to reach an Oracle database: the part of the contract's Endpoint that a connection needs. */
export type OracleEndpoint = Omit<TaskEndpoint, "engine" | "databaseName">;

export interface OracleConnectOptions {
  /** Shown in V$SESSION.MODULE; `godwit/<task>/<part>`. */
  readonly applicationName: string;
  /** Seconds one host may take to answer. Default 10. */
  readonly timeoutSeconds?: number;
}

/** NUMBER is exact text; dates, timestamps and intervals have to be selected as text (`textOf`); RAW and BLOB are bytes. */
export type OracleValue = string | number | Buffer | null;
export type OracleBinds = Readonly<Record<string, string | number | bigint | Buffer | null>>;

/** One session of an Oracle database, as narrow as Godwit needs it. One statement at a time. */
export interface OracleConnection {
  /** As `host:port`, the one of the list that answered. */
  readonly host: string;
  /** All rows, as objects keyed by column names as Oracle gives them (upper case unless quoted). For small results. */
  query<R extends object = Readonly<Record<string, OracleValue>>>(sql: string, binds?: OracleBinds): Promise<R[]>;
  /** Rows in the order of the select list, in batches of at most `batchRows`. Ending the iteration early closes the cursor. */
  stream(sql: string, binds: OracleBinds, options: { readonly batchRows: number }): AsyncIterable<readonly OracleValue[][]>;
  /** A PL/SQL block or a statement without rows. */
  execute(sql: string, binds?: OracleBinds): Promise<void>;
  /** Interrupts the statement that is running; that rejects. Fine when there is none. */
  cancel(): Promise<void>;
  close(): Promise<void>;
}

/** What stands between Godwit and an Oracle database: `oracledbDriver`, or an emulator in tests. */
export interface OracleDriver {
  /** Errors: GW1101 to GW1104, GW1108, GW1720, GW1721. */
  connect(endpoint: OracleEndpoint, options: OracleConnectOptions): Promise<OracleConnection>;
}

/**
 * A seam for tests: the path of a module whose export `oracleDriver` takes the place of the real driver. No Oracle server can be had where
 * Godwit is built; an emulator answers there. Nothing but a test sets it.
 */
export const DRIVER_VARIABLE = "GODWIT_ORACLE_DRIVER";

/**
 * Connects to the first host of the list that answers. The driver is loaded with the first connection: programs that have no Oracle endpoint
 * never load it. Errors: those of `OracleDriver.connect`.
 */
export async function connectOracle(endpoint: OracleEndpoint, options: OracleConnectOptions): Promise<OracleConnection> {
  return (await loadDriver()).connect(endpoint, options);
}

async function loadDriver(): Promise<OracleDriver> {
  const substitute = process.env[DRIVER_VARIABLE];
  if (substitute === undefined || substitute === "") return (await import("./oracledbDriver.js")).oracledbDriver;
  const loaded = (await import(isAbsolute(substitute) ? pathToFileURL(substitute).href : substitute)) as Partial<DriverModule>;
  // A CommonJS module shows its exports under `default` as well, some loaders only there.
  const driver = loaded.oracleDriver ?? loaded.default?.oracleDriver;
  if (driver) return driver;
  throw new GodwitError(ErrorCode.InvalidInput, `${DRIVER_VARIABLE} names a module without an oracleDriver`, {
    object: substitute,
    remedy: `unset ${DRIVER_VARIABLE}: it is for tests`,
  });
}

interface DriverModule {
  readonly oracleDriver: OracleDriver;
  readonly default?: { readonly oracleDriver: OracleDriver };
}
