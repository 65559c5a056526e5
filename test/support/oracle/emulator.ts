import { Client, type ClientConfig } from "pg";
import { NO_ROW_ID, Operation } from "../../../provider/databases/oracle/logMiner/contents.js";
import { isLob, type RedoColumn, type RedoTableInputs } from "../../../provider/databases/oracle/redo/redoTable.js";
import type { PostgresServer } from "../postgres.js";
import { EmulatedTransaction } from "./emulatedTransaction.js";
import { EMULATOR_SCHEMA } from "./emulatorSchema.js";
import type { TextRow } from "./redoText.js";

export interface EmulatedTable extends RedoTableInputs {
  /** Which columns the redo names a row by: the key's, or all. */
  readonly logged: "key" | "all";
  /** Index-organized: LogMiner has no row ids of it (a row's place is its key). */
  readonly indexOrganized?: boolean;
}

/** A line of redo before it has its place in a log. */
export interface Line {
  readonly operation: number;
  readonly table?: (Pick<EmulatedTable, "owner" | "name" | "indexOrganized"> & { readonly id?: number }) | undefined;
  readonly rowId?: string | undefined;
  readonly undo?: boolean;
  readonly redo?: string;
  /** How LogMiner shows it once the table's structure has changed. */
  readonly byPlace?: string;
  readonly info?: string;
  /** Of another pluggable database than the emulator's own. */
  readonly container?: string;
  /** Given: more than one line has this SCN. */
  readonly scn?: bigint;
}

export interface LiveRow {
  readonly table: EmulatedTable;
  readonly values: TextRow;
}

/** Bytes of SQL_REDO in one row; longer ones go on in the next (CSF). */
const REDO_BYTES = 4000;

/**
 * Writes the history of an emulated Oracle: a test scripts transactions, and each call adds the redo lines that LogMiner would show, and at commit
 * the row versions that a flashback query would see. `flush` makes it visible to the sessions of emulatorDriver.ts. One script at a time writes.
 */
export class OracleEmulator {
  readonly rows = new Map<string, LiveRow>();
  private readonly tables = new Map<string, EmulatedTable>();
  private readonly locked = new Map<string, EmulatedTransaction>();
  private readonly open = new Map<EmulatedTransaction, bigint>();
  private readonly sequences = new Map<number, number>();
  private clock = 1000n;
  private nextLine = 1;
  private nextRow = 1;
  private nextXid = 1;
  private resetlogs = 1n;
  private redoRows: unknown[][] = [];
  private versions: unknown[][] = [];
  /** The newest version of each row among those that wait. */
  private readonly waiting = new Map<string, unknown[]>();
  private closed: [rowId: string, scn: string][] = [];
  private statements: { sql: string; values: unknown[] }[] = [];

  private constructor(
    private readonly client: Client,
    readonly container: string,
  ) {}

  /** In a database of its own on `server`; `threads` is how many RAC nodes there are. */
  static async create(
    server: PostgresServer,
    database: string,
    options: { readonly threads?: number } = {},
  ): Promise<OracleEmulator> {
    await server.createDatabase(database);
    return OracleEmulator.open(server.clientConfig(database), options.threads ?? 1);
  }

  private static async open(config: ClientConfig, threads: number): Promise<OracleEmulator> {
    const client = new Client(config);
    client.on("error", () => undefined);
    await client.connect();
    await client.query(EMULATOR_SCHEMA);
    const emulator = new OracleEmulator(client, "EMUPDB");
    await emulator.answer(`SELECT TO_CHAR(SYSTIMESTAMP, 'TZH:TZM') AS "ZONE" FROM DUAL`, [{ ZONE: "+00:00" }]);
    for (let thread = 1; thread <= threads; thread++) {
      emulator.later("INSERT INTO oracle_emulator.redo_thread VALUES ($1, 'OPEN', 1, 1)", [thread]);
      emulator.startLog(thread);
    }
    await emulator.flush();
    return emulator;
  }

  /** Another script on an emulated database that exists and that no other writes: with an SCN, a line and row ids behind those there are. */
  static async attach(client: Client): Promise<OracleEmulator> {
    const emulator = new OracleEmulator(client, "EMUPDB");
    const { rows } = await client.query<{ scn: string; line: string; threads: { thread: number; sequence: number }[] | null }>(
      `SELECT (SELECT scn FROM oracle_emulator.clock)::text AS scn, (SELECT coalesce(max(id), 0) + 1 FROM oracle_emulator.redo)::text AS line,
              (SELECT json_agg(json_build_object('thread', l.thread, 'sequence', l.sequence))
                 FROM (SELECT thread, max(sequence) AS sequence FROM oracle_emulator.log GROUP BY thread) l) AS threads`,
    );
    const [found] = rows;
    emulator.clock = BigInt(found?.scn ?? "1000");
    emulator.nextLine = Number(found?.line ?? 1);
    emulator.nextRow = emulator.nextLine + 1_000_000;
    emulator.nextXid = emulator.nextLine + 1_000_000;
    for (const { thread, sequence } of found?.threads ?? []) emulator.sequences.set(thread, sequence);
    return emulator;
  }

  /** What an endpoint says to reach it. */
  static endpoint(server: PostgresServer, database: string) {
    return {
      hosts: [`${server.host}:${server.port}`],
      username: server.username,
      password: server.password,
      oracle: { serviceName: database },
    };
  }

  get scn(): bigint {
    return this.clock;
  }

  /** As if it had always been there: no redo. */
  createTable(table: EmulatedTable): EmulatedTable {
    this.tables.set(`${table.owner}.${table.name}`, table);
    this.later(
      "INSERT INTO oracle_emulator.object_table VALUES ($1, $2, $3, 0) ON CONFLICT (owner, name) DO UPDATE SET columns = excluded.columns",
      [table.owner, table.name, JSON.stringify(table.columns)],
    );
    return table;
  }

  /**
   * DDL by its text, in a transaction of its own. `info` is LogMiner's INFO (`INTERNAL DDL`, `USER DDL (PlSql=0 RecDep=0)`). ALTER TABLE makes
   * LogMiner show older redo of the table by place, because its dictionary is the one of now.
   */
  ddl(
    table: Pick<EmulatedTable, "owner" | "name">,
    sql: string,
    { thread = 1, info = "USER DDL (PlSql=0 RecDep=0)" } = {},
  ): void {
    if (/^alter table/i.test(sql)) this.showByPlace(table);
    const xid = this.xid();
    this.line(xid, thread, { operation: Operation.ddl, table, redo: sql, info });
    this.line(xid, thread, { operation: Operation.commit });
  }

  /** Rows of a direct load under NOLOGGING: in the table, and in no redo. */
  unlogged(table: EmulatedTable, rows: readonly TextRow[]): void {
    const scn = ++this.clock;
    this.later("UPDATE oracle_emulator.datafile SET unrecoverable_scn = $1", [scn.toString()]);
    for (const given of rows) {
      const rowId = this.newRowId();
      const values = Object.fromEntries(table.columns.map(({ name }) => [name, given[name] ?? null]));
      this.rows.set(rowId, { table, values });
      const version = [table.owner, table.name, rowId, scn.toString(), null, values];
      this.versions.push(version);
      this.waiting.set(rowId, version);
    }
  }

  /** The redo of a dropped table goes by its name in the recycle bin; its rows are gone. */
  dropTable(table: EmulatedTable, sql = `drop table ${table.owner}.${table.name}`): void {
    const bin = `BIN$${Buffer.from(`${table.id}`.padStart(16, "x")).toString("base64")}$0`;
    this.ddl(table, `ALTER TABLE "${table.owner}"."${table.name}" RENAME CONSTRAINT "${table.name}_PK" TO "${bin}"`);
    this.ddl(table, `ALTER TABLE "${table.owner}"."${table.name}" RENAME TO "${bin}"`);
    this.ddl(table, `${sql} AS "${bin}"`);
    const { owner, name } = table;
    for (const row of this.redoRows) if (row[9] === owner && row[10] === name && row[6] !== Operation.ddl) row[10] = bin;
    this.later(
      `UPDATE oracle_emulator.redo SET table_name = $3 WHERE seg_owner = $1 AND table_name = $2 AND operation_code <> ${Operation.ddl}`,
      [owner, name, bin],
    );
    this.later("DELETE FROM oracle_emulator.object_table WHERE owner = $1 AND name = $2", [owner, name]);
    this.empty(table);
  }

  /** The same table under another name; its older redo goes by the new one as well. Without the statement. */
  renameTable(table: EmulatedTable, to: string): EmulatedTable {
    const { owner, name } = table;
    for (const rows of [this.redoRows, this.versions]) {
      const [ownerAt, nameAt] = rows === this.redoRows ? [9, 10] : [0, 1];
      for (const row of rows) if (row[ownerAt] === owner && row[nameAt] === name) row[nameAt] = to;
    }
    for (const [relation, column] of [
      ["redo", "table_name"],
      ["row_version", "name"],
      ["object_table", "name"],
    ]) {
      const owned = relation === "redo" ? "seg_owner" : "owner";
      this.later(`UPDATE oracle_emulator.${relation} SET ${column} = $3 WHERE ${owned} = $1 AND ${column} = $2`, [
        owner,
        name,
        to,
      ]);
    }
    return this.restructured({ ...table, name: to }, (values) => values);
  }

  renameColumn(table: EmulatedTable, from: string, to: string): EmulatedTable {
    this.later(
      `UPDATE oracle_emulator.row_version SET "values" = "values" - $3 || jsonb_build_object($4::text, "values" -> $3) WHERE owner = $1 AND name = $2`,
      [table.owner, table.name, from, to],
    );
    const columns = table.columns.map((column) => (column.name === from ? { ...column, name: to } : column));
    return this.restructured({ ...table, columns }, ({ [from]: value = null, ...others }) => ({ ...others, [to]: value }));
  }

  dropColumn(table: EmulatedTable, name: string): EmulatedTable {
    const columns = table.columns.filter((column) => column.name !== name);
    return this.restructured({ ...table, columns }, ({ [name]: _gone, ...others }) => others);
  }

  /** ALTER TABLE ... MOVE: every row gets another id, and no flashback query reaches back before it. */
  async moveTable(table: EmulatedTable, sql = `alter table ${table.name} move`): Promise<void> {
    this.ddl(table, sql);
    await this.flush();
    for (const [rowId, row] of [...this.rows]) {
      if (row.table.id !== table.id) continue;
      const moved = this.newRowId();
      this.rows.delete(rowId);
      this.rows.set(moved, row);
      this.later("UPDATE oracle_emulator.row_version SET row_id = $2 WHERE row_id = $1 AND to_scn IS NULL", [rowId, moved]);
    }
    this.waiting.clear();
    this.later("UPDATE oracle_emulator.object_table SET changed_scn = $3 WHERE owner = $1 AND name = $2", [
      table.owner,
      table.name,
      this.clock.toString(),
    ]);
  }

  private restructured(table: EmulatedTable, reshape: (values: TextRow) => TextRow): EmulatedTable {
    for (const [rowId, row] of [...this.rows]) {
      if (row.table.id === table.id) this.rows.set(rowId, { table, values: reshape(row.values) });
    }
    return this.createTable(table);
  }

  private showByPlace({ owner, name }: Pick<EmulatedTable, "owner" | "name">): void {
    for (const row of this.redoRows) if (row[9] === owner && row[10] === name && row[16] !== null) row[14] = row[16];
    this.later(
      "UPDATE oracle_emulator.redo SET sql_redo = by_place WHERE seg_owner = $1 AND table_name = $2 AND by_place IS NOT NULL",
      [owner, name],
    );
  }

  /** TRUNCATE TABLE: DDL, and the rows are gone. */
  truncate(table: EmulatedTable, thread = 1): void {
    this.ddl(table, `truncate table ${table.name}`, { thread });
    this.empty(table);
  }

  /** By a statement that the test writes itself: the rows are gone. */
  truncated(table: EmulatedTable): void {
    this.empty(table);
  }

  private empty(table: EmulatedTable): void {
    for (const [rowId, row] of [...this.rows]) {
      if (row.table.id !== table.id) continue;
      this.rows.delete(rowId);
      this.closeVersion(rowId, this.clock);
    }
  }

  begin(thread = 1): EmulatedTransaction {
    return new EmulatedTransaction(this, this.xid(), thread);
  }

  /** Commits several transactions, of any threads, at one SCN. */
  commitTogether(...transactions: readonly EmulatedTransaction[]): bigint {
    const scn = ++this.clock;
    for (const transaction of transactions) transaction.commit(scn);
    return scn;
  }

  /** Advances the SCN, as an idle database does. */
  tick(scns = 1): void {
    this.clock += BigInt(scns);
  }

  /** The thread's log is full: archived, and the next begins. Older than the newest three are archived only. */
  switchLog(thread = 1): void {
    const first = ++this.clock;
    const sequence = this.sequences.get(thread) ?? 0;
    this.later(
      "UPDATE oracle_emulator.log SET next_scn = $3, archived = true WHERE thread = $1 AND sequence = $2 AND next_scn IS NULL",
      [thread, sequence, first.toString()],
    );
    this.later("UPDATE oracle_emulator.log SET online = false WHERE thread = $1 AND sequence <= $2", [thread, sequence - 2]);
    this.startLog(thread, first);
  }

  /** An instance goes down, and another one archives its last log: V$LOG has none of the thread that is CURRENT. */
  closeThread(thread: number): void {
    const ended = ++this.clock;
    this.later(
      "UPDATE oracle_emulator.log SET next_scn = coalesce(next_scn, $2), archived = true, online = false WHERE thread = $1",
      [thread, ended.toString()],
    );
    this.later("UPDATE oracle_emulator.redo_thread SET status = 'CLOSED', last_scn = $2 WHERE thread = $1", [
      thread,
      (ended - 1n).toString(),
    ]);
  }

  /** Up again, or there for the first time: its redo begins in a new log. `enabled`: after ALTER DATABASE ENABLE THREAD. */
  openThread(thread: number, { enabled = !this.sequences.has(thread) } = {}): void {
    const first = ++this.clock;
    this.later(
      `INSERT INTO oracle_emulator.redo_thread VALUES ($1, 'OPEN', $2, $2)
         ON CONFLICT (thread) DO UPDATE SET status = 'OPEN', enabled_scn = CASE WHEN $3 THEN excluded.enabled_scn ELSE redo_thread.enabled_scn END`,
      [thread, first.toString(), enabled],
    );
    this.startLog(thread, first);
  }

  /** ALTER DATABASE DISABLE THREAD, its log groups dropped: the control file has its archived logs only. */
  dropThread(thread: number): void {
    this.closeThread(thread);
    this.later("DELETE FROM oracle_emulator.redo_thread WHERE thread = $1", [thread]);
  }

  /**
   * OPEN RESETLOGS: a failover, a flashback or a restore. Redo from `at` on is lost to the new history, which goes on from there; what was lost still lies
   * in the old one's logs. The script's rows stay as they are: a test of lost rows says itself what is left.
   */
  resetLogs(at: bigint = this.clock + 1n): void {
    const before = this.resetlogs;
    this.resetlogs = at;
    this.clock = at;
    this.later("UPDATE oracle_emulator.log SET next_scn = coalesce(next_scn, $1), archived = true, online = false", [
      (at + 1000n).toString(),
    ]);
    this.later("UPDATE oracle_emulator.incarnation SET status = CASE WHEN resetlogs < $1 THEN 'PARENT' ELSE 'ORPHAN' END", [
      at.toString(),
    ]);
    this.later("INSERT INTO oracle_emulator.incarnation VALUES ($1, 'CURRENT')", [at.toString()]);
    this.later("UPDATE oracle_emulator.clock SET resetlogs = $1", [at.toString()]);
    if (at <= before) throw new Error("a history that begins before the one it leaves");
    for (const thread of this.sequences.keys()) {
      this.sequences.set(thread, 0);
      this.startLog(thread, at);
    }
  }

  /** The archived file is gone, as after a retention policy. */
  deleteArchivedLog(thread: number, sequence: number): void {
    this.later("UPDATE oracle_emulator.log SET deleted = true, online = false WHERE thread = $1 AND sequence = $2 AND archived", [
      thread,
      sequence,
    ]);
  }

  currentSequence(thread = 1): number {
    return this.sequences.get(thread) ?? 0;
  }

  /** The next calls of this kind (`add`, `start`, `fetch`, `query`) fail with an Oracle error. */
  failNext(code: string, place: "add" | "start" | "fetch" | "query", times = 1): void {
    this.later(
      "INSERT INTO oracle_emulator.fault VALUES ($1, $2, $3) ON CONFLICT (code, place) DO UPDATE SET times = fault.times + excluded.times",
      [code, place, times],
    );
  }

  /** A fixed answer to a query, word for word: for what has no view here. */
  async answer(sql: string, rows: readonly object[]): Promise<void> {
    await this.client.query(
      "INSERT INTO oracle_emulator.answer VALUES ($1, $2) ON CONFLICT (sql) DO UPDATE SET rows = excluded.rows",
      [sql, JSON.stringify(rows)],
    );
  }

  /** More views of the dictionary (ALL_TABLES ...), as SQL run in schema oracle_emulator; `ALL_TAB_COLUMNS.COLUMN_ID#` is `column_id_no`. */
  async extend(sql: string): Promise<void> {
    await this.client.query(sql);
  }

  /** The committed rows of a table now, by row id. */
  committed(table: EmulatedTable): Map<string, TextRow> {
    const rows = new Map<string, TextRow>();
    for (const [rowId, row] of this.rows) if (row.table.id === table.id) rows.set(rowId, row.values);
    for (const transaction of this.open.keys()) {
      for (const [rowId, before] of transaction.before()) {
        if (before?.table.id === table.id) rows.set(rowId, before.values);
        else rows.delete(rowId);
      }
    }
    return rows;
  }

  /** Makes everything scripted so far visible to sessions, in one step. */
  async flush(): Promise<void> {
    const { client } = this;
    await client.query("BEGIN");
    for (const { sql, values } of this.statements.splice(0)) await client.query(sql, values);
    for (const some of chunks(this.closed.splice(0), 5000)) {
      await client.query(
        `UPDATE oracle_emulator.row_version v SET to_scn = c.scn
           FROM unnest($1::text[], $2::bigint[]) AS c (row_id, scn) WHERE v.row_id = c.row_id AND v.to_scn IS NULL`,
        [some.map(([rowId]) => rowId), some.map(([, scn]) => scn)],
      );
    }
    this.waiting.clear();
    for (const some of chunks(this.versions.splice(0), 5000)) {
      await client.query(
        `INSERT INTO oracle_emulator.row_version
         SELECT v ->> 0, v ->> 1, v ->> 2, (v ->> 3)::bigint, (v ->> 4)::bigint, v -> 5 FROM jsonb_array_elements($1::jsonb) AS v`,
        [JSON.stringify(some)],
      );
    }
    for (const some of chunks(this.redoRows.splice(0), 5000)) {
      await client.query(
        `INSERT INTO oracle_emulator.redo
         SELECT (v ->> 0)::bigint, (v ->> 1)::bigint, (v ->> 2)::int, (v ->> 3)::int, v ->> 4, (v ->> 5)::int, (v ->> 6)::int, v ->> 7, (v ->> 8)::int,
                v ->> 9, v ->> 10, v ->> 11, (v ->> 12)::int, now(), v ->> 13, v ->> 14, v ->> 15, v ->> 16,
                (v ->> 17)::bigint, (v ->> 18)::bigint
           FROM jsonb_array_elements($1::jsonb) AS v`,
        [JSON.stringify(some)],
      );
    }
    await client.query("DELETE FROM oracle_emulator.open_transaction");
    for (const [transaction, scn] of this.open) {
      await client.query("INSERT INTO oracle_emulator.open_transaction VALUES ($1, $2)", [transaction.xid, scn.toString()]);
    }
    await client.query("UPDATE oracle_emulator.clock SET scn = $1", [this.clock.toString()]);
    await client.query("COMMIT");
  }

  async close(): Promise<void> {
    await this.client.end();
  }

  // What a transaction does to the database; not for tests.

  lock(rowId: string, by: EmulatedTransaction): void {
    const holder = this.locked.get(rowId);
    if (holder && holder !== by) throw new Error(`row ${rowId} is locked by another transaction: the script would wait for ever`);
    this.locked.set(rowId, by);
  }

  isLocked(rowId: string, by: EmulatedTransaction): boolean {
    const holder = this.locked.get(rowId);
    return holder !== undefined && holder !== by;
  }

  newRowId(): string {
    return `AAAE${(this.nextRow++).toString(36).toUpperCase().padStart(14, "0")}`;
  }

  changed(transaction: EmulatedTransaction): void {
    if (!this.open.has(transaction)) this.open.set(transaction, this.clock);
  }

  ended(transaction: EmulatedTransaction, commitScn: bigint | undefined): void {
    this.open.delete(transaction);
    for (const [rowId, before] of transaction.before()) {
      this.locked.delete(rowId);
      if (commitScn === undefined) continue;
      const now = this.rows.get(rowId);
      if (before) this.closeVersion(rowId, commitScn);
      if (!now) continue;
      const version = [now.table.owner, now.table.name, rowId, commitScn.toString(), null, now.values];
      this.versions.push(version);
      this.waiting.set(rowId, version);
    }
  }

  line(xid: string, thread: number, line: Line): bigint {
    const scn = line.scn ?? ++this.clock;
    const { table } = line;
    const sequence = this.sequences.get(thread) ?? 0;
    const number = this.nextLine++;
    const place = `0x${sequence.toString(16).padStart(6, "0")}.${number.toString(16).padStart(8, "0")}.0010`;
    const pieces = line.redo === undefined ? [null] : cut(line.redo);
    pieces.forEach((redo, index) => {
      this.redoRows.push([
        index === 0 ? number : this.nextLine++,
        scn.toString(),
        thread,
        sequence,
        place,
        0,
        line.operation,
        xid,
        line.undo ? 1 : 0,
        table?.owner ?? null,
        table?.name ?? null,
        table ? ((table.indexOrganized ? undefined : line.rowId) ?? NO_ROW_ID) : null,
        index < pieces.length - 1 ? 1 : 0,
        line.info ?? null,
        redo,
        line.container ?? this.container,
        pieces.length === 1 ? (line.byPlace ?? null) : null,
        table?.id ?? null,
        this.resetlogs.toString(),
      ]);
    });
    return scn;
  }

  private closeVersion(rowId: string, scn: bigint): void {
    const waiting = this.waiting.get(rowId);
    if (!waiting) this.closed.push([rowId, scn.toString()]);
    else {
      waiting[4] = scn.toString();
      this.waiting.delete(rowId);
    }
  }

  private startLog(thread: number, firstScn: bigint = this.clock): void {
    const sequence = (this.sequences.get(thread) ?? 0) + 1;
    this.sequences.set(thread, sequence);
    this.later("INSERT INTO oracle_emulator.log VALUES ($1, $2, $3, NULL, $4, true, false, false, $5)", [
      thread,
      sequence,
      firstScn.toString(),
      `thread_${thread}_seq_${sequence}_${this.resetlogs}.log`,
      this.resetlogs.toString(),
    ]);
  }

  private xid(): string {
    return `0A00${(this.nextXid++).toString(16).toUpperCase().padStart(12, "0")}`;
  }

  private later(sql: string, values: unknown[]): void {
    this.statements.push({ sql, values });
  }
}

/** Columns that LogMiner shows in a condition: LOBs never are. */
export function loggedColumns(table: EmulatedTable): RedoColumn[] {
  return table.columns.filter(({ kind, partOfKey }) => !isLob(kind) && (table.logged === "all" || partOfKey));
}

function cut(redo: string): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < redo.length; at += REDO_BYTES) pieces.push(redo.slice(at, at + REDO_BYTES));
  return pieces.length === 0 ? [""] : pieces;
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
}
