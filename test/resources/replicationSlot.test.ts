import { Client } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { ReplicationSlotInputs } from "../../provider/contract/types.js";
import { withDefaults } from "../../provider/contract/validate.js";
import { replicationSlot } from "../../provider/resources/replicationSlot.js";
import { InitializationFailed } from "../../provider/resources/resource.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import type { PostgresMajor } from "../support/postgresBinaries.js";
import { recordedLog } from "./recordedLog.js";

function inputs(server: PostgresServer, more: Partial<ReplicationSlotInputs> = {}): ReplicationSlotInputs {
  return withDefaults<ReplicationSlotInputs>("ReplicationSlot", {
    endpoint: server.endpoint(),
    name: "godwit_orders",
    ...more,
  } as ReplicationSlotInputs);
}

async function slots(server: PostgresServer): Promise<Record<string, unknown>[]> {
  const { rows } = await server.query<{ slot: Record<string, unknown> }>(
    "SELECT to_jsonb(s) AS slot FROM pg_replication_slots s ORDER BY slot_name",
  );
  return rows.map(({ slot }) => slot);
}

async function dropAll(server: PostgresServer): Promise<void> {
  await server.query("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots");
}

describe.each<PostgresMajor>([10, 15, 18])("a replication slot on PostgreSQL %i", (major) => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ major, name: "slot" });
  });
  afterAll(() => server?.remove());
  afterEach(() => dropAll(server));

  it("is created, unchanged by a second up, and dropped", async () => {
    const { id, outputs } = await replicationSlot.create(inputs(server), recordedLog());
    expect(id).toBe("godwit_orders");
    expect(outputs.consistentPoint).toMatch(/^[0-9A-F]+\/[0-9A-F]+$/);
    expect(outputs.walStatus).toBe(major >= 13 ? "reserved" : undefined);
    const [slot] = await slots(server);
    expect(slot).toMatchObject({ slot_name: "godwit_orders", plugin: "pgoutput", database: "postgres", active: false });
    expect(slot?.confirmed_flush_lsn).toBe(outputs.consistentPoint);

    expect(replicationSlot.diff(outputs, inputs(server))).toMatchObject({ changes: false, replaces: [] });
    expect(await replicationSlot.read(id, outputs, recordedLog())).toEqual(outputs);
    await replicationSlot.delete(id, outputs, recordedLog());
    expect(await slots(server)).toEqual([]);
    await replicationSlot.delete(id, outputs, recordedLog());
  });

  it("is reported as gone when someone dropped it", async () => {
    const { id, outputs } = await replicationSlot.create(inputs(server), recordedLog());
    await dropAll(server);
    const context = recordedLog();
    expect(await replicationSlot.read(id, outputs, context)).toBeUndefined();
    expect(context.lines.join()).toContain('slot "godwit_orders" is gone');
    await expect(replicationSlot.update(id, outputs, inputs(server), recordedLog())).rejects.toThrow(/GW1701/);
  });

  it("takes over a slot of the same name only when told to, and only the right one", async () => {
    await server.query("SELECT pg_create_logical_replication_slot('godwit_orders', 'pgoutput')");
    await expect(replicationSlot.create(inputs(server), recordedLog())).rejects.toThrow(/GW1702.*adopt: true/s);
    const other = inputs(server, { adopt: true, plugin: "test_decoding" });
    await expect(replicationSlot.create(other, recordedLog())).rejects.toThrow(/GW1702.*has plugin pgoutput/s);
    const { outputs } = await replicationSlot.create(inputs(server, { adopt: true }), recordedLog());
    expect(outputs.consistentPoint).toBe((await slots(server))[0]?.confirmed_flush_lsn);
  });

  it("is dropped while a walsender holds it", async () => {
    const { id, outputs } = await replicationSlot.create(inputs(server, { plugin: "test_decoding" }), recordedLog());
    const { hosts: _hosts, username: user, password, databaseName: database } = server.endpoint();
    const config = { host: server.host, port: server.port, user, password, database, replication: "database" };
    const reader = new Client(config);
    reader.on("error", () => undefined);
    await reader.connect();
    const streaming = reader.query("START_REPLICATION SLOT godwit_orders LOGICAL 0/0").catch((error: unknown) => error);
    await expect.poll(async () => (await slots(server))[0]?.active).toBe(true);
    await replicationSlot.delete(id, outputs, recordedLog());
    expect(await slots(server)).toEqual([]);
    expect(await streaming).toBeInstanceOf(Error);
  });

  it("names the plugin that the server does not have", async () => {
    await expect(replicationSlot.create(inputs(server, { plugin: "wal2nothing" }), recordedLog())).rejects.toThrow(
      /GW1710: the server has no output plugin "wal2nothing"/,
    );
    expect(await slots(server)).toEqual([]);
  });

  it("tells a role what it lacks", async () => {
    await server.query("DROP ROLE IF EXISTS plain");
    // Set by the role itself, so that the secret fits the server's pg_hba.conf on every version.
    await server.query("SET password_encryption = 'scram-sha-256'; CREATE ROLE plain LOGIN PASSWORD 'p'");
    const endpoint = { ...server.endpoint(), username: "plain", password: "p" };
    await expect(replicationSlot.create(inputs(server, { endpoint }), recordedLog())).rejects.toThrow(
      /GW1710: role "plain" may not replicate.*ALTER ROLE "plain" REPLICATION/s,
    );
  });

  if (major >= 11) {
    it("moves forward to advanceTo, and never back", async () => {
      const { id, outputs } = await replicationSlot.create(inputs(server), recordedLog());
      await server.query("CREATE TABLE IF NOT EXISTS t (a int); INSERT INTO t SELECT generate_series(1, 1000)");
      const { rows } = await server.query<{ end: string }>("SELECT pg_current_wal_lsn()::text AS end");
      const end = rows[0]?.end ?? "";
      const news = inputs(server, { advanceTo: end });
      expect(replicationSlot.diff(outputs, news)).toMatchObject({ changes: true, replaces: [] });
      const advanced = await replicationSlot.update(id, outputs, news, recordedLog());
      expect((await slots(server))[0]?.confirmed_flush_lsn).toBe(end);
      expect(advanced.consistentPoint).toBe(outputs.consistentPoint);

      await replicationSlot.update(id, advanced, inputs(server, { advanceTo: "0/1" }), recordedLog());
      expect((await slots(server))[0]?.confirmed_flush_lsn).toBe(end);
    });
  }

  if (major >= 11) {
    it("is saved as partly made when it exists and cannot be advanced", async () => {
      const failed = await replicationSlot.create(inputs(server, { advanceTo: "FFFF/0" }), recordedLog()).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(failed).toBeInstanceOf(InitializationFailed);
      expect(failed).toMatchObject({ id: "godwit_orders", properties: { name: "godwit_orders", plugin: "pgoutput" } });
      expect(String(failed)).toMatch(/GW1001.*beyond the end/s);
      // The next up goes on from there.
      const { id, properties } = failed as InitializationFailed<never>;
      const outputs = await replicationSlot.update(id, properties, inputs(server), recordedLog());
      expect(outputs.consistentPoint).toMatch(/\//);
      expect(await slots(server)).toHaveLength(1);
    });
  }

  if (major < 17) {
    it("refuses failover where the server does not know it", async () => {
      await expect(replicationSlot.create(inputs(server, { failover: true }), recordedLog())).rejects.toThrow(
        /GW1001.*PostgreSQL 17/s,
      );
      expect(await slots(server)).toEqual([]);
    });
  }

  if (major >= 17) {
    it("changes failover in place, and shows it as drift", async () => {
      const { id, outputs } = await replicationSlot.create(inputs(server, { failover: true }), recordedLog());
      expect((await slots(server))[0]?.failover).toBe(true);
      const off = await replicationSlot.update(id, outputs, inputs(server), recordedLog());
      expect((await slots(server))[0]?.failover).toBe(false);
      const found = await replicationSlot.read(id, { ...off, failover: true }, recordedLog());
      expect(found && replicationSlot.diff(found, inputs(server, { failover: true }))).toMatchObject({
        changes: true,
        replaces: [],
      });
    });
  }

  it("is replaced, old one first, only for what the contract says", async () => {
    const { outputs } = await replicationSlot.create(inputs(server), recordedLog());
    const replaced = (more: Partial<ReplicationSlotInputs>) => replicationSlot.diff(outputs, inputs(server, more));
    expect(replaced({ name: "other" })).toEqual({
      changes: true,
      replaces: ["name"],
      deleteBeforeReplace: true,
      details: [{ property: "name", kind: "update", replaces: true }],
    });
    expect(replaced({ plugin: "test_decoding" }).replaces).toEqual(["plugin"]);
    expect(replaced({ endpoint: server.endpoint("other") }).replaces).toEqual(["endpoint"]);
    expect(replaced({ endpoint: { ...server.endpoint(), hosts: ["elsewhere:5432"] } }).replaces).toEqual(["endpoint"]);
    expect(replaced({ endpoint: { ...server.endpoint(), hosts: ["standby:5432", ...server.endpoint().hosts] } })).toMatchObject({
      changes: true,
      replaces: [],
    });
    expect(replaced({ endpoint: { ...server.endpoint(), password: "changed" } })).toMatchObject({ changes: true, replaces: [] });
    expect(replaced({ maxRetainedMegabytes: 10 })).toMatchObject({ changes: true, replaces: [] });
  });
});

describe("a slot that retains WAL", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({
      major: 17,
      name: "slot-wal",
      settings: { max_slot_wal_keep_size: "32MB", min_wal_size: "32MB", max_wal_size: "48MB" },
    });
    await server.query("CREATE TABLE filler (a text)");
  });
  afterAll(() => server?.remove());

  const write = async (megabytes: number) => {
    for (let written = 0; written < megabytes; written++) {
      await server.query("INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, 1000)");
    }
    await server.query("CHECKPOINT");
  };

  it("warns above maxRetainedMegabytes, and is an error with a remedy once it is lost", async () => {
    const { id, outputs } = await replicationSlot.create(inputs(server, { maxRetainedMegabytes: 1 }), recordedLog());
    await write(5);
    const context = recordedLog();
    expect(await replicationSlot.read(id, outputs, context)).toBeDefined();
    expect(context.lines.join()).toMatch(
      /warning: slot godwit_orders holds back \d+ MB of WAL, above maxRetainedMegabytes \(1\)/,
    );

    await write(80);
    await expect(replicationSlot.read(id, outputs, recordedLog())).rejects.toThrow(/GW1703.*Remedy: .*pg_drop_replication_slot/s);
    await expect(replicationSlot.update(id, outputs, inputs(server), recordedLog())).rejects.toThrow(/GW1703/);
    await replicationSlot.delete(id, outputs, recordedLog());
    expect(await slots(server)).toEqual([]);
  });
});

describe("a server that allows no slots", () => {
  it("is named with the setting that mends it", async () => {
    const server = await startPostgres({
      major: 16,
      name: "slot-none",
      settings: { wal_level: "replica", max_replication_slots: "1" },
    });
    try {
      await expect(replicationSlot.create(inputs(server), recordedLog())).rejects.toThrow(
        /GW1710.*wal_level is replica.*ALTER SYSTEM/s,
      );
      await server.query("ALTER SYSTEM SET wal_level = logical");
      await server.stop();
      await server.start();
      await server.query("SELECT pg_create_physical_replication_slot('taken')");
      await expect(replicationSlot.create(inputs(server), recordedLog())).rejects.toThrow(/GW1710: all 1 replication slots/);
    } finally {
      await server.remove();
    }
  });
});
