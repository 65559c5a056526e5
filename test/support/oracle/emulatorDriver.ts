import { Client } from "pg";
import type {
  OracleBinds,
  OracleConnection,
  OracleDriver,
  OracleEndpoint,
  OracleValue,
} from "../../../provider/databases/oracle/driver.js";
import { type EmulatedColumn, type EmulatedObject, translate } from "./translate.js";

/**
 * An Oracle emulator at the driver's boundary: the sessions of a database that `OracleEmulator` made on a PostgreSQL server. The endpoint's host and
 * credentials are that server's, its service name is the database. It proves that Godwit is consistent with itself, not that Oracle behaves
 * like this. A module for GODWIT_ORACLE_DRIVER (worker processes load it by way of emulatorModule.cjs).
 */
export const oracleDriver: OracleDriver = {
  async connect(endpoint, options) {
    const client = new Client({ ...clientConfig(endpoint), application_name: options.applicationName });
    client.on("error", () => undefined);
    await client.connect();
    await client.query(
      "SET search_path = oracle_emulator, pg_catalog; SET timezone = 'UTC'; SET datestyle = 'ISO'; SET extra_float_digits = 3; " +
        "SET oracle_emulator.logs = '{}'; SET oracle_emulator.from_scn = '1'; SET oracle_emulator.to_scn = '0'",
    );
    return new EmulatedSession(client, endpoint.hosts[0] ?? "");
  },
};

function clientConfig(endpoint: OracleEndpoint) {
  const [host = "", port = ""] = (endpoint.hosts[0] ?? "").split(":");
  return {
    host,
    port: Number(port),
    user: endpoint.username,
    password: endpoint.password ?? "",
    database: endpoint.oracle?.serviceName,
    // Everything as text, as the real driver is told to give it; RAW and BLOB as bytes.
    types: { getTypeParser: (type: number) => (type === 17 ? bytes : (value: string) => value) },
  };
}

/** Logs of one incarnation: LogMiner takes no others into a session. */
const OF_HISTORY =
  "resetlogs = (SELECT max(i.resetlogs) FROM oracle_emulator.incarnation i WHERE i.resetlogs <= $1::bigint AND i.status <> 'ORPHAN')";

function bytes(value: string): Buffer {
  return Buffer.from(value.slice(2), "hex");
}

/** An error as the driver gives it. */
export function oracleError(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message} (emulator)`), { code });
}

/** What is not there, or may not be read, looks alike to Oracle's users. */
function asOracle(cause: unknown): unknown {
  const { code, message } = cause as { code?: string; message: string };
  if (code === "42703") return oracleError("ORA-00904", `invalid identifier: ${message}`);
  return code === "42P01" || code === "42501" ? oracleError("ORA-00942", `table or view does not exist: ${message}`) : cause;
}

class EmulatedSession implements OracleConnection {
  private objects: ReadonlyMap<string, EmulatedObject> = new Map();
  private running = false;
  private inRoot = false;

  constructor(
    private readonly client: Client,
    readonly host: string,
  ) {}

  async query<R extends object>(sql: string, binds: OracleBinds = {}): Promise<R[]> {
    const { rows } = await this.client.query("SELECT rows FROM oracle_emulator.answer WHERE sql = $1", [sql]);
    const [answer] = rows as { rows: string }[];
    if (answer) return JSON.parse(answer.rows) as R[];
    await this.fail("query");
    // A RAW column is compared with hexadecimal digits or bytes.
    if (Object.values(binds).some((bind) => typeof bind === "string" && bind.startsWith("\\x")))
      throw oracleError("ORA-01465", "invalid hex number");
    await this.readObjects();
    const translated = translate(sql, binds, (owner, name) => this.objects.get(`${owner}.${name}`));
    const result = await this.client.query(translated.sql, translated.values).catch((cause: unknown) => {
      throw asOracle(cause);
    });
    return result.rows.map((row: Record<string, OracleValue>) =>
      Object.fromEntries(
        // Oracle folds names to upper case, PostgreSQL to lower; a quoted alias stays.
        Object.entries(row).map(([name, value]) => [sql.includes(`"${name}"`) ? name : name.toUpperCase(), value]),
      ),
    ) as R[];
  }

  async *stream(sql: string, binds: OracleBinds, { batchRows }: { readonly batchRows: number }): AsyncGenerator<OracleValue[][]> {
    await this.readObjects();
    const { sql: text, values } = translate(sql, binds, (owner, name) => this.objects.get(`${owner}.${name}`));
    await this.client.query("BEGIN");
    this.running = true;
    try {
      await this.client.query(`DECLARE emulated CURSOR FOR ${text}`, values);
      for (;;) {
        const { rows } = await this.client.query({ text: `FETCH ${batchRows} FROM emulated`, rowMode: "array" });
        if (rows.length > 0) yield rows as OracleValue[][];
        await this.fail("fetch");
        if (rows.length < batchRows) return;
      }
    } finally {
      this.running = false;
      await this.client.query("ROLLBACK").catch(() => undefined);
    }
  }

  async execute(sql: string, binds: OracleBinds = {}): Promise<void> {
    if (/^ALTER SESSION SET CONTAINER/i.test(sql)) return this.leaveContainer();
    if (/^ALTER SESSION/i.test(sql)) return;
    if (/DBMS_LOGMNR\.ADD_LOGFILE/i.test(sql)) return this.addLog(String(binds.path), /DBMS_LOGMNR\.NEW/i.test(sql));
    if (/DBMS_LOGMNR\.START_LOGMNR/i.test(sql)) return this.start(String(binds.from_scn), String(binds.to_scn));
    if (/DBMS_LOGMNR\.END_LOGMNR/i.test(sql)) return this.setLogs([]);
    throw oracleError("ORA-06550", `not emulated: ${sql}`);
  }

  async cancel(): Promise<void> {
    if (this.running) await this.client.end().catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.client.end().catch(() => undefined);
  }

  /** A test names the container LOCKED to keep its users in. */
  private async leaveContainer(): Promise<void> {
    const { rows } = await this.client
      .query<{ container: string }>("SELECT container FROM oracle_emulator.instance_setting")
      .catch(() => ({ rows: [] }));
    if (rows[0]?.container === "LOCKED") throw oracleError("ORA-01031", "insufficient privileges");
    this.inRoot = true;
  }

  /** Only what `instance_setting` describes has containers. */
  private async isPluggable(): Promise<boolean> {
    const { rows } = await this.client
      .query<{ id: string }>("SELECT container_id AS id FROM oracle_emulator.instance_setting")
      .catch(() => ({ rows: [] }));
    return !this.inRoot && Number(rows[0]?.id ?? 0) > 2;
  }

  /** Inside a pluggable database LogMiner adds the logs of its SCNs by itself. */
  private async addOwnLogs(from: string, to: string): Promise<void> {
    const { rows } = await this.client.query<{ log: string }>(
      `SELECT thread || '.' || sequence || '.' || resetlogs AS log FROM oracle_emulator.log
       WHERE first_scn <= $2::bigint AND (next_scn IS NULL OR next_scn > $1::bigint) AND ${OF_HISTORY} AND (online OR (archived AND NOT deleted))`,
      [from, to],
    );
    await this.setLogs(rows.map(({ log }) => log));
  }

  private async addLog(path: string, fresh: boolean): Promise<void> {
    await this.fail("add");
    if (await this.isPluggable()) throw oracleError("ORA-65040", "operation not allowed from within a pluggable database");
    const { rows } = await this.client.query<{ log: string }>(
      `SELECT thread || '.' || sequence || '.' || resetlogs AS log FROM oracle_emulator.log
       WHERE (online AND path = $1) OR (archived AND NOT deleted AND 'archived/' || path = $1)`,
      [path],
    );
    const [found] = rows;
    if (!found) throw oracleError("ORA-01284", `file ${path} cannot be opened`);
    const { rows: known } = await this.client.query<{ logs: string }>("SELECT current_setting('oracle_emulator.logs') AS logs");
    const logs = fresh ? [] : (known[0]?.logs.slice(1, -1).split(",").filter(Boolean) ?? []);
    await this.setLogs([...logs, found.log]);
  }

  private async setLogs(logs: readonly string[]): Promise<void> {
    await this.client.query("SELECT set_config('oracle_emulator.logs', $1, false)", [`{${logs.join(",")}}`]);
  }

  /** As LogMiner: every thread's logs must be there from the first to the last SCN. */
  private async start(from: string, to: string): Promise<void> {
    await this.fail("start");
    if (await this.isPluggable()) await this.addOwnLogs(from, to);
    const { rows } = await this.client.query<{ added: string; missing: string }>(
      `SELECT cardinality(current_setting('oracle_emulator.logs')::text[]) AS added,
              (SELECT count(*) FROM oracle_emulator.log
                WHERE first_scn <= $2::bigint AND (next_scn IS NULL OR next_scn > $1::bigint) AND ${OF_HISTORY}
                  AND thread || '.' || sequence || '.' || resetlogs <> ALL (current_setting('oracle_emulator.logs')::text[])) AS missing`,
      [from, to],
    );
    if (rows[0]?.added === "0") throw oracleError("ORA-01292", "no log file has been specified for the current LogMiner session");
    if (rows[0]?.missing !== "0") throw oracleError("ORA-01291", "missing logfile");
    await this.client.query(
      "SELECT set_config('oracle_emulator.from_scn', $1, false), set_config('oracle_emulator.to_scn', $2, false)",
      [from, to],
    );
  }

  /** A failure that a test ordered for this place. */
  private async fail(place: string): Promise<void> {
    const { rows } = await this.client.query<{ code: string }>(
      "SELECT code FROM oracle_emulator.fault WHERE place = $1 AND times > 0 LIMIT 1",
      [place],
    );
    const [fault] = rows;
    if (!fault) return;
    const { rowCount } = await this.client.query(
      "UPDATE oracle_emulator.fault SET times = times - 1 WHERE code = $1 AND place = $2 AND times > 0",
      [fault.code, place],
    );
    // Inside the cursor's transaction the count would be rolled back with it.
    if (place === "fetch" && rowCount) {
      await this.client.query("COMMIT");
      await this.client.query("BEGIN");
    }
    throw oracleError(fault.code, "as the test ordered");
  }

  private async readObjects(): Promise<void> {
    const { rows } = await this.client.query<{ owner: string; name: string; columns: string; changed: string }>(
      "SELECT owner, name, columns, changed_scn AS changed FROM oracle_emulator.object_table",
    );
    this.objects = new Map(
      rows.map(({ owner, name, columns, changed }) => [
        `${owner}.${name}`,
        { columns: JSON.parse(columns) as EmulatedColumn[], changedScn: BigInt(changed) },
      ]),
    );
  }
}
