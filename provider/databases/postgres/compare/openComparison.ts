import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import type { Snapshot } from "../../../engine/database.js";
import type { PlannedTable } from "../../../engine/models/plan.js";
import {
  bucketOf,
  type ComparedSide,
  type Comparison,
  type ComparisonLane,
  type NotComparable,
  type TableComparison,
} from "../../../engine/validation/comparison.js";
import { readTableShape } from "../catalog/shapes.js";
import { serverEncoding, serverVersion } from "../clients.js";
import { type PostgresEndpoint, setWhereKnown, withConnection } from "../connection.js";
import { isConnectionError } from "../connectionErrors.js";
import { Connections } from "../connections.js";
import { columnSql, hasValues } from "../etl/valueSql.js";
import { quotesValues, withheldMessage } from "../etl/withheldMessage.js";
import { parseLsn } from "../lsn.js";
import { ident, literal, qualified } from "../sql.js";
import { type CanonicalText, canonicalText, type SideType } from "./canonicalText.js";
import { boundSql, cellsSql, type SideSql, showSql } from "./cellSql.js";
import { type DescribedSide, describeSide, withDerived } from "./describeSide.js";

/** What two servers of the family mean differently. */
export interface CompareDialect {
  /** '' is NULL at one of them, so the two are one value. */
  readonly emptyIsNull?: boolean;
  readonly datesDiffer?: boolean;
  /** Types the target lacks are text there, as the load wrote them. */
  readonly keepsTexts?: boolean;
}

export interface ComparedEnds {
  readonly source: PostgresEndpoint;
  readonly target: PostgresEndpoint;
  readonly taskId: string;
  readonly dialect: CompareDialect | undefined;
}

/** Opens connections of its own: what compares must not wait for what loads and streams, nor they for it. */
export function openComparison({ source, target, taskId, dialect = {} }: ComparedEnds, snapshot?: Snapshot): Comparison {
  const sources = new Connections(source, `godwit/${taskId}/source`);
  const targets = new Connections(target, `godwit/${taskId}/target`);
  const reading: { readonly from: Client; readonly to: Client }[] = [];
  return {
    async openLane() {
      const [from, to] = await Promise.all([sources.connect("compare"), targets.connect("compare")]);
      reading.push({ from, to });
      const asked = snapshot ? await sources.connect("compare") : from;
      const versions = [await serverVersion(from), await serverVersion(to)];
      const floatsAsBytes = Math.min(...versions) < 120_000;
      // Floats inside rows and ranges of the user's have no send function that is the same everywhere: the digits that both sides write alike.
      const settings = { ...SETTINGS, ...(floatsAsBytes && !dialect.keepsTexts ? { extra_float_digits: "0" } : {}) };
      for (const client of [from, to]) {
        await setWhereKnown(client, settings);
        // Ends the read of a worker that was killed. Not every platform can look.
        await client.query("SET client_connection_check_interval = '5s'").catch(() => undefined);
      }
      const encodings = await Promise.all([from, to].map(serverEncoding));
      const context = { floatsAsBytes, datesDiffer: dialect.datesDiffer === true };
      const recode = encodings[0] !== encodings[1];
      return lane({ from, to, asked, snapshot, recode, context, dialect });
    },
    async close() {
      const ends = [
        { connections: sources, clients: reading.map(({ from }) => from) },
        { connections: targets, clients: reading.map(({ to }) => to) },
      ];
      await Promise.all(ends.map(({ connections, clients }) => interrupt(connections, clients, taskId)));
      sources.close();
      targets.close();
    },
  };
}

/** One process a statement, no compiler: a comparison is no reason to take a production server's other cores. Policies must never hide rows. */
const SETTINGS = {
  max_parallel_workers_per_gather: "0",
  jit: "off",
  row_security: "off",
};

/** How long a server may take to hear that nobody waits for its answers any more. */
const INTERRUPT_MILLISECONDS = 3000;

/**
 * Cancels what sessions are at. A server before 14 notices only with its answer that the client is gone, and a read of a whole table may take an hour until then.
 * One that does not answer is left to itself.
 */
async function interrupt({ endpoint }: Connections, clients: readonly Client[], taskId: string): Promise<void> {
  const busy = clients.filter(isBusy).map((client) => (client as unknown as { processID: number }).processID);
  if (busy.length === 0) return;
  const cancelled = withConnection(endpoint, { applicationName: `godwit/${taskId}/cancel`, timeoutSeconds: 2 }, (client) =>
    client.query("SELECT pg_catalog.pg_cancel_backend(pid) FROM unnest($1::integer[]) AS p (pid)", [busy]),
  ).catch(() => undefined);
  await Promise.race([cancelled, sleep(INTERRUPT_MILLISECONDS, undefined, { ref: false })]);
}

/** pg keeps to itself whether a statement is running. */
function isBusy(client: Client): boolean {
  return Boolean((client as unknown as { _activeQuery?: unknown })._activeQuery);
}

interface Lane {
  readonly from: Client;
  readonly to: Client;
  /** A session of the source that sees what is there now. */
  readonly asked: Client;
  readonly snapshot: Snapshot | undefined;
  readonly recode: boolean;
  readonly context: { readonly floatsAsBytes: boolean; readonly datesDiffer: boolean };
  readonly dialect: CompareDialect;
}

function lane(opened: Lane): ComparisonLane {
  const { from, to, asked, snapshot } = opened;
  return {
    async open(table, checksums) {
      if (snapshot) {
        const reason = await takeSnapshot(from, asked, snapshot, table);
        if (reason !== undefined) return { notCompared: reason };
      }
      const described = await describeSide(from, table.source);
      const there = described && (await withDerived(from, described, table));
      const here = await describeSide(to, table.target);
      if (!there || !here) throw new Error(`there is no such table at the ${there ? "target" : "source"} now`);
      return tableComparison(opened, table, there, here, checksums);
    },
    position: () => flushedPosition(asked),
  };
}

/** Anew for each table: a statement that failed has ended the transaction. Says why the snapshot does not see the table's rows any more. */
async function takeSnapshot(from: Client, asked: Client, snapshot: Snapshot, table: PlannedTable): Promise<string | undefined> {
  await from.query("ROLLBACK");
  await from.query(
    `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT ${literal(snapshot.id)};
     LOCK TABLE ONLY ${qualified(table.source)} IN ACCESS SHARE MODE`,
  );
  const [then, now] = [await readTableShape(from, table.id), await readTableShape(asked, table.id)];
  return then?.storage === now?.storage ? undefined : "it was rewritten or truncated at the source after its load";
}

/**
 * Everything that was visible when it is asked lies before it. What is visible need not be flushed yet where commits do not wait for the disk
 * (synchronous_commit off): the WAL writer flushes it within three of its rounds. The end of what is inserted may stay unflushed for longer, when
 * nothing that commits comes after it.
 */
async function flushedPosition(client: Client): Promise<bigint> {
  const read = async () => {
    const { rows } = await client.query<{ inserted: string; flushed: string; delay: number }>(
      `SELECT pg_catalog.pg_current_wal_insert_lsn()::text AS inserted, pg_catalog.pg_current_wal_flush_lsn()::text AS flushed,
              (SELECT setting::integer FROM pg_catalog.pg_settings WHERE name = 'wal_writer_delay') AS delay`,
    );
    const [row] = rows;
    if (!row) throw new Error("the server gave no position");
    return { inserted: parseLsn(row.inserted), flushed: parseLsn(row.flushed), delay: row.delay };
  };
  const first = await read();
  const end = Date.now() + 3 * first.delay;
  for (let { flushed } = first; ; { flushed } = await read()) {
    if (flushed >= first.inserted || Date.now() > end) return flushed;
    await sleep(10);
  }
}

/** Rows of a range: what one statement reads, and holds back of VACUUM. */
const RANGE_ROWS = 50_000;
const RANGE_BYTES = 64 * 1024 * 1024;
/** Below it, reading rows by their key means reading most pages of the table over and over. */
const LEAST_CORRELATION = 0.5;
/** A table that the server's memory surely holds may be read in any order. */
const SMALL_BYTES = 256 * 1024 * 1024;

/** Types that both servers order alike, whatever their collations. */
const ORDERED: ReadonlySet<string> = new Set([
  "smallint",
  "integer",
  "bigint",
  "uuid",
  "date",
  "timestamp without time zone",
  "timestamp with time zone",
]);

function tableComparison(
  { from, to, recode, context, dialect, snapshot }: Lane,
  table: PlannedTable,
  there: DescribedSide,
  here: DescribedSide,
  checksums: boolean,
): TableComparison | NotComparable {
  const texts = new Map<string, CanonicalText>();
  const leftOut: string[] = [];
  for (const { source, target } of table.columns) {
    const [type, other] = [there.columns.get(source), here.columns.get(target)];
    if (!type || !other) throw new Error(`column "${type ? target : source}" is not at the ${type ? "target" : "source"} now`);
    const text = canonicalText(type, other, context);
    if (text) texts.set(source, dialect.emptyIsNull ? (column) => `NULLIF(${text(column)}, '')` : text);
    else leftOut.push(source);
  }
  const keyed = table.key.columns.length > 0;
  if (table.key.columns.some((name) => !texts.has(name)))
    return { notCompared: `its key (${table.key.columns.join(", ")}) has no form that reads alike on both servers` };
  const ordered = rangeColumns(table, there, here, context.datesDiffer);
  const measured = there.rows > 0 ? there : here;
  const rowBytes = measured.rows > 0 ? measured.bytes / measured.rows : 1000;
  const rangeRows = Math.round(Math.min(RANGE_ROWS, Math.max(1000, RANGE_BYTES / rowBytes)));
  const ranged = ordered.length > 0 && Math.max(there.rows, here.rows) > rangeRows * 1.5;
  const side = (names: (column: PlannedTable["columns"][number]) => string, described: DescribedSide): SideSql => {
    const isSource = described === there;
    const compared = table.columns.filter(({ source }) => texts.has(source));
    const text = (column: PlannedTable["columns"][number]) =>
      (texts.get(column.source) as CanonicalText)(isSource ? columnSql(column) : ident(names(column)));
    const named = (source: string) => compared.filter((column) => column.source === source);
    return {
      table: `${described.partitioned ? "" : "ONLY "}${qualified(isSource ? table.source : table.target)}`,
      filter: isSource ? table.filter?.condition : undefined,
      columns: compared.map(text),
      key: table.key.columns.flatMap(named).map(text),
      bounds: ordered.flatMap(named).map((column) => ({
        column: ident(names(column)),
        type: (described.columns.get(names(column)) as SideType).base,
      })),
      recode,
      bucketDigits: !ranged && Math.max(there.rows, here.rows) > 1_000_000 ? 4 : 3,
      stamped: isSource && !snapshot,
      checksums,
    };
  };
  const sourceSql = side(({ source }) => source, there);
  const targetSql = side(({ target }) => target, here);
  return {
    columnsLeftOut: leftOut,
    ranged,
    keyed,
    async nextBound(after) {
      if (!ranged) return undefined;
      const { rows } = await from.query<{ bound: string[] }>(boundSql(sourceSql, after, rangeRows));
      return rows[0]?.bound;
    },
    source: hasValues(table) ? withheld(comparedSide(from, sourceSql, table)) : comparedSide(from, sourceSql, table),
    target: comparedSide(to, targetSql, table),
  };
}

/** The leading columns of the key that rows can be cut into ranges by, on both sides and at a fair price; none: it is read in one. */
function rangeColumns(table: PlannedTable, there: DescribedSide, here: DescribedSide, datesDiffer: boolean): string[] {
  const targets = new Map(table.columns.map(({ source, target }) => [source, target]));
  const columns: string[] = [];
  for (const name of table.key.columns) {
    const [type, other] = [there.columns.get(name), here.columns.get(targets.get(name) ?? "")];
    if (!type || !other || type.base !== other.base || !ORDERED.has(type.base)) break;
    if (type.base === "date" && datesDiffer) break;
    columns.push(name);
  }
  const [first] = columns;
  if (first === undefined) return [];
  const readable = (side: DescribedSide, name: string) =>
    side.indexed.has(name) && (side.bytes < SMALL_BYTES || Math.abs(side.correlations.get(name) ?? 0) >= LEAST_CORRELATION);
  return readable(there, first) && readable(here, targets.get(first) ?? "") ? columns : [];
}

function comparedSide(client: Client, sql: SideSql, table: PlannedTable): ComparedSide {
  return {
    async read(request) {
      const { rows } = await client.query<{ cell: string; rows: string; digest: string; stamp?: string }>(cellsSql(sql, request));
      const named = request.level === "rows" && sql.key.length > 0;
      return new Map(
        rows.map(({ cell, rows: count, digest, stamp }) => [
          named ? keyed(cell, table) : cell,
          { rows: Number(count), digest, ...(stamp === undefined ? {} : { stamp }) },
        ]),
      );
    },
    async show(cells, range) {
      if (cells.length === 0) return new Map();
      const names = new Map(cells.map((cell) => [cell.slice(bucketOf(cell).length + 1), cell]));
      const { rows } = await client.query<{ hash: string; text: string }>(showSql(sql, range, [...names.keys()]));
      return new Map(rows.flatMap(({ hash, text }) => (names.has(hash) ? [[names.get(hash) ?? "", text]] : [])));
    },
  };
}

/** A row that an expression fails for: the server's message may quote what is masked. */
function withheld(side: ComparedSide): ComparedSide {
  const quietly = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (cause) {
      if (isConnectionError(cause) || !quotesValues(cause)) throw cause;
      throw new Error(`an expression of \`etl\` fails for a row: ${withheldMessage(cause)}`);
    }
  };
  return { read: (request) => quietly(side.read(request)), show: (cells, range) => quietly(side.show(cells, range)) };
}

/** `3fa:["42", "eu"]` becomes `3fa:id = 42, region = eu`: the same on both sides, by the source's names. */
function keyed(cell: string, { key }: PlannedTable): string {
  const bucket = bucketOf(cell);
  const values = JSON.parse(cell.slice(bucket.length + 1)) as (string | null)[];
  return `${bucket}:${key.columns.map((name, index) => `${name} = ${values[index] ?? "NULL"}`).join(", ")}`;
}
