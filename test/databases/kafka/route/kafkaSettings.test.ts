import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { EDGE_TYPES, EDGE_TYPES_SCHEMA } from "../../../route/edgeValues.js";
import { compareDatabases } from "../../../support/compareTables.js";
import { type KafkaCluster, startKafka } from "../../../support/kafka/kafka.js";
import { describeKafka } from "../../../support/kafka/kafkaTests.js";
import type { ReadRecord } from "../../../support/kafka/readTopic.js";
import { startSchemaRegistry } from "../../../support/kafka/schemaRegistry.js";
import { readRecords } from "../../../support/kafkaReaders/readers.js";
import { killProcess } from "../../../support/kill.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";
import { canal, createKafkaTask, discard, type KafkaTask, type KafkaTaskInputs } from "./kafkaTask.js";
import { rawValues } from "./rawValues.js";
import { insertReplayed, replay } from "./replay.js";

const ORDERS = `
  CREATE TABLE orders (id bigint PRIMARY KEY, customer text, region text, body text);
  ALTER TABLE orders ALTER body SET STORAGE EXTERNAL;
  INSERT INTO orders SELECT g, 'c' || g, 'r' || g % 3, repeat('x', 3000) FROM generate_series(1, 30) g`;
const CHANGES = `
  INSERT INTO orders VALUES (100, 'né"w\\', 'r1', NULL);
  UPDATE orders SET customer = 'changed' WHERE id = 1;
  UPDATE orders SET id = 200 WHERE id = 2;
  DELETE FROM orders WHERE id = 3`;

describeKafka("what the kafka settings of a task make of its records", () => {
  let source: PostgresServer;
  let kafka: KafkaCluster;
  let task: KafkaTask;
  beforeAll(async () => {
    [source, kafka] = await Promise.all([startPostgres({ major: 17 }), startKafka()]);
  });
  afterAll(() => Promise.all([source?.remove(), kafka?.remove()]));
  afterEach(() => discard(task));

  const moved = async (settings: NonNullable<KafkaTaskInputs["kafka"]>, more: KafkaTaskInputs = {}) => {
    task = await createKafkaTask(source, kafka, { ...more, kafka: settings });
    await task.sql(ORDERS);
    await task.up();
    await task.sql(CHANGES);
    await task.level();
    return task.records(`${task.name}.public.orders`);
  };

  it.each([
    ["single", "lz4", "all"],
    ["table", "gzip", "all"],
    ["primaryKey", "snappy", "all"],
    ["primaryKey", "none", "leader"],
    ["primaryKey", "lz4", "none"],
  ] as const)(
    "%s partitions, %s, acks %s: a consumer ends with the source's rows, long values untouched among them",
    async (partitioning, compression, acks) => {
      const records = await moved({ partitioning, compression, acks });
      const replayed = replay(records);
      expect(replayed.faults).toEqual([]);
      const rows = await task.rows<{ row: Record<string, string | null> }>(
        "SELECT jsonb_build_object('id', id::text, 'customer', customer, 'region', region, 'body', body) AS row FROM orders",
      );
      const sorted = (list: readonly object[]) => list.map((row) => JSON.stringify(Object.entries(row).sort())).sort();
      expect(sorted(replayed.tables.get("orders") ?? [])).toEqual(sorted(rows.map(({ row }) => row)));
      expect(new Set(records.map(({ partition }) => partition)).size).toBe(partitioning === "primaryKey" ? 3 : 1);
      const warned = task.lines.some((line) => line.includes("targetDelivery"));
      expect(warned).toBe(acks !== "all");
    },
  );

  it("a partition key of its own keeps its values together, and an update of it is a DELETE and an INSERT", async () => {
    task = await createKafkaTask(source, kafka, {
      objects: [{ schema: "public", tables: [{ name: "orders", partitionKey: ["region"], topic: "by-region", partitions: 7 }] }],
    });
    await task.sql(ORDERS);
    await task.up();
    await task.sql("UPDATE orders SET region = 'elsewhere' WHERE id = 5");
    await task.level();
    const records = await task.records("by-region");
    const partitions = new Map<string, Set<number>>();
    for (const [index, { type, data }] of canal(records).entries()) {
      if (type !== "INIT") continue;
      const region = data?.[0]?.region ?? "";
      partitions.set(region, (partitions.get(region) ?? new Set()).add(records[index]?.partition ?? -1));
    }
    expect([...partitions.keys()].sort()).toEqual(["r0", "r1", "r2"]);
    for (const found of partitions.values()) expect(found.size).toBe(1);
    const changes = canal(records).flatMap(({ type, data }, index) =>
      type === "INIT" ? [] : [[type, data?.[0]?.region, data?.[0]?.body?.length, records[index]?.partition] as const],
    );
    expect(changes.map(([type, region, length]) => [type, region, length]).sort()).toEqual([
      ["DELETE", "r2", 3000],
      ["INSERT", "elsewhere", 3000],
    ]);
    expect(new Set(changes.map(([, , , partition]) => partition)).size).toBe(2);
  });

  it("names, excluded columns and operations are the program's, and DDL goes to its own topic", async () => {
    task = await createKafkaTask(source, kafka, {
      capitalization: "upper",
      objects: [
        {
          schema: "public",
          rename: "Shop",
          tables: [{ name: "orders", excludeColumns: ["body"], columns: [{ name: "customer", rename: "Client" }] }],
        },
      ],
      operations: { dml: ["insert", "delete"], ddl: ["alter", "truncate"] },
      kafka: { topic: "{schema}-{table}", ddlTopic: `ddl-{database}` },
    });
    await task.sql(ORDERS);
    await task.up();
    await task.sql(CHANGES);
    await task.sql("ALTER TABLE orders ADD COLUMN more integer DEFAULT 7");
    await task.sql("INSERT INTO orders (id) VALUES (300)");
    await task.sql("CREATE INDEX ON orders (region); TRUNCATE orders");
    await task.level();
    const records = canal(await task.records("Shop-ORDERS")).filter(({ type }) => type !== "INIT");
    expect(records.map(({ type, table, data }) => [type, table, data?.[0]])).toEqual(
      expect.arrayContaining([
        ["INSERT", "ORDERS", { ID: "100", Client: 'né"w\\', REGION: "r1" }],
        ["DELETE", "ORDERS", { ID: "3", Client: "c3", REGION: "r0" }],
        ["INSERT", "ORDERS", { ID: "300", Client: null, REGION: null, MORE: "7" }],
      ]),
    );
    expect(records).toHaveLength(3);
    const ddl = canal(await task.records(`ddl-${task.name}`));
    expect(ddl.map(({ sql }) => sql)).toEqual([
      'ALTER TABLE "Shop"."ORDERS" ADD COLUMN "MORE" integer DEFAULT 7',
      'TRUNCATE TABLE "Shop"."ORDERS"',
    ]);
  });

  it.each(["canal-json", "shareplex-json"] as const)(
    "%s: values of every type come back into PostgreSQL as the same rows, loaded and changed",
    async (format) => {
      task = await createKafkaTask(source, kafka, { kafka: { format } });
      const known = EDGE_TYPES.filter(({ since }) => (since ?? 0) <= 17);
      const columns = known.map(({ type }, at) => `c${at + 1} ${type}`).join(", ");
      const table = `${EDGE_TYPES_SCHEMA}; CREATE TABLE public.every (id integer PRIMARY KEY, ${columns})`;
      await task.sql(table);
      const longest = Math.max(...known.map(({ values }) => values.length));
      const insert = (from: number, key: number) =>
        `INSERT INTO public.every VALUES (${[key, ...known.map(({ values }) => values[from] ?? "NULL")].join(", ")})`;
      for (let row = 0; row < longest; row++) await task.sql(insert(row, row));
      await task.up({ objects: [{ schema: "public" }] });
      for (let row = 0; row < longest; row++) await task.sql(insert(row, 1000 + row));
      await task.sql("UPDATE public.every SET id = id + 5000 WHERE id >= 1000");
      await task.level();
      const records = await task.records(`${task.name}.public.every`);
      const replayed = replay(format === "canal-json" ? records : records.map(asCanal));
      expect(replayed.faults).toEqual([]);
      const copy = `${task.name}_copy`;
      await source.createDatabase(copy);
      await source.query(table, undefined, copy);
      await insertReplayed(source, copy, replayed);
      const compared = await compareDatabases(source.clientConfig(task.name), source.clientConfig(copy), { schemas: ["public"] });
      expect(compared.differences).toEqual([]);
      expect(Number(compared.rows)).toBe(longest * 2);
    },
  );

  it("shareplex-json: loaded and changed rows, and the transaction of each change", async () => {
    const records = await moved({ format: "shareplex-json" });
    const parsed = records.map(({ value }) => JSON.parse(value ?? "") as ShareplexRow);
    const count = (op: string) => parsed.filter(({ meta }) => meta.op === op).length;
    expect(count("ins")).toBeGreaterThanOrEqual(31);
    expect(new Set(parsed.map(({ meta }) => meta.table))).toEqual(new Set(["public.orders"]));
    expect(parsed.filter(({ meta }) => meta.op === "upd").map(({ data }) => data)).toContainEqual({ customer: "changed" });
    const [last] = await task.rows<{ xid: string }>("INSERT INTO orders (id) VALUES (999) RETURNING xmin::text AS xid");
    await task.level();
    const values = (await task.records(`${task.name}.public.orders`)).map(({ value }) => JSON.parse(value ?? "") as ShareplexRow);
    expect(values.find(({ data }) => data.id === "999")?.meta.trans).toBe(last?.xid);
    expect(values.find(({ meta, data }) => meta.op === "ins" && data.id === "1")?.meta.trans).toBe("");
  });

  it("a Schema Registry that is away or wants another password stops a start with its reason, and the task goes on once it is there", async () => {
    const registry = await startSchemaRegistry();
    try {
      const schemaRegistry = { url: await registry.protectedUrl("alice", "right"), username: "alice", password: "right" };
      const target = { ...kafka.endpoint(), kafka: { schemaRegistry } };
      const inputs = { target, kafka: { format: "dts-avro" as const }, retry: { connectionMinutes: 10, otherMinutes: 1 } };
      task = await createKafkaTask(source, kafka, inputs);
      await task.sql(ORDERS);
      const wrong = { ...kafka.endpoint(), kafka: { schemaRegistry: { ...schemaRegistry, password: "wrong" } } };
      await expect(task.up({ target: wrong })).rejects.toThrow(/targetSchemaRegistry: GW1933: .*refused user "alice"/);
      await task.up();
      await registry.kill9();
      await killProcess(task.home, "worker");
      await task.sql(CHANGES);
      const errors = async () => (await task.refresh())?.errors?.map(({ message }) => message).join();
      await expect.poll(errors, { timeout: 60_000 }).toMatch(/GW1931: the Schema Registry answered 502/);
      await registry.start();
      await task.level(90);
      const topic = `${task.name}.public.orders`;
      const { length } = await task.records(topic);
      expect(length).toBeGreaterThanOrEqual(34);
      for (const value of await rawValues(kafka, topic, length)) expect(value[0]).toBe(0);
    } finally {
      await registry.remove();
    }
  }, 180_000);

  it("dts-avro behind the ids of a Schema Registry: Avro's own reader reads every record", async () => {
    const registry = await startSchemaRegistry();
    try {
      const target = { ...kafka.endpoint(), kafka: { schemaRegistry: { url: registry.url } } };
      const records = await moved({ format: "dts-avro" }, { target });
      const topic = `${task.name}.public.orders`;
      const values = await rawValues(kafka, topic, records.length);
      const response = await fetch(`${registry.url}/subjects/${topic}-value/versions/latest`);
      const { id, schema } = (await response.json()) as { id: number; schema: string };
      for (const value of values) expect([value[0], value.readInt32BE(1)]).toEqual([0, id]);
      const folder = await mkdtemp(join(tmpdir(), "godwit-avro-"));
      await writeFile(`${folder}/schema.avsc`, schema);
      const [, ...read] = (await readRecords("AvroRecordReader", [`${folder}/schema.avsc`, "5"], values)) as {
        operation: string;
        objectName: string;
      }[];
      await rm(folder, { recursive: true, force: true });
      expect(read).toHaveLength(records.length);
      expect(new Set(read.map(({ objectName }) => objectName))).toEqual(new Set([topic]));
      expect(new Set(read.map(({ operation }) => operation))).toEqual(new Set(["INSERT", "UPDATE", "DELETE"]));
    } finally {
      await registry.remove();
    }
  });
});

interface ShareplexRow {
  readonly meta: { readonly op: string; readonly table: string; readonly trans: string };
  readonly data: Readonly<Record<string, string | null>>;
  readonly key?: Readonly<Record<string, string | null>>;
}

/** A record of a table with the key `id`, in the form that `replay` reads. */
function asCanal(record: ReadRecord): ReadRecord {
  const { meta, data, key } = JSON.parse(record.value ?? "") as ShareplexRow;
  const type = { ins: "INSERT", upd: "UPDATE", del: "DELETE" }[meta.op];
  const table = meta.table.replace(/^.*\./, "");
  const change = { isDdl: false, type, table, pkNames: ["id"], data: [{ ...key, ...data }], old: key ? [key] : null };
  return { ...record, value: JSON.stringify(change) };
}
