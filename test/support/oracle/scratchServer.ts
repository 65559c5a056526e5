import { Client } from "pg";
import { ConversionContext, convertDdl } from "../../../provider/databases/oracle/convert/convertDdl.js";
import type { OracleEndpoint } from "../../../provider/databases/oracle/driver.js";
import { columnChanges, createdColumns } from "../../../provider/databases/oracle/follow/columnChanges.js";
import { EmulatedDictionary } from "./dictionary.js";
import type { EmulatedTransaction } from "./emulatedTransaction.js";
import { type EmulatedTable, OracleEmulator } from "./emulator.js";
import { oracleError } from "./emulatorDriver.js";
import type { TextRow } from "./redoText.js";

interface Scratch {
  readonly schema: string;
  readonly tables: Map<string, EmulatedTable>;
}

const SAVEPOINT = /SAVEPOINT\s+\w+;/i;
const ROLLBACK = /ROLLBACK TO SAVEPOINT\s+\w+;/i;

/**
 * Carries statements for Oracle out on the emulated database: each is converted and run on PostgreSQL tables beside it, and what it did to their rows
 * becomes a transaction of the emulator. So a statement that is no Oracle SQL (to the converter) fails.
 */
export class ScratchServer {
  private readonly client: Client;
  private readonly context = new ConversionContext();
  private opened: Promise<{ readonly emulator: OracleEmulator; readonly dictionary: EmulatedDictionary }> | undefined;
  private scratch: Scratch | undefined;

  constructor(endpoint: OracleEndpoint) {
    const [host = "", port = ""] = (endpoint.hosts[0] ?? "").split(":");
    const { username: user, password, oracle } = endpoint;
    this.client = new Client({
      host,
      port: Number(port),
      ...(user ? { user } : {}),
      ...(password ? { password } : {}),
      database: oracle?.serviceName,
    });
    this.client.on("error", () => undefined);
  }

  async execute(sql: string): Promise<void> {
    this.opened ??= this.open();
    const { emulator, dictionary } = await this.opened;
    const text = sql.trim();
    const user = /^CREATE USER "([^"]+)"/.exec(text)?.[1];
    if (user) {
      this.scratch = { schema: user, tables: new Map() };
      await this.client.query(`CREATE SCHEMA ${user.toLowerCase()}`);
    } else if (text.startsWith("DROP USER")) await this.dropUser();
    else if (text.startsWith("CREATE TABLE")) await this.createTable(text, dictionary);
    else if (/^ALTER TABLE .*SUPPLEMENTAL LOG/.test(text)) await this.logGroup(text, dictionary);
    else if (text.startsWith("ALTER TABLE")) await this.alterTable(text, emulator, dictionary);
    else if (text.startsWith("TRUNCATE")) {
      await this.run(text);
      emulator.truncate(this.table(text));
    } else await this.block(text, emulator);
    await emulator.flush();
  }

  async close(): Promise<void> {
    const opened = await this.opened;
    await opened?.emulator.close();
  }

  private async open() {
    await this.client.connect();
    await this.client.query("SET timezone = 'UTC'");
    const emulator = await OracleEmulator.attach(this.client);
    return { emulator, dictionary: EmulatedDictionary.attach(emulator) };
  }

  private async createTable(text: string, dictionary: EmulatedDictionary): Promise<void> {
    const { schema, tables } = this.needed();
    const name = /^CREATE TABLE "[^"]+"\.(\w+)/.exec(text)?.[1] ?? "";
    const columns = createdColumns(text).flatMap((column) =>
      column.kind === "add" ? [{ name: column.name, type: column.type }] : [],
    );
    await this.run(text);
    const keyed = /PRIMARY KEY/.test(text);
    const made = await dictionary.declare({
      tables: [
        {
          owner: schema,
          name,
          columns: columns.map((column) => ({ ...column, notNull: keyed && column.name === "ID" })),
          ...(keyed ? { primaryKey: ["ID"] } : {}),
        },
      ],
    });
    for (const [key, table] of made) tables.set(key, table);
    // As Oracle has it before a log group is added.
    await dictionary.change(`DELETE FROM oracle_emulator.all_log_groups WHERE owner = '${schema}' AND table_name = '${name}'`);
  }

  private async logGroup(text: string, dictionary: EmulatedDictionary): Promise<void> {
    const { owner, name } = this.table(text);
    const type = /\(ALL\)/.test(text) ? "ALL COLUMN LOGGING" : "PRIMARY KEY LOGGING";
    await dictionary.change(`INSERT INTO oracle_emulator.all_log_groups VALUES ('${owner}', '${name}', '${type}')`);
  }

  private async alterTable(text: string, emulator: OracleEmulator, dictionary: EmulatedDictionary): Promise<void> {
    const { tables } = this.needed();
    let table = this.table(text);
    await this.run(text);
    for (const change of columnChanges(text)) {
      if (change.kind === "add") table = await dictionary.addColumn(table, { name: change.name, type: change.type });
      else if (change.kind === "rename") {
        await dictionary.renameColumn(table, change.name, change.to);
        table = emulator.renameColumn(table, change.name, change.to);
      } else if (change.kind === "modify") await dictionary.retype(table, change.name, change.type ?? "");
    }
    emulator.ddl(table, text);
    tables.set(table.name, table);
  }

  private async dropUser(): Promise<void> {
    const { scratch } = this;
    if (!scratch) throw oracleError("ORA-01918", "user does not exist");
    await this.client.query(`DROP SCHEMA ${scratch.schema.toLowerCase()} CASCADE`);
    this.scratch = undefined;
  }

  /** A PL/SQL block is a transaction. What comes between a savepoint and the rollback to it leaves redo, and no rows. */
  private async block(text: string, emulator: OracleEmulator): Promise<void> {
    const transaction = emulator.begin();
    const [before = "", undone, behind] = text.split(new RegExp(`${SAVEPOINT.source}|${ROLLBACK.source}`, "i"));
    if (undone === undefined || behind === undefined) await this.part(text, transaction);
    else {
      await this.part(`${before} END;`, transaction);
      const savepoint = transaction.savepoint();
      await this.client.query("BEGIN");
      await this.part(`BEGIN ${undone} END;`, transaction);
      await this.client.query("ROLLBACK");
      transaction.rollbackTo(savepoint);
      await this.part(`BEGIN ${behind}`, transaction);
    }
    transaction.commit();
  }

  private async part(block: string, transaction: EmulatedTransaction): Promise<void> {
    const { schema, tables } = this.needed();
    const body = withoutLocators(block).replace(/^DECLARE/, "");
    await this.run(`CREATE OR REPLACE PROCEDURE "${schema}".run_it IS ${body}`);
    await this.client.query(
      `SET search_path = ${schema.toLowerCase()}, public; CALL ${schema.toLowerCase()}.run_it(); SET search_path = DEFAULT`,
    );
    for (const table of tables.values()) await this.take(table, transaction);
  }

  /** The table's rows as they are now, as changes of the emulated one's. */
  private async take(table: EmulatedTable, transaction: EmulatedTransaction): Promise<void> {
    const { schema } = this.needed();
    const columns = table.columns.map(({ name, kind }) => {
      const column = `"${name.toLowerCase()}"`;
      if (kind === "timestamp") return `to_char(${column}, 'YYYY-MM-DD HH24:MI:SS.US') AS "${name}"`;
      // A cast would take the padding of CHAR away.
      return `${kind === "text" ? `${column} || ''` : `${column}::text`} AS "${name}"`;
    });
    const { rows } = await this.client.query<TextRow>(
      `SELECT ${columns.join(", ")} FROM ${schema.toLowerCase()}.${table.name.toLowerCase()}`,
    );
    const keyOf = (row: TextRow) =>
      table.fullIdentity ? JSON.stringify(table.columns.map(({ name }) => row[name])) : (row.ID ?? "");
    const wanted = new Map<string, TextRow[]>();
    for (const row of rows) wanted.set(keyOf(row), [...(wanted.get(keyOf(row)) ?? []), row]);
    for (const rowId of transaction.free(table)) {
      const values = transaction.values(rowId);
      const now = wanted.get(keyOf(values))?.pop();
      if (!now) transaction.delete(rowId);
      else {
        const changed = Object.entries(now).filter(([name, value]) => value !== values[name]);
        if (changed.length > 0) transaction.update(rowId, Object.fromEntries(changed));
      }
    }
    for (const row of [...wanted.values()].flat()) transaction.insert(table, row);
  }

  private async run(text: string): Promise<void> {
    // The converter does not know these constants.
    const known = text
      .replace(/BINARY_(DOUBLE|FLOAT)_NAN/g, "CAST('NaN' AS BINARY_$1)")
      .replace(/BINARY_(DOUBLE|FLOAT)_INFINITY/g, "CAST('Infinity' AS BINARY_$1)");
    const { statements, skipped, support } = convertDdl(`${known}\n/\n`, { context: this.context });
    const [refused] = skipped;
    if (refused) throw oracleError("ORA-00900", `invalid SQL statement: ${refused.reason}`);
    for (const sql of [...support, ...statements.flatMap((statement) => statement.sql)]) await this.client.query(sql);
  }

  private table(text: string): EmulatedTable {
    const name = /TABLE "[^"]+"\.(\w+)/.exec(text)?.[1] ?? "";
    const table = this.needed().tables.get(name);
    if (!table) throw oracleError("ORA-00942", `table or view ${name} does not exist`);
    return table;
  }

  private needed(): Scratch {
    if (!this.scratch) throw oracleError("ORA-01918", "user does not exist");
    return this.scratch;
  }
}

/**
 * What is done to a LOB by its locator changes the row it came from, which a variable of PL/pgSQL does not: the calls become updates of the rows that the
 * block selected.
 */
function withoutLocators(block: string): string {
  const [, columns = "", variables = "", from = ""] = /SELECT (.+) INTO (.+) FROM (.+) FOR UPDATE;/.exec(block) ?? [];
  const names = columns.split(", ");
  const column = new Map(variables.split(", ").map((variable, index) => [variable, names[index] ?? ""]));
  const set = (variable: string, value: (name: string) => string) => {
    const name = column.get(variable) ?? "";
    return `UPDATE ${from.replace(" WHERE", ` SET ${name} = ${value(name)} WHERE`)};`;
  };
  return block
    .replace(
      /DBMS_LOB\.WRITE\((\w+), (\d+), (\d+), ('[^']*')\);/g,
      (_, variable: string, count: string, offset: string, text: string) =>
        set(
          variable,
          (name) => `SUBSTR(${name}, 1, ${Number(offset) - 1}) || ${text} || SUBSTR(${name}, ${Number(offset) + Number(count)})`,
        ),
    )
    .replace(/DBMS_LOB\.WRITEAPPEND\((\w+), \d+, ('[^']*')\);/g, (_, variable: string, text: string) =>
      set(variable, (name) => `${name} || ${text}`),
    )
    .replace(/DBMS_LOB\.TRIM\((\w+), (\d+)\);/g, (_, variable: string, length: string) =>
      set(variable, (name) => `DBMS_LOB.SUBSTR(${name}, ${length}, 1)`),
    );
}
