import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect } from "../../../../provider/databases/postgres/connection.js";
import {
  addTables,
  createPublication,
  dropPublication,
  type PublishedTable,
  readPublication,
  removeTables,
} from "../../../../provider/databases/postgres/replication/publication.js";
import { createSlot, dropSlot, releaseSlot } from "../../../../provider/databases/postgres/replication/slot.js";
import { slotHealth, slotStatus } from "../../../../provider/databases/postgres/replication/slotStatus.js";
import { ErrorCode } from "../../../../provider/engine/errors.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";

describe.each([10, 17] as const)("what a task makes at a source on PostgreSQL %i", (major) => {
  let server: PostgresServer;
  let client: Client;
  const opened: Client[] = [];
  beforeAll(async () => {
    server = await startPostgres({ major });
    client = await open("godwit/one/source/main");
    await server.query(`CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (x int); CREATE TABLE c (x int NOT NULL);
      CREATE UNIQUE INDEX c_x ON c (x); ALTER TABLE c REPLICA IDENTITY USING INDEX c_x; CREATE TABLE d (x int); ALTER TABLE d REPLICA IDENTITY NOTHING;
      CREATE TABLE "E ""q""" (x int)`);
  });
  afterAll(async () => {
    for (const each of opened) await each.end().catch(() => undefined);
    await server?.remove();
  });

  async function open(applicationName: string, replication = false): Promise<Client> {
    const each = await connect(server.endpoint(), { applicationName, replication });
    opened.push(each);
    return each;
  }
  async function table(name: string, needs: "keep" | "full"): Promise<PublishedTable> {
    const { rows } = await server.query<{ id: number }>("SELECT oid::int AS id FROM pg_class WHERE relname = $1", [name]);
    return { id: rows[0]?.id ?? 0, source: { schema: "public", name }, replicaIdentity: { was: "default", needs } };
  }
  async function identities(): Promise<Record<string, string>> {
    const { rows } = await server.query<{ name: string; is: string }>(
      "SELECT relname AS name, relreplident AS is FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'",
    );
    return Object.fromEntries(rows.map((row) => [row.name, row.is]));
  }

  it("sets replica identities, remembers what they were, and puts them back", async () => {
    const before = await identities();
    const full = await Promise.all(["b", "c", "d", 'E "q"'].map((name) => table(name, "full")));
    await createPublication(client, "p", [await table("a", "keep"), ...full]);
    expect(await identities()).toEqual({ a: "d", b: "f", c: "f", d: "f", 'E "q"': "f" });
    await createPublication(client, "p", [await table("a", "keep"), ...full]);
    await removeTables(client, "p", [full[0]?.id ?? 0]);
    expect((await identities()).b).toBe("d");
    await addTables(client, "p", [await table("b", "full")]);
    await server.query("ALTER TABLE c RENAME TO renamed; DROP TABLE d");
    expect(await dropPublication(client, "p")).toBe(true);
    const { c, d, ...rest } = before;
    expect(await identities()).toEqual({ ...rest, renamed: c });
    expect(d).toBe("n");
    expect(await readPublication(client, "p")).toBeUndefined();
    expect(await dropPublication(client, "p")).toBe(false);
  });

  it("waits for a locked table, and publishes it when the lock is gone", async () => {
    const other = await open("application");
    await other.query("BEGIN");
    await other.query("LOCK TABLE public.a");
    const made = createPublication(client, "locked", [await table("a", "full")]);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    await other.query("COMMIT");
    await made;
    expect((await identities()).a).toBe("f");
    await dropPublication(client, "locked");
    expect((await identities()).a).toBe("d");
  });

  it("makes a slot whose snapshot can be read, and drops it while a walsender holds it", async () => {
    const walsender = await open("godwit/one/source/snapshot", true);
    const { consistentPoint, snapshotName } = await createSlot(walsender, "one", "pgoutput");
    const reader = await open("reader");
    await reader.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
    await reader.query(`SET TRANSACTION SNAPSHOT '${snapshotName}'`);
    expect((await reader.query("SELECT count(*)::int AS count FROM public.a")).rows).toEqual([{ count: 0 }]);
    await reader.query("COMMIT");
    await expect(createSlot(await open("second", true), "one", "pgoutput")).rejects.toMatchObject({ code: ErrorCode.SlotExists });
    const status = await slotStatus(client, "one");
    expect(status).toMatchObject({
      state: "ok",
      plugin: "pgoutput",
      databaseName: "postgres",
      confirmedFlushLsn: consistentPoint,
    });
    expect(slotHealth("one", status)).toEqual({ level: "ok" });

    await createPublication(client, "empty", []);
    const holder = await open("someone else", true);
    const held = holder
      .query("START_REPLICATION SLOT one LOGICAL 0/0 (proto_version '1', publication_names 'empty')")
      .catch(() => undefined);
    for (let active = false; !active; ) {
      const seen = await slotStatus(client, "one");
      active = seen.state === "ok" && seen.activePid !== undefined;
    }
    await expect(releaseSlot(client, "one", "godwit/one/")).rejects.toMatchObject({ code: ErrorCode.SlotActive });
    await releaseSlot(client, "one", "someone");
    expect(await dropSlot(client, "one")).toBe(true);
    expect(await dropSlot(client, "one")).toBe(false);
    expect(await slotStatus(client, "one")).toEqual({ state: "missing" });
    holder.end().catch(() => undefined);
    await Promise.race([held, new Promise((resolve) => setTimeout(resolve, 100))]);
  });
});

describe("the health of a slot", () => {
  const ok = {
    state: "ok",
    plugin: "pgoutput",
    databaseName: "d",
    temporary: false,
    failover: undefined,
    activePid: undefined,
    restartLsn: 0n,
    confirmedFlushLsn: 0n,
    walStatus: "reserved",
    retainedBytes: 100 * 1024 * 1024,
    safeBytes: undefined,
  } as const;

  it("is an error when the slot is missing, lost or about to be", () => {
    expect(slotHealth("s", { state: "missing" }).level).toBe("error");
    expect(slotHealth("s", { state: "lost", plugin: "pgoutput", reason: "wal_removed" }).level).toBe("error");
    expect(slotHealth("s", { ...ok, walStatus: "unreserved" }).level).toBe("error");
  });

  it("is a warning above the user's limit, or half-way to the server's", () => {
    expect(slotHealth("s", ok)).toEqual({ level: "ok" });
    expect(slotHealth("s", ok, 99).level).toBe("warning");
    expect(slotHealth("s", ok, 101).level).toBe("ok");
    expect(slotHealth("s", { ...ok, safeBytes: 50 * 1024 * 1024 }).level).toBe("warning");
  });
});
