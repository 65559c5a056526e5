import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { positionAt } from "../../../../provider/databases/oracle/logMiner/position.js";
import {
  openRedoStream,
  type RedoStream,
  type RedoStreamOptions,
} from "../../../../provider/databases/oracle/logMiner/redoStream.js";
import { RedoTables } from "../../../../provider/databases/oracle/logMiner/redoTables.js";
import {
  decodeResumePoint,
  encodeResumePoint,
  type ResumePoint,
} from "../../../../provider/databases/oracle/logMiner/resumePoint.js";
import type { EmulatedTable, OracleEmulator } from "../../../support/oracle/emulator.js";
import { OracleEmulator as Emulator } from "../../../support/oracle/emulator.js";
import { oracleDriver } from "../../../support/oracle/emulatorDriver.js";
import { Interrupted, ModelSink } from "../../../support/oracle/modelSink.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";
import { TABLES } from "./randomScript.js";

export interface Flow {
  readonly emulator: OracleEmulator;
  readonly endpoint: ReturnType<typeof Emulator.endpoint>;
  readonly tables: RedoTables;
  readonly open: (sink: ModelSink, start: ResumePoint, options?: Partial<RedoStreamOptions>) => Promise<RedoStream>;
}

/** From the first SCN on. */
export const BEGINNING: ResumePoint = { position: positionAt(1000n), restartScn: 1000n, emitted: [] };

export async function createFlow(
  server: PostgresServer,
  database: string,
  tables: readonly EmulatedTable[],
  options: { readonly threads?: number } = {},
): Promise<Flow> {
  const emulator = await Emulator.create(server, database, options);
  for (const table of tables) emulator.createTable(table);
  await emulator.flush();
  const endpoint = Emulator.endpoint(server, database);
  const connect = () => oracleDriver.connect(endpoint, { applicationName: "test" });
  const redoTables = new RedoTables(tables);
  return {
    emulator,
    endpoint,
    tables: redoTables,
    open: async (sink, start, more = {}) =>
      openRedoStream({
        connection: await connect(),
        connectTables: connect,
        tables: redoTables,
        start,
        sink,
        durable: () => sink.position,
        ...more,
        limits: { pollMs: 5, settleMs: 0, retryMs: 2, attempts: 4, adapt: false, ...more.limits },
      }),
  };
}

/** Gives each test of a suite an emulated database of its own, with two redo threads, and a sink; all on one server. */
export function withFlows(name: string, begin: (flow: Flow, sink: ModelSink, server: PostgresServer) => void): void {
  let server: PostgresServer;
  let flow: Flow;
  let count = 0;
  beforeAll(async () => {
    server = await startPostgres({ major: 17, name: "oracle", settings: { fsync: "off" } });
  });
  afterAll(() => server.remove());
  beforeEach(async () => {
    flow = await createFlow(server, `${name}_${++count}`, TABLES, { threads: 2 });
    begin(flow, new ModelSink(), server);
  });
  afterEach(() => flow.emulator.close());
}

/** Streams until everything scripted so far is done; a stream that the sink interrupts begins again where the sink stands. */
export async function followToEnd(
  flow: Flow,
  sink: ModelSink,
  start: ResumePoint,
  options: () => Partial<RedoStreamOptions> = () => ({}),
): Promise<{ readonly streams: number; readonly resume: ResumePoint }> {
  await flow.emulator.flush();
  const end = positionAt(flow.emulator.scn + 1n);
  let resume = start;
  for (let streams = 1; ; streams++) {
    sink.restart();
    const stream = await flow.open(sink, resume, options());
    const reached = sink.reached(end);
    try {
      await Promise.race([reached, stream.done]);
      return { streams, resume: checkpointed(stream, sink) };
    } catch (cause) {
      if (!(cause instanceof Interrupted)) throw cause;
      resume = checkpointed(stream, sink);
    } finally {
      await stream.stop();
    }
  }
}

/** What a checkpoint keeps of it, read back. */
function checkpointed(stream: RedoStream, sink: ModelSink): ResumePoint {
  const point = stream.resumePoint(sink.position);
  return decodeResumePoint(point.position, encodeResumePoint(point));
}

/** Rows of the source as the sink shows them, sorted. */
export function expectedRows(emulator: OracleEmulator, table: EmulatedTable): string[] {
  return [...emulator.committed(table).values()]
    .map((row) => JSON.stringify(table.columns.map(({ name }) => row[name] ?? null)))
    .sort();
}

export function sinkRows(sink: ModelSink, table: EmulatedTable): string[] {
  return sink
    .rows(table.id)
    .map((row) => JSON.stringify(row))
    .sort();
}

/** Every table's rows at the sink are the source's. */
export function expectEqual(sink: ModelSink, emulator: OracleEmulator, tables: readonly EmulatedTable[]): void {
  for (const table of tables) expect(sinkRows(sink, table), table.name).toEqual(expectedRows(emulator, table));
}

/** Windows of ten SCNs: what a scenario scripts spans many. */
export const small = { limits: { windowScns: 10, pollMs: 5, settleMs: 0, retryMs: 2, attempts: 4, adapt: false } };

/** What a stream ends with. */
export async function failure(stream: RedoStream): Promise<string | undefined> {
  try {
    await stream.done;
    return undefined;
  } catch (cause) {
    return String(cause);
  } finally {
    await stream.stop();
  }
}
