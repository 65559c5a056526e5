import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { openProducer } from "../../../../provider/databases/kafka/client/producer.js";
import { type KafkaCluster, startKafka } from "../../../support/kafka/kafka.js";
import { describeKafka } from "../../../support/kafka/kafkaTests.js";
import { killProcess } from "../../../support/kill.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";
import { canal, createKafkaTask, discard, type KafkaTask } from "./kafkaTask.js";

const IDENTITIES =
  "SELECT relname::text AS name, relreplident AS identity FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1";

describeKafka("what is left in Kafka of what a task had there", () => {
  let source: PostgresServer;
  let kafka: KafkaCluster;
  let task: KafkaTask;
  beforeAll(async () => {
    [source, kafka] = await Promise.all([startPostgres({ major: 17 }), startKafka()]);
  });
  afterAll(() => Promise.all([source?.remove(), kafka?.remove()]));
  afterEach(() => discard(task));

  const fresh = async () => {
    task = await createKafkaTask(source, kafka);
    await task.sql(`CREATE TABLE t (id integer PRIMARY KEY, body text); INSERT INTO t VALUES (1, 'one');
      CREATE TABLE more (id integer PRIMARY KEY); INSERT INTO more VALUES (1), (2)`);
  };
  const only = (...names: string[]) => ({ objects: [{ schema: "public", tables: names.map((name) => ({ name })) }] });
  const loaded = async (table: string) =>
    canal(await task.records(`${task.name}.public.${table}`))
      .filter(({ type }) => type === "INIT")
      .map(({ data }) => Number(data?.[0]?.id))
      .sort((a, b) => a - b);

  it("a destroy puts back what the task changed at the source, and leaves only topics", async () => {
    await fresh();
    await task.sql(
      "ALTER TABLE more REPLICA IDENTITY NOTHING; CREATE TABLE kept (id integer); ALTER TABLE kept REPLICA IDENTITY FULL",
    );
    const before = await task.rows(IDENTITIES);
    await task.up({ ignorePrechecks: ["sourceReplicaIdentity"] });
    expect(new Set((await task.rows<{ identity: string }>(IDENTITIES)).map(({ identity }) => identity))).toEqual(new Set(["f"]));
    await task.destroy();
    expect(await task.rows(IDENTITIES)).toEqual(before);
    await task.sql("DROP TABLE more, kept");
    expect(await task.leftovers()).toEqual([]);
    expect(await loaded("t")).toEqual([1]);
  });

  it("a cluster that is gone does not keep the task for ever: the source is cleaned, and the groups are named", async () => {
    await fresh();
    await task.up();
    const taskId = task.outputs?.taskId ?? "";
    const [broker] = kafka.brokers;
    await broker?.kill9();
    await task.sql("INSERT INTO t VALUES (2, 'nobody takes it')");
    try {
      const began = Date.now();
      await task.destroy();
      expect(Date.now() - began).toBeLessThan(60_000);
    } finally {
      await broker?.start();
    }
    const told = task.lines.filter((line) => line.startsWith("warning") && line.includes(`godwit_${taskId}*`));
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(
      /consumer groups .* may be left .*GW1101.*offsets\.retention\.minutes.*kafka-consumer-groups\.sh --delete/s,
    );
    const left = await task.leftovers();
    expect(left.every(({ kind, name }) => kind === "consumer group" && name.startsWith(`godwit_${taskId}`))).toBe(true);
    expect(left.length).toBeGreaterThan(0);
    const admin = kafka.internal.admin();
    await admin.connect();
    await admin.deleteGroups(left.map(({ name }) => name));
    await admin.disconnect();
  });

  it("a source database that is gone does not keep the task: its groups go from the cluster", async () => {
    await fresh();
    await task.up();
    const slot = task.outputs?.slotName ?? "";
    await source.query("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active");
    const drop = () => source.query(`SELECT pg_drop_replication_slot('${slot}')`).then(() => "dropped", String);
    await expect.poll(drop, { timeout: 60_000, interval: 5 }).toBe("dropped");
    await source.query(`DROP DATABASE ${task.name} WITH (FORCE)`);
    await task.destroy();
    expect(await task.leftovers()).toEqual([]);
  });

  it("a task of the same name goes by its own position, not by one that an earlier task left in the cluster", async () => {
    await fresh();
    await task.up();
    const taskId = task.outputs?.taskId ?? "";
    const topic = `${task.name}.public.t`;
    const groupId = `godwit_${taskId}`;
    await task.destroy();
    // What a task on a server with a longer log would have left there: taken for this one's it would pass over all that comes.
    const producer = await openProducer(kafka.endpoint(), {
      clientId: "test",
      transactionalId: "earlier",
      acks: "all",
      compression: "none",
    });
    await producer.prepare([{ name: topic }]);
    for (const [group, metadata] of [
      [groupId, { task: "1", record: 99, time: 1 }],
      [
        `${groupId}_load_0`,
        {
          task: "1",
          table: Number((await task.rows<{ id: string }>("SELECT 't'::regclass::oid::text AS id"))[0]?.id),
          rows: 1,
          bytes: 1,
        },
      ],
    ] as const) {
      // The first of the task's topics, by name: where a task keeps its positions.
      for (const name of [topic, `${task.name}.public.more`])
        await producer.commit({
          groupId: group,
          topic: name,
          partition: 0,
          offset: 1n << 60n,
          metadata: JSON.stringify(metadata),
        });
    }
    producer.close();
    await task.up();
    await task.sql("INSERT INTO t VALUES (2, 'behind')");
    await task.level();
    const values = canal(await task.records(topic)).map(({ type, data }) => `${type} ${data?.[0]?.id}`);
    expect(values.sort()).toEqual(["INIT 1", "INIT 1", "INSERT 2"]);
    await task.destroy();
    expect(await task.leftovers()).toEqual([]);
  });

  it("a table that left the task and comes back is loaded anew, and its topic may have gone meanwhile", async () => {
    await fresh();
    await task.up(only("t", "more"));
    expect(await loaded("more")).toEqual([1, 2]);
    await task.up(only("t"));
    await task.sql("INSERT INTO more VALUES (3); INSERT INTO t VALUES (2, 'two')");
    const admin = kafka.internal.admin();
    await admin.connect();
    await admin.deleteTopics({ topics: [`${task.name}.public.more`] });
    await admin.disconnect();
    await killProcess(task.home, "worker");
    await task.sql("INSERT INTO t VALUES (3, 'three')");
    await task.level();
    expect(
      canal(await task.records(`${task.name}.public.t`))
        .map(({ data }) => data?.[0]?.id)
        .sort(),
    ).toEqual(["1", "2", "3"]);
    await kafka.createTopic(`${task.name}.public.more`, 3);
    await task.up(only("t", "more"));
    await task.sql("INSERT INTO more VALUES (4)");
    await task.level();
    expect(await loaded("more")).toEqual([1, 2, 3]);
    expect(await task.records(`${task.name}.public.more`)).toHaveLength(4);
  });

  it("a pause longer than brokers keep a group's offsets: the task goes on from the store's copy, with nothing twice", async () => {
    await fresh();
    await task.up();
    await task.sql("INSERT INTO t SELECT g, 'before' FROM generate_series(10, 19) g");
    await task.level();
    await task.up({ desiredState: "paused" });
    const admin = kafka.internal.admin();
    await admin.connect();
    // As after offsets.retention.minutes.
    await admin.deleteGroups([`godwit_${task.outputs?.taskId}`]);
    await admin.disconnect();
    await task.sql("INSERT INTO t VALUES (20, 'meanwhile')");
    await task.up();
    await task.level();
    const ids = canal(await task.records(`${task.name}.public.t`)).map(({ data }) => Number(data?.[0]?.id));
    expect(ids.sort((a, b) => a - b)).toEqual([1, ...Array.from({ length: 11 }, (_, n) => n + 10)]);
  });
});
