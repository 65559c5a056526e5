import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { type KafkaCluster, startKafka } from "../../../support/kafka/kafka.js";
import { describeKafka } from "../../../support/kafka/kafkaTests.js";
import { killProcess } from "../../../support/kill.js";
import { listProcesses } from "../../../support/leftovers.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";
import { canal, createKafkaTask, discard, type KafkaTask, type KafkaTaskInputs, startSecondWorker } from "./kafkaTask.js";

const RETRY = { connectionMinutes: 10, otherMinutes: 1 };

describeKafka("what stands in the way of a task that writes to Kafka", () => {
  let source: PostgresServer;
  let kafka: KafkaCluster;
  let task: KafkaTask;
  beforeAll(async () => {
    [source, kafka] = await Promise.all([startPostgres({ major: 15 }), startKafka()]);
  });
  afterAll(() => Promise.all([source?.remove(), kafka?.remove()]));
  afterEach(() => discard(task));

  const fresh = async (given: KafkaTaskInputs = {}) => {
    task = await createKafkaTask(source, kafka, given);
    await task.sql("CREATE TABLE t (id integer PRIMARY KEY, body text); INSERT INTO t VALUES (1, 'one')");
  };

  it("a topic that is not there and not to be made stops the precheck, which changes nothing", async () => {
    await fresh();
    const topic = `${task.name}.public.t`;
    await expect(task.up({ migrationTypes: ["full", "incremental"] })).rejects.toThrow(
      new RegExp(`targetTopics: there is no topic ${topic}.*add "schema" to migrationTypes`, "s"),
    );
    expect(await task.leftovers()).toEqual([]);
    await kafka.createTopic(topic, 2);
    await task.up({ migrationTypes: ["full", "incremental"] });
    expect(await task.records(topic)).toHaveLength(1);
  });

  it("a table that changes while it waits for its load stops a task that follows no structure, and the next up loads it as it is", async () => {
    await fresh({ operations: { ddl: [] }, parallelism: { tables: 1 } });
    await task.sql(
      "CREATE TABLE large (id integer PRIMARY KEY, body text); INSERT INTO large SELECT g, repeat('x', 90) FROM generate_series(1, 3000) g; ANALYZE",
    );
    const up = task.up({ throttle: { full: { rowsPerSecond: 500 } }, retry: RETRY });
    const failed = up.catch(String);
    const loading = "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'godwit/%/copy' AND query LIKE 'COPY%large%'";
    await expect.poll(() => task.rows(loading).catch(() => []), { timeout: 60_000, interval: 20 }).toHaveLength(1);
    await task.sql("ALTER TABLE t ADD COLUMN more integer DEFAULT 7");
    expect(await failed).toMatch(/GW1502.*the table is another at the source than in the task's plan.*public\.t.*run pulumi up/s);
    await task.up({ retry: RETRY });
    await task.sql("INSERT INTO t VALUES (2, 'two', 8)");
    await task.level();
    expect(
      canal(await task.records(`${task.name}.public.t`))
        .map(({ type, data }) => [type, data?.[0]?.more])
        .sort(),
    ).toEqual([
      ["INIT", "7"],
      ["INSERT", "8"],
    ]);
    expect((await task.refresh())?.errors).toEqual([]);
  });

  it("names that Kafka does not take, counts that contradict each other and a replication factor above the brokers' are all told at once", async () => {
    await fresh();
    await task.sql(
      'CREATE TABLE "täble" (id integer PRIMARY KEY); CREATE TABLE a_b (id integer); CREATE TABLE "a.b" (id integer)',
    );
    const failed = await task
      .up({
        objects: [
          {
            schema: "public",
            tables: [
              { name: "t", topic: "shared", partitions: 2 },
              { name: "a_b", topic: "shared", partitions: 3 },
              { name: "täble" },
              { name: "a.b", topic: "sha.red" },
            ],
          },
        ],
        kafka: { createTopics: { partitions: 1, replicationFactor: 3 }, topic: "x_{table}" },
      })
      .catch((cause: Error) => cause.message);
    expect(failed).toMatch(/targetTopicNames: "x_täble": a topic's name takes only letters/);
    expect(failed).toMatch(/targetPartitions: the 2 tables of topic "shared" ask for 2 and 3 partitions/);
    expect(failed).toMatch(/targetTopicCreation: .*replication/i);
    await expect(
      task.up({
        objects: [
          {
            schema: "public",
            tables: [
              { name: "t", topic: "one.two" },
              { name: "a_b", topic: "one_two" },
            ],
          },
        ],
      }),
    ).rejects.toThrow(/targetTopicNames: "one\.two" and "one_two" differ only in \. and _/);
  });

  it("rows, keys and topics that would fail later are told before anything is made", async () => {
    await fresh();
    await task.sql("ALTER TABLE t ALTER body SET STORAGE EXTERNAL; INSERT INTO t VALUES (2, repeat('x', 2000000))");
    await task.sql("CREATE TABLE by_region (id integer PRIMARY KEY, region text)");
    await kafka.createTopic(`${task.name}.public.t`, 1, { "min.insync.replicas": "2" });
    const failed = await task
      .up({
        target: { ...kafka.endpoint(), kafka: { schemaRegistry: { url: "http://127.0.0.1:1" } } },
        objects: [
          {
            schema: "public",
            tables: [{ name: "t" }, { name: "by_region", partitionKey: ["region"], excludeColumns: ["region"] }],
          },
        ],
      })
      .catch((cause: Error) => cause.message);
    expect(failed).toMatch(/targetReplicas: \S+\.public\.t: min\.insync\.replicas is above the number of replicas/);
    expect(failed).toMatch(/targetPartitionKeys: public\.by_region has no column "region" that is copied/);
    const warnings = task.lines.filter((line) => line.startsWith("warning")).join("\n");
    expect(warnings).toMatch(/targetMessageSize: .*public\.t \(20\d{5} bytes in topic .*max\.message\.bytes=/);
    expect(warnings).toMatch(/targetSchemaRegistryUse: .* is of no use to canal-json/);
    expect(warnings).toMatch(/sourceWholeRows: 2 table\(s\) get REPLICA IDENTITY FULL/);
    expect(await task.leftovers()).toEqual([]);
  });

  it("a topic that got more partitions stops the task: keys would go elsewhere", async () => {
    await fresh();
    await task.up({ retry: { connectionMinutes: 10, otherMinutes: 1 } });
    const admin = kafka.internal.admin();
    await admin.connect();
    await admin.createPartitions({ topicPartitions: [{ topic: `${task.name}.public.t`, count: 5 }] });
    await admin.disconnect();
    await killProcess(task.home, "worker");
    const errors = async () => (await task.refresh())?.errors?.map(({ message }) => message).join() ?? "";
    await expect.poll(errors, { timeout: 60_000 }).toMatch(/GW2003: topic .* has 5 partitions, and had 3 when the task began/);
  });

  it("a value that is too large even compressed is named by its row, and goes on once the topic takes it", async () => {
    await fresh();
    await task.up({ retry: RETRY });
    await task.sql("INSERT INTO t VALUES (2, repeat('compresses well ', 200000))");
    await task.sql(
      "INSERT INTO t SELECT 3, string_agg(md5(g::text || random()::text), '') FROM generate_series(1, 60000) g; INSERT INTO t VALUES (4, 'behind')",
    );
    const errors = async () => (await task.refresh())?.errors?.map(({ message }) => message).join() ?? "";
    await expect
      .poll(errors, { timeout: 60_000 })
      .toMatch(
        /GW2004: the record of public\.t \(id = 3\) has 19\d{5} bytes, more than topic .* takes even compressed.*max\.message\.bytes=3145728/,
      );
    const admin = kafka.internal.admin();
    await admin.connect();
    const configEntries = [{ name: "max.message.bytes", value: "3145728" }];
    await admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: `${task.name}.public.t`, configEntries }] });
    await admin.disconnect();
    await task.level();
    const ids = canal(await task.records(`${task.name}.public.t`)).map(({ data }) => data?.[0]?.id);
    expect(ids.sort()).toEqual(["1", "2", "3", "4"]);
  });

  it("no broker is there during up: it says so; the cluster that goes away afterwards is waited for", async () => {
    await fresh();
    const [broker] = kafka.brokers;
    await broker?.kill9();
    await expect(task.up()).rejects.toThrow(/GW1101/);
    await broker?.start();
    await task.up({ retry: RETRY });
    await broker?.kill9();
    await task.sql("INSERT INTO t VALUES (2, 'while it was away')");
    await sleep(2000);
    await broker?.start();
    await task.level(90);
    expect(await task.records(`${task.name}.public.t`)).toHaveLength(2);
  });

  it("tables join a running task and leave it, a pause holds the records back, and a second up changes nothing", async () => {
    await fresh();
    await task.sql("CREATE TABLE more (id integer PRIMARY KEY); INSERT INTO more SELECT generate_series(1, 10)");
    const tables = (...names: string[]) => ({ objects: [{ schema: "public", tables: names.map((name) => ({ name })) }] });
    await task.up(tables("t"));
    await task.sql("INSERT INTO more VALUES (11); INSERT INTO t VALUES (2)");
    await task.up(tables("t", "more"));
    await task.sql("INSERT INTO more VALUES (12); INSERT INTO t VALUES (3)");
    await task.level();
    const ids = async (table: string) =>
      canal(await task.records(`${task.name}.public.${table}`)).map(({ data }) => data?.[0]?.id);
    expect((await ids("more")).map(Number).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    await task.up({ ...tables("t", "more"), desiredState: "paused" });
    await task.sql("INSERT INTO t VALUES (4)");
    await sleep(1000);
    expect((await ids("t")).sort()).toEqual(["1", "2", "3"]);
    await task.up(tables("t"));
    await task.sql("INSERT INTO more VALUES (13); INSERT INTO t VALUES (5)");
    await task.level();
    expect((await ids("t")).sort()).toEqual(["1", "2", "3", "4", "5"]);
    expect(await ids("more")).toHaveLength(12);
  });

  it("a worker that lost its task cannot write any more", async () => {
    await fresh();
    await task.up();
    // The old worker sleeps through its successor's start, with an open connection to every server.
    const stopped = (await listProcesses(task.home)).filter(({ command }) => command.startsWith("godwit worker"));
    expect(stopped).toHaveLength(1);
    for (const { pid } of stopped) process.kill(pid, "SIGSTOP");
    const other = await startSecondWorker(task);
    try {
      await task.sql("INSERT INTO t SELECT g, 'x' FROM generate_series(10, 2000) g");
      await task.level();
      for (const { pid } of stopped) process.kill(pid, "SIGCONT");
      await sleep(1500);
      await task.sql("INSERT INTO t SELECT g, 'y' FROM generate_series(3000, 4000) g");
      await task.level();
      const ids = canal(await task.records(`${task.name}.public.t`)).map(({ data }) => data?.[0]?.id);
      expect(ids).toHaveLength(1 + 1991 + 1001);
      expect(new Set(ids).size).toBe(ids.length);
      await expect.poll(() => task.workerLog(), { timeout: 60_000 }).toMatch(/another worker has the task/);
    } finally {
      await other.stop();
    }
  });
});
