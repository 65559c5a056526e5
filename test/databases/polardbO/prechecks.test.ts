import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { polardbSource, polardbTarget } from "../../../provider/databases/polardbO/dialect.js";
import { endpointItem, withClusterRemedies } from "../../../provider/databases/polardbO/precheck/clusterItems.js";
import { failoverItem } from "../../../provider/databases/polardbO/precheck/failoverItem.js";
import { polardbPairChecks } from "../../../provider/databases/polardbO/precheck/pairChecks.js";
import { differingTypes, readTypeLengths, withSafeForms } from "../../../provider/databases/polardbO/representation.js";
import { recognize } from "../../../provider/databases/polardbO/traits.js";
import { readCatalog } from "../../../provider/databases/postgres/catalog/readCatalog.js";
import { connect } from "../../../provider/databases/postgres/connection.js";
import type { PlannedTable, PrecheckItem } from "../../../provider/engine/models/plan.js";
import { resolvePlan } from "../../../provider/engine/plan.js";
import type { TaskDefinition } from "../../../provider/engine/taskDefinition.js";
import { type PolardbStandIn, startPolardbStandIn } from "../../support/polardbO/standIn.js";
import { RECORDED } from "./recordedFacts.js";

const DEFINITION: TaskDefinition = {
  taskId: "test",
  migrationTypes: ["schema", "full", "incremental"],
  conflictMode: "precheckAndReport",
  slotName: "godwit_test",
  slotIsForeign: false,
  publicationName: "godwit_test",
  startPosition: undefined,
  environmentTag: undefined,
};

let standIn: PolardbStandIn;
let client: Client;
let tables: readonly PlannedTable[];

beforeAll(async () => {
  standIn = await startPolardbStandIn({ release: "2.0" });
  await standIn.server.createDatabase("checked");
  client = await connect(standIn.endpoint("checked"), { applicationName: "test" });
  await client.query(`
    CREATE TABLE public.item (
      id integer PRIMARY KEY, name text NOT NULL, note varchar(20), code character(4) NOT NULL, level integer, hired date, days date[]);
    INSERT INTO public.item SELECT g, CASE WHEN g % 2 = 0 THEN '' ELSE 'n' END, CASE WHEN g % 5 = 0 THEN '' END, '', g FROM generate_series(1, 20) g;
    CREATE FUNCTION public.watch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER watched BEFORE INSERT ON public.item FOR EACH ROW EXECUTE FUNCTION public.watch()`);
  tables = resolvePlan(await readCatalog(client)).tables.filter(({ source }) => source.schema === "public");
});
afterAll(async () => {
  await client.end();
  await standIn.remove();
});

const item = (items: readonly PrecheckItem[], name: string): PrecheckItem => {
  const found = items.find((each) => each.item === name);
  if (!found) throw new Error(`no item ${name} among ${items.map((each) => each.item).join(", ")}`);
  return found;
};

describe("a PolarDB O source", () => {
  it("is recognised, may capture, and warns of its triggers and of what a failover does to its slot", async () => {
    const items = await polardbSource.precheck(client, tables, DEFINITION);
    expect(item(items, "sourceEdition")).toMatchObject({
      passed: true,
      message: expect.stringContaining("(Compatible with Oracle) 2.0"),
    });
    expect(item(items, "sourceOutputPlugin")).toMatchObject({ passed: true });
    expect(item(items, "sourcePrivilegedAccount")).toMatchObject({ passed: true });
    expect(item(items, "sourceTriggers")).toMatchObject({
      passed: false,
      severity: "warning",
      message: expect.stringContaining("public.item.watched"),
    });
    expect(item(items, "sourceSlotFailover")).toMatchObject({
      passed: false,
      severity: "warning",
      remedy: expect.stringContaining("GW1701"),
    });
    expect(items.filter(({ passed, severity }) => !passed && severity === "error")).toEqual([]);
  });

  it("that is loaded only needs no slot, plugin or failover", async () => {
    const items = await polardbSource.precheck(client, tables, { ...DEFINITION, migrationTypes: ["full"] });
    expect(items.map((each) => each.item)).not.toEqual(expect.arrayContaining(["sourceSlotFailover"]));
    expect(items.map((each) => each.item)).not.toEqual(expect.arrayContaining(["sourceOutputPlugin"]));
  });

  it("says what may be done about each kind of failover", () => {
    const of = (mode: string) =>
      failoverItem(
        recognize({
          ...RECORDED.polardbO1,
          settings: { ...RECORDED.polardbO1.settings, polar_failover_slot_mode: { value: mode, changeable: false } },
        }),
      );
    expect(of("sync")).toMatchObject({ passed: true });
    expect(of("async")).toMatchObject({ passed: true, message: expect.stringContaining("may have been applied already") });
    expect(of("off")).toMatchObject({ passed: false, remedy: expect.stringContaining("polar_failover_slot_mode") });
    expect(failoverItem(recognize(RECORDED.polardbO1With64BitDate))).toMatchObject({
      passed: false,
      remedy: expect.stringContaining("1.1.27"),
    });
  });
});

describe("a PolarDB cluster", () => {
  const failed = (name: string, remedy: string): PrecheckItem => ({
    item: name,
    severity: "error",
    passed: false,
    message: "",
    remedy,
    ignorable: false,
  });
  const remedyOf = (name: string, remedy: string, recorded: keyof typeof RECORDED) =>
    withClusterRemedies([failed(name, remedy)], recognize(RECORDED[recorded]))[0]?.remedy;

  it("is given remedies that its console and privileged account can carry out, PostgreSQL its own", () => {
    const slots = "ALTER SYSTEM SET max_replication_slots = 14, then restart the source";
    expect(remedyOf("sourceReplicationSlots", slots, "polardbO1")).toBe(
      "set max_replication_slots to 14 in the cluster's parameters (console, Parameters), which restarts it",
    );
    expect(remedyOf("sourceReplicationSlots", slots, "postgres14")).toBe(slots);
    expect(remedyOf("sourceWalLevel", "ALTER SYSTEM SET wal_level = 'logical'", "polardbO2")).toMatch(
      /^set wal_level to logical/,
    );
    expect(remedyOf("targetReplicaRole", "GRANT SET ON PARAMETER ...", "polardbO1")).toMatch(
      /privileged account.* as the target/,
    );
    expect(remedyOf("sourceReplicationRight", 'ALTER ROLE "x" REPLICATION', "polardbO1")).toMatch(/ALTER ROLE "x" REPLICATION$/);
    expect(remedyOf("sourceTableKeys", "add a primary key", "polardbO1")).toBe("add a primary key");
  });

  it("is to be reached by its primary endpoint: the cluster endpoint sends statements of one session to several nodes", async () => {
    expect(await endpointItem("sourceEndpoint", client)).toMatchObject({ passed: true });
    let asked = 0;
    // Nobody can start a proxy of PolarDB's here.
    const proxy = { query: async () => ({ rows: [{ node: `10.0.0.${asked++ % 2}/then` }] }) } as unknown as Client;
    expect(await endpointItem("sourceEndpoint", proxy)).toMatchObject({
      passed: false,
      severity: "error",
      remedy: "name the cluster's primary endpoint in hosts",
    });
  });
});

describe("a PolarDB O target", () => {
  it("is not judged by PostgreSQL's versions, and names columns that its applications must quote", async () => {
    const endpoint = standIn.endpoint("checked");
    const items = await polardbTarget.precheck(client, endpoint, tables, DEFINITION);
    expect(items.map((each) => each.item)).not.toContain("targetVersion");
    expect(item(items, "targetEdition")).toMatchObject({ passed: true });
    expect(item(items, "targetReservedNames")).toMatchObject({
      passed: false,
      severity: "warning",
      message: expect.stringContaining("public.item.level"),
    });
  });

  it("that is plain PostgreSQL is an error the user may accept", async () => {
    await standIn.server.createDatabase("plain");
    const plain = await connect(standIn.endpoint("plain"), { applicationName: "test" });
    await plain.query("DELETE FROM sys.setting");
    await plain.query(
      "CREATE OR REPLACE FUNCTION pg_catalog.version() RETURNS text LANGUAGE sql AS $$ SELECT 'PostgreSQL 14' $$",
    );
    const items = await polardbTarget.precheck(plain, standIn.endpoint("plain"), [], DEFINITION);
    await plain.end();
    expect(item(items, "targetEdition")).toMatchObject({ passed: false, ignorable: true, severity: "error" });
  });
});

describe("both ends", () => {
  const oracle = recognize(RECORDED.polardbO2);
  const postgres = recognize(RECORDED.postgres14);
  const base: PrecheckItem[] = [
    {
      item: "encoding",
      severity: "error",
      passed: true,
      message: "the source is LATIN1, the target UTF8",
      remedy: "",
      ignorable: true,
    },
    { item: "timeZone", severity: "warning", passed: false, message: "UTC, PRC", remedy: "set it", ignorable: false },
  ];

  it("must be in one time zone and one character set, unless the user accepts that they are not", async () => {
    const items = await polardbPairChecks(client, { source: oracle, target: oracle }, tables, base);
    expect(item(items, "timeZone")).toMatchObject({ severity: "error", ignorable: true, passed: false });
    expect(item(items, "encoding")).toMatchObject({ passed: false, ignorable: true, remedy: expect.stringContaining("LATIN1") });
    expect(items).toHaveLength(2);
  });

  it("count '' column by column where the target takes it for NULL, with the keys of rows it would refuse", async () => {
    const items = await polardbPairChecks(client, { source: postgres, target: oracle }, tables, base);
    expect(item(items, "emptyStringsNotNull")).toMatchObject({
      passed: false,
      severity: "error",
      ignorable: true,
      message: expect.stringContaining("public.item.name: 10 rows, with key (2), (4), (6), (8), (10) and so on"),
    });
    expect(item(items, "emptyStrings")).toMatchObject({
      passed: false,
      severity: "warning",
      message: expect.stringContaining("public.item.note: 4 rows"),
    });
    expect(items.some(({ message }) => message.includes("code"))).toBe(false);
  });

  it("do not count where '' is the same to both", async () => {
    const off = { ...oracle, emptyStringIsNull: false };
    expect(await polardbPairChecks(client, { source: postgres, target: off }, tables, base)).toHaveLength(2);
  });

  it("send a date as text when it has another length on either side, and all that may be made of it", async () => {
    const catalog = await readCatalog(client);
    const portable = (differ: ReadonlySet<string>) =>
      withSafeForms(
        catalog.tables.filter(({ schema }) => schema === "public"),
        differ,
      ).flatMap(({ columns }) => columns.filter(({ binaryPortable }) => binaryPortable).map(({ name }) => name));
    const lengths = await readTypeLengths(client);
    const plain = { traits: postgres, lengths };
    expect(portable(differingTypes(plain, plain))).toEqual(["id", "name", "note", "code", "level", "hired", "days"]);
    const longDates = { traits: oracle, lengths: new Map([...lengths, ["date", 8]]) };
    expect(portable(differingTypes(plain, longDates))).toEqual(["id", "name", "note", "code", "level"]);
    expect(portable(differingTypes(longDates, plain))).toEqual(["id", "name", "note", "code", "level"]);
    expect([...differingTypes(longDates, longDates)]).toEqual([]);
    const translated = { traits: { ...oracle, date: "translated" as const, dateKept: false }, lengths };
    expect([...differingTypes(plain, translated)]).toEqual(["date"]);
  });
});
