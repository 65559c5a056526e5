import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { type KafkaCluster, startKafka } from "../../../support/kafka/kafka.js";
import { describeKafka } from "../../../support/kafka/kafkaTests.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";
import { canal, createKafkaTask, discard, type KafkaTask } from "./kafkaTask.js";

describeKafka("a topic of a table whose rows expressions make", () => {
  let source: PostgresServer;
  let kafka: KafkaCluster;
  let task: KafkaTask;
  beforeAll(async () => {
    [source, kafka] = await Promise.all([startPostgres({ major: 17 }), startKafka()]);
  });
  afterAll(() => Promise.all([source?.remove(), kafka?.remove()]));
  afterEach(() => discard(task));

  const TABLE = `
    CREATE TABLE person (id integer PRIMARY KEY, name text, vip boolean, secret text, note text);
    ALTER TABLE person ALTER secret SET STORAGE EXTERNAL;
    INSERT INTO person SELECT g, 'CLEAR' || g, g % 2 = 0, 'CLEAR' || repeat('x', 5000), 'n' FROM generate_series(1, 4) g`;
  const etl = [
    {
      schema: "public",
      table: "person",
      drop: "id IN (4, 40)",
      mask: [
        { column: "name", method: "keep" as const, keepFirst: 1 },
        { column: "secret", method: "md5" as const },
      ],
      derive: [
        { column: "vip", expression: "NOT vip" },
        { column: "size", expression: "length(secret)", type: "integer" },
        { column: "born", expression: "'2001-02-03'::date + id", type: "date" },
      ],
    },
  ];

  it("has masked and derived values in every record, with their types, in old rows too, and no clear text", async () => {
    task = await createKafkaTask(source, kafka);
    await task.sql(TABLE);
    await task.up({ objects: [{ schema: "public" }], kafka: { partitioning: "single" }, etl });
    await task.sql(`
      INSERT INTO person VALUES (11, 'CLEARnew', true, 'CLEARsecret', NULL);
      UPDATE person SET name = 'CLEARother', vip = NULL WHERE id = 11;
      UPDATE person SET note = 'changed' WHERE id = 1;
      UPDATE person SET id = 40 WHERE id = 11;
      DELETE FROM person WHERE id = 2;
      ALTER TABLE person RENAME COLUMN name TO title;
      ALTER TABLE person ADD COLUMN extra integer;
      UPDATE person SET title = 'CLEARlast', extra = 7 WHERE id = 1`);
    await task.level();
    const records = await task.records(`${task.name}.public.person`);
    expect(JSON.stringify(records.map(({ value }) => String(value)))).not.toMatch(/CLEAR/);
    const rows = canal(records).filter(({ isDdl }) => !isDdl);
    const md5 = async (text: string) => (await task.rows<{ m: string }>(`SELECT md5(${text}) AS m`))[0]?.m;
    const long = await md5("'CLEAR' || repeat('x', 5000)");
    const short = await md5("'CLEARsecret'");
    const first = { id: "1", name: "C*****", vip: "true", secret: long, note: "n", size: "5005", born: "2001-02-04" };
    const added = { id: "11", name: "C*******", vip: "false", secret: short, note: null, size: "11", born: "2001-02-14" };
    const other = { ...added, name: "C*********", vip: null };
    const { name: _, ...titled } = first;
    expect(rows.map(({ type, data, old }) => [type, data?.[0], old?.[0]])).toEqual([
      ["INIT", first, undefined],
      ["INIT", { ...first, id: "2", vip: "false", born: "2001-02-05" }, undefined],
      ["INIT", { ...first, id: "3", born: "2001-02-06" }, undefined],
      ["INSERT", added, undefined],
      ["UPDATE", other, { name: "C*******", vip: "false" }],
      ["UPDATE", { ...first, note: "changed" }, { note: "n" }],
      ["DELETE", other, undefined],
      ["DELETE", { ...first, id: "2", vip: "false", born: "2001-02-05" }, undefined],
      ["UPDATE", { ...titled, title: "C********", note: "changed", extra: "7" }, { title: "C*****", extra: null }],
    ]);
    // As consumers see them: of a derived column what its own type says.
    const { sqlType } = JSON.parse(records.find(({ value }) => value?.includes('"INSERT"'))?.value ?? "{}") as {
      sqlType: object;
    };
    expect(sqlType).toMatchObject({ id: 4, name: 2005, size: 4, born: 91 });
    await task.destroy();
    expect(await task.leftovers()).toEqual([]);
  });

  it("refuses to hide what chooses the partition", async () => {
    task = await createKafkaTask(source, kafka);
    await task.sql(TABLE);
    const objects = [{ schema: "public", tables: [{ name: "person", partitionKey: ["name"] }] }];
    await expect(task.up({ objects, etl })).rejects.toThrow(
      /GW1304.*"name" can't be derived or masked, it chooses the partition/,
    );
  });
});
