import { describe, expect, it } from "vitest";
import { canalJson } from "../../../../provider/databases/kafka/formats/canalJson.js";
import { KafkaChangeSink } from "../../../../provider/databases/kafka/route/changeSink.js";
import { streamMark, streamOffset } from "../../../../provider/databases/kafka/route/positions.js";
import { RecordOutput, type StreamMark } from "../../../../provider/databases/kafka/route/recordOutput.js";
import type { PlannedTable } from "../../../../provider/engine/models/plan.js";

const TABLE: PlannedTable = {
  id: 7,
  source: { schema: "public", name: "t" },
  target: { schema: "public", name: "t" },
  columns: [
    {
      source: "id",
      target: "id",
      number: 1,
      type: "integer",
      nullable: false,
      generated: false,
      identity: undefined,
      binaryPortable: true,
    },
  ],
  leftOut: [],
  key: { source: "primaryKey", columns: ["id"] },
  replicaIdentity: { was: "default", needs: "full" },
  streamed: true,
  operations: { insert: true, update: true, delete: true, truncate: true },
  estimatedRows: 0,
  bytes: 0,
};

/** What brokers would hold: records of committed transactions, and the position committed with them. */
class Log {
  readonly committed: string[] = [];
  mark: StreamMark = { position: 0n, commitTimeMs: 0, recordId: 0 };
  commits = 0;
}

/** A worker over that log; what it had not committed is gone with it. */
function worker(log: Log, clock: { ms: number }) {
  const open: string[] = [];
  const writer = {
    append: (_time: number, _key: unknown, value: { bytes: Buffer; start: number; end: number } | undefined) => {
      const record = JSON.parse(value?.bytes.toString("utf8", value.start, value.end) ?? "") as {
        id: number;
        data: { id: string }[];
      };
      open.push(`${record.id}:${record.data[0]?.id}`);
    },
  };
  const sinkOf = { current: undefined as KafkaChangeSink | undefined };
  const output = new RecordOutput({
    producer: { transactionSeconds: 300, partition: () => writer, full: () => undefined, commit: async () => undefined },
    sureBytes: () => 1000,
    async commit(mark) {
      log.committed.push(...open.splice(0));
      // As it lies in the group's metadata.
      log.mark = streamMark(streamOffset(mark, "born"), "born") ?? log.mark;
      log.commits++;
    },
    onDurable: (mark) => sinkOf.current?.durable(mark),
    now: () => clock.ms,
  });
  const sink = new KafkaChangeSink({
    tables: [{ table: TABLE, loadPosition: undefined }],
    shapes: { shapes: new Map([[7, { typeIds: new Map(), primaryKey: ["id"], uniqueKeys: [] }]]), baseTypes: new Map() },
    settings: { format: "canal-json", compression: "none", partitioning: "single", acks: "all", topic: "t" },
    database: "d",
    format: () => canalJson(),
    partitions: new Map([["t", 1]]),
    output,
    throttle: { admit: () => undefined },
    start: log.mark,
    onProgress: () => undefined,
  });
  sinkOf.current = sink;
  sink.table({ id: 7, schema: "public", name: "t", fullIdentity: true, columns: [{ name: "id", partOfKey: true, typeId: 23 }] });
  return { sink, output };
}

function insert(sink: KafkaChangeSink, id: number): void {
  const text = String(id);
  const tuple = Buffer.concat([Buffer.from([0, 1, 0x74, 0, 0, 0, text.length]), Buffer.from(text)]);
  sink.insert(7, tuple, 0, tuple.length);
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("a source transaction that takes too long for one of Kafka's", () => {
  it("is cut, and a worker that begins inside of it writes the rest: every record once, with the same ids", async () => {
    const log = new Log();
    const clock = { ms: 1_000_000 };
    const first = worker(log, clock);
    first.sink.begin(100n, 0);
    for (let id = 1; id <= 3; id++) insert(first.sink, id);
    first.sink.commit(100n, 110n, 0);
    await settled();
    expect(log.mark).toMatchObject({ position: 110n, recordId: 3 });
    first.sink.begin(200n, 0);
    for (let id = 4; id <= 6; id++) insert(first.sink, id);
    first.sink.lull();
    expect(log.commits).toBe(1);
    clock.ms += 200_000;
    first.sink.lull();
    await settled();
    expect(log.mark).toEqual({ position: 110n, commitTimeMs: 0, recordId: 6, inside: { commitPosition: 200n, changes: 3 } });
    // Not committed: it dies with the first worker.
    insert(first.sink, 7);
    first.output.close();

    const second = worker(log, clock);
    expect(second.sink.position).toBe(110n);
    second.sink.begin(200n, 0);
    for (let id = 4; id <= 8; id++) insert(second.sink, id);
    second.sink.commit(200n, 210n, 0);
    second.sink.begin(300n, 0);
    insert(second.sink, 9);
    second.sink.commit(300n, 310n, 0);
    await second.output.drained();
    second.output.close();
    expect(log.mark).toEqual({ position: 310n, commitTimeMs: 0, recordId: 9 });
    expect(second.sink.position).toBe(310n);
    expect(log.committed).toEqual(["1:1", "2:2", "3:3", "4:4", "5:5", "6:6", "7:7", "8:8", "9:9"]);
  });

  it("commits nothing of a transaction that has not ended, however long nothing comes", async () => {
    const log = new Log();
    const clock = { ms: 1_000_000 };
    const { sink, output } = worker(log, clock);
    sink.begin(100n, 0);
    insert(sink, 1);
    clock.ms += 60_000;
    sink.lull();
    await output.drained();
    expect(log.committed).toEqual([]);
    sink.commit(100n, 110n, 0);
    await settled();
    expect(log.committed).toEqual(["1:1"]);
    output.close();
  });
});

describe("positions that nothing was written for", () => {
  it("count as behind once all records are durable, and not before", async () => {
    const log = new Log();
    const clock = { ms: 1_000_000 };
    const { sink, output } = worker(log, clock);
    sink.begin(100n, 0);
    insert(sink, 1);
    sink.commit(100n, 110n, 0);
    sink.idle(500n);
    expect(sink.position).toBe(0n);
    await settled();
    expect(sink.position).toBe(500n);
    // Committed again so that the brokers do not forget the group.
    sink.renew();
    await settled();
    expect(log.mark.position).toBe(500n);
    expect(log.committed).toEqual(["1:1"]);
    output.close();
  });
});
