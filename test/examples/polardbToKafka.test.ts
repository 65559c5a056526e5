import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type KafkaCluster, startKafka } from "../support/kafka/kafka.js";
import { describeKafka } from "../support/kafka/kafkaTests.js";
import { listLeftovers, listLocalLeftovers } from "../support/leftovers.js";
import { type PolardbStandIn, startPolardbStandIn } from "../support/polardbO/standIn.js";
import { createProgram, type PulumiProgram } from "../support/pulumi.js";
import { REPOSITORY } from "../support/pulumiProject.js";

const EXAMPLE = join(REPOSITORY, "examples/polardb-to-kafka");

describeKafka("examples/polardb-to-kafka, on a stand-in for PolarDB O 1.0 and a real broker", () => {
  let source: PolardbStandIn;
  let kafka: KafkaCluster;
  let program: PulumiProgram;
  beforeAll(async () => {
    [source, kafka] = await Promise.all([startPolardbStandIn({ release: "1.0" }), startKafka()]);
    await source.server.createDatabase("shop");
    // Past the proxy PolarDB O's words mean PostgreSQL's types: a date has a time of day there.
    const client = new Client({ ...source.server.clientConfig("shop"), port: source.proxy.port });
    await client.connect();
    for (const statement of [
      `CREATE SCHEMA shop;
       CREATE TABLE shop.customer (id number(10) PRIMARY KEY, name varchar2(30) NOT NULL, since date);
       CREATE TABLE shop.orders (id number(10) PRIMARY KEY, customer_id number(10) NOT NULL, total number(12,2));`,
      "INSERT INTO shop.customer SELECT g::numeric, ('c' || g)::varchar, '2024-02-29 12:30:00' FROM generate_series(1, 20) g",
      "INSERT INTO shop.orders SELECT g::numeric, (g % 20 + 1)::numeric, (g / 4.0)::numeric FROM generate_series(1, 100) g",
    ]) {
      await client.query(statement);
    }
    await client.end();
    const files: Record<string, string> = {};
    for (const file of ["index.ts", "Pulumi.yaml", "package.json", "tsconfig.json"]) {
      files[file] = await readFile(join(EXAMPLE, file), "utf8");
    }
    program = await createProgram({ files });
    await program.config.set("sourceHosts", JSON.stringify([`127.0.0.1:${source.proxy.port}`]));
    await program.config.set("sourceUsername", source.server.username);
    await program.config.set("sourcePassword", source.server.password, { secret: true });
    await program.config.set("sourceDatabase", "shop");
    await program.config.set("brokers", JSON.stringify(kafka.hosts));
  });
  afterAll(() => Promise.all([program?.remove(), source?.remove(), kafka?.remove()]));

  it("has rows, changes and DDL printed by its consumer, changes nothing the second time, and leaves only topics", async () => {
    expect((await program.up()).changes).toEqual({ create: 4 });
    expect(await program.outputs()).toMatchObject({ state: "running" });
    const consumer = startConsumer(kafka.hosts, ["shop.shop.customer", "orders-by-customer", "shop.ddl"]);
    try {
      const printed = (type: string) => consumer.lines.filter((line) => line.split(" ")[1] === type);
      await expect.poll(() => printed("INIT").length, { timeout: 60_000 }).toBe(120);
      expect(printed("INIT")).toContainEqual(
        expect.stringMatching(
          /^shop\.shop\.customer\/\d INIT shop\.customer \{"id":"7","name":"c7","since":"2024-02-29 12:30:00"\}$/,
        ),
      );
      await source.server.query(
        `UPDATE shop.orders SET total = 99.5 WHERE id = 1::numeric; DELETE FROM shop.customer WHERE id = 20::numeric;
         INSERT INTO shop.customer VALUES (21::numeric, 'née', NULL)`,
        undefined,
        "shop",
      );
      await source.server.query("ALTER TABLE shop.customer ADD COLUMN note text", undefined, "shop");
      await expect.poll(() => printed("DDL").length, { timeout: 60_000 }).toBe(1);
      await expect.poll(() => printed("DELETE").length + printed("INSERT").length, { timeout: 60_000 }).toBe(2);
      expect(printed("UPDATE")).toEqual([
        expect.stringMatching(/^orders-by-customer\/\d UPDATE shop\.orders .*"total":"99\.50?".* was \{"total":"0\.25"\}$/),
      ]);
      expect(printed("INSERT")).toEqual([expect.stringContaining('{"id":"21","name":"née","since":null}')]);
      expect(printed("DDL")).toEqual([expect.stringMatching(/^shop\.ddl\/\d DDL shop\.customer ALTER TABLE shop\.customer ADD/)]);
    } finally {
      await consumer.stop();
    }
    expect((await program.up()).changes).toEqual({ same: 4 });
    expect((await program.refresh()).changes).toEqual({ same: 4 });
    expect((await program.destroy()).changes).toEqual({ delete: 4 });
    const left = [...(await listLeftovers(source.server)), ...(await listLocalLeftovers(program.godwitHome))];
    expect(left.filter(({ name }) => !name.startsWith("stand_in"))).toEqual([]);
    const admin = kafka.internal.admin();
    await admin.connect();
    const { groups } = await admin.listGroups();
    const topics = await admin.listTopics();
    await admin.disconnect();
    expect(groups.map(({ groupId }) => groupId).filter((name) => name.startsWith("godwit"))).toEqual([]);
    expect(topics).toEqual(expect.arrayContaining(["shop.shop.customer", "orders-by-customer", "shop.ddl"]));
  }, 400_000);
});

/** The example's own, out of the repository's folder: its packages are ours. */
function startConsumer(hosts: readonly string[], topics: readonly string[]) {
  const loader = join(REPOSITORY, "node_modules/tsx/dist/loader.mjs");
  const child = spawn(process.execPath, ["--import", loader, join(EXAMPLE, "consumer.ts"), hosts.join(","), ...topics], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: string[] = [];
  let rest = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const whole = (rest + text).split("\n");
    rest = whole.pop() ?? "";
    lines.push(...whole);
  });
  const ended = new Promise<void>((settle) => child.once("exit", () => settle()));
  return {
    lines,
    async stop() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
