import { parseArgs } from "node:util";
import { CopyTextRows } from "../provider/databases/kafka/formats/copyText.js";
import { formatByName } from "../provider/databases/kafka/formats/formatByName.js";
import { RecordBytes } from "../provider/databases/kafka/formats/recordBytes.js";
import type { FormatTable, SourceFacts } from "../provider/databases/kafka/formats/recordFormat.js";
import { tablePartitioner } from "../provider/databases/kafka/partitioning.js";
import { median } from "./benchmark.js";

/**
 * How many records of a six-column row one core encodes in a second, per format: what is left of the time is the stream's, the
 * compression's and the producer's. An absolute figure, so it has no place among the pairs of bench/run.ts.
 *
 *   tsx bench/kafkaEncode.ts [--json] [--rounds N]
 *
 * Changes are packed tuples, the row whole before and after (REPLICA IDENTITY FULL); `load` begins with the frames of a text copy.
 */
const ROWS = 1000;
const RECORDS = 200_000;
const FORMATS = ["canal-json", "dts-avro", "shareplex-json"] as const;

const TYPES = [
  ["id", 20, "bigint"],
  ["account", 23, "integer"],
  ["amount", 1700, "numeric(12,2)"],
  ["note", 25, "text"],
  ["made", 1184, "timestamp with time zone"],
  ["done", 16, "boolean"],
] as const;

const TABLE: FormatTable = {
  database: "shop",
  schema: "public",
  name: "payments",
  columns: TYPES.map(([name, typeId, type]) => ({ name, typeId, type, partOfKey: true })),
  primaryKey: ["id"],
  uniqueKeys: [],
  oldTuples: "wholeRow",
};

function main(): void {
  const { values } = parseArgs({
    options: { json: { type: "boolean", default: false }, rounds: { type: "string", default: "5" } },
  });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error("--rounds takes a whole number from 1");
  const inputs = changes();
  const works = [
    ...FORMATS.flatMap((name) =>
      ["insert", "update", "load"].map((kind) => work(name, kind as "insert" | "update" | "load", inputs)),
    ),
    partitions(inputs),
  ];
  for (const { name, run } of works) {
    run(); // for the compiler
    const measured = Array.from({ length: rounds }, () => {
      const began = process.hrtime.bigint();
      const bytes = run();
      return { seconds: Number(process.hrtime.bigint() - began) / 1e9, bytes };
    });
    const perSecond = Math.round(RECORDS / median(measured.map(({ seconds }) => seconds)));
    const bytes = Math.round((measured[0]?.bytes ?? 0) / RECORDS);
    if (values.json)
      console.log(JSON.stringify({ name: `kafka-encode ${name}`, perSecond, unit: "records/s", bytesPerRecord: bytes }));
    else
      console.log(
        `${name.padEnd(24)} ${perSecond.toLocaleString("en").padStart(10)} records/s  ${String(bytes).padStart(5)} bytes each`,
      );
  }
}

interface Inputs {
  /** Old and new tuple of each change, and where the new one begins. */
  readonly pairs: readonly { readonly data: Buffer; readonly tuple: number }[];
  /** The same rows as CopyData frames. */
  readonly frames: Buffer;
}

function changes(): Inputs {
  const row = (index: number) => [
    String(1_000_000 + index),
    String((index * 7) % 5000),
    (index * 1.37).toFixed(2),
    `payment number ${index} of the "day"`,
    "2024-05-01 10:20:30.123456+00",
    index % 2 === 0 ? "t" : "f",
  ];
  const rows = Array.from({ length: ROWS + 1 }, (_, index) => row(index));
  const tuples = rows.map(pack);
  return {
    pairs: tuples.slice(1).map((tuple, index) => {
      const older = tuples[index] as Buffer;
      return { data: Buffer.concat([older, tuple]), tuple: older.length };
    }),
    frames: Buffer.concat(rows.slice(1).map(frame)),
  };
}

function pack(values: readonly string[]): Buffer {
  const count = Buffer.of(0, values.length);
  const packed = values.flatMap((value) => {
    const head = Buffer.alloc(5, "t");
    head.writeInt32BE(Buffer.byteLength(value), 1);
    return [head, Buffer.from(value)];
  });
  return Buffer.concat([count, ...packed]);
}

function frame(values: readonly string[]): Buffer {
  const line = Buffer.from(`${values.join("\t")}\n`);
  const head = Buffer.alloc(5, "d");
  head.writeInt32BE(line.length + 4, 1);
  return Buffer.concat([head, line]);
}

interface Work {
  readonly name: string;
  /** Encodes RECORDS records and returns how many bytes they have. */
  run(): number;
}

function work(name: (typeof FORMATS)[number], kind: "insert" | "update" | "load", { pairs, frames }: Inputs): Work {
  const encoder = formatByName(name, { serverVersion: "17.5" }).table(TABLE);
  const out = new RecordBytes(1 << 22);
  const facts: SourceFacts = { commitPosition: 0n, commitTimeMs: 0, transactionId: 0, sequence: 0, recordId: 0, nowMs: 0 };
  let bytes = 0;
  /** A transaction of ten changes, and a batch that is sent off at 3 MB. */
  const next = () => {
    if (facts.recordId++ % 10 === 0) {
      facts.commitPosition += 1000n;
      facts.commitTimeMs += 1;
      facts.transactionId = facts.recordId;
      facts.sequence = 0;
    }
    facts.sequence++;
    if (out.used > 3_000_000) {
      bytes += out.used;
      out.used = 0;
      facts.nowMs = facts.commitTimeMs + 100;
    }
  };
  const rows = new CopyTextRows(
    TYPES.length,
    (data, tuple) => {
      next();
      encoder.load(data, tuple, facts, out);
    },
    TABLE.name,
  );
  return {
    name: `${name} ${kind}`,
    run() {
      Object.assign(facts, {
        commitPosition: 0x16b374d848n,
        commitTimeMs: 1_714_558_830_123,
        recordId: 0,
        nowMs: 1_714_558_830_200,
      });
      bytes = 0;
      out.used = 0;
      for (let passes = RECORDS / ROWS; passes > 0; passes--) {
        if (kind === "load") {
          rows.push(frames);
          continue;
        }
        for (const { data, tuple } of pairs) {
          next();
          if (kind === "insert") encoder.insert(data, tuple, -1, facts, out);
          else encoder.update(data, 0, tuple, facts, out);
        }
      }
      return bytes + out.used;
    },
  };
}

function partitions({ pairs }: Inputs): Work {
  const partitioner = tablePartitioner("primaryKey", TABLE, 12);
  return {
    name: "partition by key",
    run() {
      let sum = 0;
      for (let passes = RECORDS / ROWS; passes > 0; passes--) {
        for (const { data, tuple } of pairs) sum += partitioner.ofRow(data, tuple, 0);
      }
      if (sum === 0) throw new Error("every row in partition 0");
      return 0;
    },
  };
}

main();
