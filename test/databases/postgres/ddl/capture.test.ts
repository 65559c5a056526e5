import type { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connect } from "../../../../provider/databases/postgres/connection.js";
import {
  installCapture,
  keptTables,
  releaseCapture,
  tryCapture,
} from "../../../../provider/databases/postgres/ddl/capture/installCapture.js";
import { DDL_TABLE, type DdlEvent, readDdlEvent } from "../../../../provider/databases/postgres/ddl/ddlEvent.js";
import { difference } from "../../../../provider/databases/postgres/ddl/difference.js";
import { decodeMessage } from "../../../../provider/databases/postgres/replication/pgoutput.js";
import { createPublication } from "../../../../provider/databases/postgres/replication/publication.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";

describe.each([10, 14, 18] as const)("what the capture writes into the stream of PostgreSQL %i", (major) => {
  let server: PostgresServer;
  let client: Client;
  let count = 0;
  let name = "";
  beforeAll(async () => {
    server = await startPostgres({ major });
  });
  afterAll(() => server.remove());
  beforeEach(async () => {
    await client?.end();
    name = `capture_${++count}`;
    await server.createDatabase(name);
    await run("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'one'), (2, 'three')");
    client = await connect(server.endpoint(name), { applicationName: "godwit/test" });
    await client.query(`CREATE PUBLICATION ${name} FOR TABLE ONLY public.t`);
    expect(await installCapture(client, { publication: name, objects: undefined, creates: true })).toEqual({ captured: true });
    await client.query("SELECT pg_catalog.pg_create_logical_replication_slot($1, 'pgoutput')", [name]);
  });

  const run = (sql: string) => server.query(sql, [], name);

  /** Events and changes in the stream's order, as short lines; events as they are in `events`. */
  async function stream(): Promise<{ lines: string[]; events: DdlEvent[] }> {
    const { rows } = await server.query<{ data: Buffer }>(
      "SELECT data FROM pg_logical_slot_get_binary_changes($1, NULL, NULL, 'proto_version', '1', 'publication_names', $2)",
      [name, name],
      name,
    );
    const names = new Map<number, string>();
    let carrier = 0;
    const lines: string[] = [];
    const events: DdlEvent[] = [];
    const other = (kind: string, id: number) => void (id !== carrier && lines.push(`${kind} ${names.get(id)}`));
    for (const { data } of rows)
      decodeMessage(data, 0, data.length, {
        table(streamed) {
          if (streamed.schema === DDL_TABLE.schema) carrier = streamed.id;
          else names.set(streamed.id, streamed.name);
        },
        begin: () => undefined,
        insert(id, bytes, tuple) {
          if (id !== carrier) return other("insert", id);
          const event = readDdlEvent(bytes, tuple);
          events.push(event);
          lines.push(event.kind === "change" ? `change ${(event.after ?? event.before)?.name}` : event.kind);
        },
        update: (id) => other("update", id),
        delete: (id) => other("delete", id),
        truncate: (ids) => ids.map((id) => other("truncate", id)),
        commit: () => undefined,
        idle: () => undefined,
        lull: () => undefined,
        full: () => undefined,
      });
    return { lines, events };
  }

  const steps = (events: readonly DdlEvent[]) =>
    events.flatMap((event) => (event.kind === "change" ? difference(event.before, event.after).map(({ kind }) => kind) : []));

  it("stands between the rows before and the rows after, in one transaction", async () => {
    await run("BEGIN; INSERT INTO t VALUES (3, 'x'); ALTER TABLE t RENAME v TO w; INSERT INTO t VALUES (4, 'y'); COMMIT");
    const { lines, events } = await stream();
    expect(lines).toEqual(["insert t", "change t", "insert t"]);
    expect(steps(events)).toEqual(["renameColumn"]);
  });

  it("keeps the command's text when it stood alone, and only then", async () => {
    await run("ALTER TABLE t ADD COLUMN a int ;");
    await run("ALTER TABLE t ADD COLUMN b int; SELECT 1");
    await run("DO $$ BEGIN EXECUTE 'ALTER TABLE t ADD COLUMN c int'; END $$");
    const { events } = await stream();
    expect(events.map((event) => event.kind === "change" && event.command.statement)).toEqual([
      "ALTER TABLE t ADD COLUMN a int",
      undefined,
      undefined,
    ]);
  });

  it("publishes a new table before its first row, and gives one without a key the identity FULL", async () => {
    await run("BEGIN; CREATE TABLE made (x int); INSERT INTO made VALUES (1); UPDATE made SET x = 2; COMMIT");
    expect((await stream()).lines).toEqual(["change made", "insert made", "update made"]);
    await run("ALTER TABLE made ADD PRIMARY KEY (x)");
    expect((await run("SELECT relreplident AS is FROM pg_class WHERE relname = 'made'")).rows).toEqual([{ is: "d" }]);
    await run("ALTER TABLE t DROP CONSTRAINT t_pkey");
    await run("UPDATE t SET v = 'still'");
  });

  it("brings rows that a command wrote itself", async () => {
    await run("CREATE TABLE copied AS SELECT * FROM t");
    expect((await stream()).lines.filter((line) => !line.startsWith("truncate"))).toEqual([
      "empty",
      "change copied",
      "emptied",
      "insert copied",
      "insert copied",
    ]);
    await run("ALTER TABLE t ALTER COLUMN v TYPE int USING length(v)");
    const { lines } = await stream();
    expect(lines.filter((line) => !/^(truncate|delete)/.test(line))).toEqual([
      "empty",
      "change t",
      "emptied",
      "insert t",
      "insert t",
    ]);
    await run("ALTER TABLE t ALTER COLUMN v TYPE bigint");
    expect((await stream()).lines).toEqual(["change t"]);
    await run("ALTER TABLE t ADD COLUMN fixed int DEFAULT 3");
    expect((await stream()).lines).toEqual(["change t"]);
  });

  it("names all that CASCADE reached, dependents first", async () => {
    await run("CREATE TABLE child (id int REFERENCES t); CREATE VIEW seen AS SELECT id FROM t; CREATE INDEX i ON child (id)");
    await stream();
    await run("DROP TABLE t CASCADE");
    const { events } = await stream();
    expect(steps(events).sort()).toEqual(["dropConstraint", "dropTable", "dropView"]);
    expect(steps(events).at(-1)).toBe("dropTable");
  });

  it("leaves temporary tables, extensions and what was rolled back alone", async () => {
    await run("CREATE TEMP TABLE temp (x int); ALTER TABLE temp ADD COLUMN y int; CREATE TABLE temp2 (x int); DROP TABLE temp2");
    await stream();
    await run("CREATE TEMP TABLE temp AS SELECT 1; BEGIN; CREATE TABLE undone (x int); ROLLBACK");
    expect((await stream()).events).toEqual([]);
  });

  it("is in the publication all the time, as are the tables that joined, whoever sets the publication right", async () => {
    await run("CREATE TABLE made (id int PRIMARY KEY)");
    const listed = async () =>
      (await run("SELECT oid, prrelid::regclass::text AS name FROM pg_publication_rel ORDER BY oid")).rows;
    const before = await listed();
    expect(before.map((row) => row.name).sort()).toEqual(["godwit_capture.ddl", "made", "t"]);
    const id = Number((await run("SELECT 't'::regclass::oid AS id")).rows[0]?.id);
    const table = { id, source: { schema: "public", name: "t" }, replicaIdentity: { was: "default", needs: "keep" } } as const;
    await createPublication(client, name, [table], () => keptTables(client, name));
    expect(await listed()).toEqual(before);
  });

  it("is not misled by temporary tables that are called like the catalog's", async () => {
    await run(
      "CREATE TEMP TABLE pg_class (oid oid, relkind text); CREATE TEMP TABLE pg_publication (pubname name); CREATE TABLE made (id int PRIMARY KEY); INSERT INTO made VALUES (1)",
    );
    expect((await stream()).lines).toEqual(["change made", "insert made"]);
  });

  it("is gone with the last task, identities restored", async () => {
    expect(await tryCapture(client)).toEqual({ captured: true });
    await run("CREATE TABLE keyless (x int)");
    await client.query(`DROP PUBLICATION ${name}`);
    await releaseCapture(client, name);
    expect(
      (
        await run(
          "SELECT evtname AS name FROM pg_event_trigger UNION ALL SELECT nspname FROM pg_namespace WHERE nspname LIKE 'godwit%'",
        )
      ).rows,
    ).toEqual([]);
    expect((await run("SELECT relreplident AS is FROM pg_class WHERE relname = 'keyless'")).rows).toEqual([{ is: "d" }]);
    await releaseCapture(client, name);
  });
});
