import { tmpdir } from "node:os";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { ChangeSink, Position } from "../../../engine/models/change.js";
import type { OracleConnection } from "../driver.js";
import type { ZeroBytes } from "../redo/literals.js";
import { type DdlChange, Emitter } from "./emitTransaction.js";
import { HandOver } from "./handOver.js";
import { miningError } from "./miningSession.js";
import { positionAt, scnOf } from "./position.js";
import { WindowReader } from "./readWindow.js";
import type { RedoTables } from "./redoTables.js";
import { Emitted, type ResumePoint } from "./resumePoint.js";
import { ResumePoints } from "./resumePoints.js";
import { rowLookup } from "./rowLookup.js";
import { currentScn, SettledScn } from "./settledScn.js";
import { Transactions } from "./transactions.js";
import { UnloggedWatch } from "./unloggedWatch.js";
import { nextWindowSize } from "./windowSize.js";

export interface RedoStreamOptions {
  /** The session that mines: at the root, of a container database. The stream closes it. */
  readonly connection: OracleConnection;
  /** Opens a session where the tables are, for what redo does not hold. Opened when first needed; the stream closes it. */
  readonly connectTables: () => Promise<OracleConnection>;
  readonly tables: RedoTables;
  readonly start: ResumePoint;
  readonly sink: ChangeSink;
  /** Everything before it is durable on the target. */
  readonly durable: () => Position;
  /**
   * Called in order, between the transactions before and after; the stream waits for it. What it changes with `tables.set` holds from then on, and
   * the sink hears of it. TRUNCATE TABLE goes to the sink instead. Default: passed over.
   */
  readonly onDdl?: (change: DdlChange) => Promise<void>;
  /** Something was left out that the user should hear of. */
  readonly onWarning?: (message: string) => void;
  /** The pluggable database whose redo is meant, when the session is at the root. */
  readonly container?: string;
  /** The session mines its own pluggable database: LogMiner adds the logs of a window by itself. Default false. */
  readonly local?: boolean;
  readonly zeroBytes?: ZeroBytes;
  /** Text of the database's character set, for values that redo shows raw. Default UTF-8. */
  readonly decodeText?: (bytes: Buffer) => string;
  readonly limits?: Partial<RedoStreamLimits>;
}

export interface RedoStreamLimits {
  /** Redo of transactions held in memory; the rest goes to files. Default 128 MB. */
  readonly memoryBytes: number;
  /** Where those files are. Default the system's temporary folder. */
  readonly spillDirectory: string;
  /** SCNs of the first window; later ones follow what they bring. Default 20000. */
  readonly windowScns: number;
  /** Whether windows change their size. Default true. */
  readonly adapt: boolean;
  /** Pause when there is no more redo. Default 1000. */
  readonly pollMs: number;
  /** Age at which an SCN counts as complete (`SettledScn`). Default 3000. */
  readonly settleMs: number;
  /** Number of the archive destination whose files are read. Default any local one. */
  readonly archiveDestination: number | undefined;
  /** Attempts at a window whose logs are being switched or archived, with growing pauses from `retryMs`. Default 8 (a minute with 500 ms). */
  readonly attempts: number;
  readonly retryMs: number;
  /** A transaction open for longer is warned of, once. Default one hour. */
  readonly longTransactionMs: number;
  /** Between two looks at whether something was written without redo. Default one minute. */
  readonly unloggedMs: number;
}

const DEFAULT_LIMITS: RedoStreamLimits = {
  memoryBytes: 128 << 20,
  spillDirectory: tmpdir(),
  windowScns: 20_000,
  adapt: true,
  pollMs: 1000,
  settleMs: 3000,
  archiveDestination: undefined,
  attempts: 8,
  retryMs: 500,
  longTransactionMs: 3_600_000,
  unloggedMs: 60_000,
};

export interface RedoStream {
  /** Resolves after `stop`, rejects when the stream breaks. Errors: GW1107, GW1502, GW1722 to GW1727, GW2103, and what the sink throws. */
  readonly done: Promise<void>;
  /** Ends after the transaction that is being handed over; closes both sessions. */
  stop(): Promise<void>;
  /** What a checkpoint at this position has to carry. For positions that the sink got from this stream. */
  resumePoint(position: Position): ResumePoint;
  /** Redo is read up to this SCN. */
  readonly readScn: bigint;
  /** Open transactions, the bytes of memory their redo takes, and when the oldest one's first change was (ms since 1970). */
  readonly open: { readonly transactions: number; readonly bytes: number; readonly oldestMs: number | undefined };
}

/**
 * Reads redo window by window through LogMiner and hands committed transactions to a sink, in the order of commits.
 *
 * Redo of all transactions is mixed, and LogMiner's own sorting (COMMITTED_DATA_ONLY) forgets what spans two windows. So changes are buffered by
 * transaction, and handed over at the end of the window that has the commit. A window is read whole before anything of it is handed over:
 * one whose logs are written over underneath is forgotten and read again.
 */
export function openRedoStream(options: RedoStreamOptions): RedoStream {
  const reading = new RedoReading(options);
  const done = reading.run();
  // Whoever awaits it sees the failure; nobody awaiting yet must not end the process.
  done.catch(() => undefined);
  return {
    done,
    async stop() {
      await reading.stop();
      await done.catch(() => undefined);
    },
    resumePoint: (position) => ({ ...reading.points.at(position), resetlogs: reading.resetlogs }),
    get readScn() {
      return reading.nextScn - 1n;
    },
    get open() {
      return {
        transactions: reading.transactions.openCount,
        bytes: reading.transactions.bytesInMemory,
        oldestMs: reading.oldestMs(),
      };
    },
  };
}

class RedoReading {
  readonly transactions: Transactions;
  readonly points: ResumePoints;
  /** The first SCN that was not read. */
  nextScn: bigint;
  private readonly limits: RedoStreamLimits;
  private readonly reader: WindowReader;
  private readonly handOver: HandOver;
  private readonly emitter: Emitter;
  private readonly settled: SettledScn;
  private readonly unlogged: UnloggedWatch | undefined;
  private readonly stopped = new AbortController();
  private tablesSession: Promise<OracleConnection> | undefined;
  private windowScns: number;
  private warnedOf = 0;
  private readonly warnedOfTransactions = new Set<string>();

  constructor(private readonly options: RedoStreamOptions) {
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.limits = limits;
    this.transactions = new Transactions(limits.memoryBytes, limits.spillDirectory);
    this.points = new ResumePoints(options.start);
    this.nextScn = options.start.restartScn;
    this.reader = new WindowReader({
      connection: options.connection,
      tables: options.tables,
      transactions: this.transactions,
      container: options.container,
      local: options.local ?? false,
      archiveDestination: limits.archiveDestination,
      attempts: limits.attempts,
      retryMs: limits.retryMs,
      signal: this.stopped.signal,
    });
    this.settled = new SettledScn(limits.settleMs);
    this.unlogged =
      options.onWarning &&
      new UnloggedWatch(() => this.tablesConnection(), options.onWarning, scnOf(options.start.position), limits.unloggedMs);
    this.windowScns = limits.windowScns;
    this.emitter = new Emitter({
      tables: options.tables,
      sink: options.sink,
      literals: {
        zeroBytes: options.zeroBytes ?? "remove",
        decodeText: options.decodeText ?? ((bytes) => bytes.toString("utf8")),
      },
      lookup: rowLookup(() => this.tablesConnection()),
      onDdl: options.onDdl ?? (async () => undefined),
      onWarning: (message) => options.onWarning?.(message),
      signal: this.stopped.signal,
    });
    this.handOver = new HandOver(this.emitter, this.points, new Emitted(options.start));
  }

  async run(): Promise<void> {
    const { connection } = this.options;
    try {
      await this.reader.checkHistory(this.options.start);
      this.emitter.announce();
      while (!this.stopped.signal.aborted) if (!(await this.window())) await this.pause();
    } catch (cause) {
      if (!this.stopped.signal.aborted) throw miningError(cause, this.nextScn);
    } finally {
      this.transactions.close();
      await this.reader.end().catch(() => undefined);
      await connection.close();
      const own = await this.tablesSession?.catch(() => undefined);
      await own?.close();
    }
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    await this.options.connection.cancel();
  }

  get resetlogs(): bigint | undefined {
    return this.reader.resetlogs;
  }

  oldestMs(): number | undefined {
    const oldest = this.transactions.oldest();
    const time = oldest && this.reader.timeMs(oldest.firstTime);
    return Number.isNaN(time) ? undefined : time;
  }

  /** Reads the next window and hands over what committed in it. False when there is no redo to read yet. */
  private async window(): Promise<boolean> {
    const { connection, sink, start, durable } = this.options;
    const settled = this.settled.observe(await currentScn(connection), performance.now());
    const from = this.nextScn;
    if (settled === undefined || settled < from) return false;
    const started = performance.now();
    const wanted = from + BigInt(this.windowScns) - 1n;
    const read = await this.reader.read(from, wanted < settled ? wanted : settled);
    if (!read) return false;
    const { toScn, rows } = read;
    const commits = this.transactions.endWindow();
    const oldest = this.transactions.oldest()?.firstScn;
    if (!(await this.handOver.window(commits, oldest, this.stopped.signal))) return false;
    this.nextScn = toScn + 1n;
    const idle = positionAt(this.nextScn);
    // A stream that begins further back than its position has nothing to say until it is there.
    if (idle > start.position) {
      this.points.add({ position: idle, restartScn: oldest ?? this.nextScn, emitted: [] });
      sink.idle(idle);
    }
    sink.lull();
    this.points.forget(durable());
    this.warnOfZeros();
    this.warnOfLongTransactions();
    await this.unlogged?.look(performance.now());
    if (this.limits.adapt) {
      const milliseconds = performance.now() - started;
      this.windowScns = nextWindowSize(this.windowScns, { rows, milliseconds, atEnd: toScn >= settled });
    }
    return true;
  }

  private warnOfZeros(): void {
    const { zeroBytes } = this.emitter.counts;
    if (zeroBytes === this.warnedOf) return;
    this.options.onWarning?.(
      `${zeroBytes} bytes of value 0 were taken out of text since the stream began: PostgreSQL cannot hold them`,
    );
    this.warnedOf = zeroBytes;
  }

  /** None is given up: a distributed transaction may be in doubt for days, and is in no view of Oracle's meanwhile. */
  private warnOfLongTransactions(): void {
    const { onWarning } = this.options;
    if (!onWarning || this.transactions.openCount === 0) return;
    for (const { xid, firstScn } of this.transactions.openFor(this.limits.longTransactionMs)) {
      if (this.warnedOfTransactions.has(xid)) continue;
      this.warnedOfTransactions.add(xid);
      onWarning(
        `transaction ${xid} has been open since SCN ${firstScn}: a restart needs all redo from there on, so archived logs must be kept; ` +
          "end it, or look for it in GV$TRANSACTION and DBA_2PC_PENDING",
      );
    }
  }

  private tablesConnection(): Promise<OracleConnection> {
    this.tablesSession ??= this.options.connectTables();
    return this.tablesSession;
  }

  private async pause(): Promise<void> {
    await sleep(this.limits.pollMs, undefined, { signal: this.stopped.signal }).catch(() => undefined);
  }
}
