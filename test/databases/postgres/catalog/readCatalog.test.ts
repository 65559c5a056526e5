import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCatalog } from "../../../../provider/databases/postgres/catalog/readCatalog.js";
import { connect } from "../../../../provider/databases/postgres/connection.js";
import type { CatalogTable } from "../../../../provider/engine/models/catalog.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";
import { fixture } from "../schema/fixture.js";
import { freshDatabase } from "../schema/roundTrip.js";

const PORTABLE = [
  "int2",
  "int4",
  "int8",
  "float4",
  "float8",
  "numeric(1000,3)",
  "money",
  "bool",
  '"char"',
  "name",
  "text",
  "varchar(3)",
  "bpchar",
  "bytea",
  "date",
  "time",
  "timetz",
  "timestamp",
  "timestamptz",
  "interval",
  "bit(3)",
  "varbit",
  "inet",
  "cidr",
  "macaddr",
  "macaddr8",
  "uuid",
  "json",
  "jsonb",
  "xml",
  "tsvector",
  "tsquery",
  "point",
  "line",
  "lseg",
  "box",
  "path",
  "polygon",
  "circle",
  "oid",
  "xid",
  "pg_lsn",
  "txid_snapshot",
  "int4range",
  "tstzrange",
  "int4[]",
  "text[][]",
  "int4range[]",
  "app.mood",
  "app.of_mood",
  "app.of_ints",
  "app.floats",
  "app.simple",
];
const NOT_PORTABLE = [
  "regclass",
  "regproc",
  "regtype",
  "aclitem",
  "regclass[]",
  "aclitem[]",
  "app.mood[]",
  "app.simple[]",
  "app.mixed",
  "app.nested",
  "app.with_regclass",
  "app.keyed",
  "app.of_moods",
];

const TYPES = [
  "CREATE SCHEMA app",
  "CREATE TYPE app.mood AS ENUM ('a', 'b')",
  "CREATE DOMAIN app.of_mood AS app.mood",
  "CREATE DOMAIN app.of_moods AS app.mood[]",
  "CREATE DOMAIN app.of_ints AS int4[]",
  "CREATE TYPE app.floats AS RANGE (SUBTYPE = float8)",
  "CREATE TYPE app.simple AS (a int, b text[])",
  "CREATE TYPE app.mixed AS (a int, m app.mood)",
  "CREATE TYPE app.nested AS (s app.simple)",
  "CREATE TYPE app.with_regclass AS (r regclass)",
  "CREATE TABLE app.keyed (m app.mood)",
];

for (const major of [10, 18] as const) {
  describe(`the catalog of PostgreSQL ${major}`, () => {
    let server: PostgresServer;
    let client: Client;
    beforeAll(async () => {
      server = await startPostgres({ major, settings: { fsync: "off" } });
    });
    afterAll(() => server.remove());

    const tables = async (statements: readonly string[]): Promise<Map<string, CatalogTable>> => {
      client = await freshDatabase(server, statements);
      const catalog = await readCatalog(client);
      await client.end();
      return new Map(catalog.tables.map((table) => [table.name, table]));
    };

    it("knows which types have a binary form that another server understands", async () => {
      const column = (type: string, index: number): string => `c${index} ${type}`;
      const later = major >= 18 ? ["int4multirange", "app.floats_multirange", "jsonpath", "xid8"] : [];
      const table = await tables([
        ...TYPES,
        ...(major >= 11 ? ["CREATE DOMAIN app.of_mixed AS app.mixed"] : []),
        `CREATE TABLE app.good (${[...PORTABLE, ...later].map(column).join(", ")})`,
        `CREATE TABLE app.bad (${[...NOT_PORTABLE, ...(major >= 11 ? ["app.of_mixed", "app.of_mood[]"] : [])].map(column).join(", ")})`,
      ]);
      const wrong = (name: string, portable: boolean): string[] =>
        table
          .get(name)
          ?.columns.filter(({ binaryPortable }) => binaryPortable !== portable)
          .map(({ type }) => type) ?? ["no table"];
      expect(wrong("good", true)).toEqual([]);
      expect(wrong("bad", false)).toEqual([]);
    });

    it("finds the key that changes carry", async () => {
      const found = await tables([
        "CREATE TABLE public.plain (a int, b int, PRIMARY KEY (b, a))",
        "CREATE TABLE public.none (a int NOT NULL UNIQUE)",
        "CREATE TABLE public.by_index (a int PRIMARY KEY, b int NOT NULL, c text NOT NULL, UNIQUE (c, b))",
        "ALTER TABLE public.by_index REPLICA IDENTITY USING INDEX by_index_c_b_key",
        "CREATE TABLE public.nothing (a int PRIMARY KEY)",
        "ALTER TABLE public.nothing REPLICA IDENTITY NOTHING",
        "CREATE TABLE public.whole (a int PRIMARY KEY)",
        "ALTER TABLE public.whole REPLICA IDENTITY FULL",
        "CREATE TABLE public.later (a int PRIMARY KEY DEFERRABLE)",
      ]);
      const facts = [...found.values()].map(({ name, key, replicaIdentity, keyPublished }) => [
        name,
        key.source,
        key.columns,
        replicaIdentity,
        keyPublished,
      ]);
      expect(facts).toEqual([
        ["plain", "primaryKey", ["b", "a"], "default", true],
        ["none", "none", [], "default", true],
        ["by_index", "uniqueIndex", ["c", "b"], "index", true],
        ["nothing", "primaryKey", ["a"], "nothing", false],
        ["whole", "primaryKey", ["a"], "full", true],
        ["later", "primaryKey", ["a"], "default", false],
      ]);
    });

    it("leaves out what is the system's, an extension's, a session's or Godwit's own", async () => {
      client = await freshDatabase(server, [
        "CREATE SCHEMA godwit",
        "CREATE TABLE godwit.task (id int)",
        "CREATE TEMPORARY TABLE here_only (a int)",
        "CREATE EXTENSION hstore SCHEMA public",
        "CREATE TABLE public.uses (h public.hstore, hs public.hstore[])",
      ]);
      const catalog = await readCatalog(client);
      expect(catalog.tables.map(({ schema, name }) => `${schema}.${name}`)).toEqual(["public.uses"]);
      expect(catalog.objects.filter(({ kind }) => kind !== "table")).toEqual([
        { kind: "extension", schema: "public", name: "hstore" },
      ]);
      expect(catalog.tables[0]?.columns.map(({ binaryPortable }) => binaryPortable)).toEqual([false, false]);
      const uses = catalog.dependencies.get(`pg_class/${catalog.tables[0]?.id}`)?.map(({ on }) => on);
      expect(uses).toEqual([catalog.extensions[0]?.key, catalog.extensions[0]?.key]);
      await client.end();
    });

    it("is whole while other sessions make and drop objects", async () => {
      const reader = await freshDatabase(server, [
        "CREATE TABLE public.stays (a int)",
        "CREATE VIEW public.looks AS SELECT a FROM public.stays",
      ]);
      const { rows } = await reader.query<{ name: string }>("SELECT current_database() AS name");
      const other = await connect(server.endpoint(rows[0]?.name), { applicationName: "godwit/test" });
      let going = true;
      const churn = async (): Promise<void> => {
        while (going) {
          await other.query(
            "CREATE TABLE public.x (a serial PRIMARY KEY, CHECK (a > 0)); CREATE VIEW public.v AS SELECT a FROM public.x",
          );
          await other.query("DROP VIEW public.v; DROP TABLE public.x");
        }
      };
      const churning = churn();
      for (let round = 0; round < 20; round += 1) {
        const { tables, relations } = await readCatalog(reader);
        expect(tables.some(({ name }) => name === "stays")).toBe(true);
        expect(relations.filter(({ kind }) => kind === "view").every(({ query }) => query?.includes("SELECT"))).toBe(true);
      }
      going = false;
      await churning;
      await reader.end();
      await other.end();
    });

    it("can be read by a role that may only connect", async () => {
      const owner = await freshDatabase(server, fixture(major));
      // PostgreSQL 10 would store an MD5 hash, which scram does not take.
      await owner.query("SET password_encryption = 'scram-sha-256'");
      await owner.query("CREATE ROLE reader LOGIN PASSWORD 'only-for-this-test'");
      const { rows } = await owner.query<{ name: string }>("SELECT current_database() AS name");
      const endpoint = { ...server.endpoint(rows[0]?.name), username: "reader", password: "only-for-this-test" };
      const reader = await connect(endpoint, { applicationName: "godwit/test" });
      const [seen, whole] = [await readCatalog(reader), await readCatalog(owner)];
      expect(seen).toEqual(whole);
      await reader.end();
      await owner.end();
    });

    it("names what cannot move, with the reason", async () => {
      client = await freshDatabase(server, [
        "CREATE TABLE public.t (a int)",
        "ALTER TABLE public.t ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY mine ON public.t USING (a = 1)",
        "CREATE PUBLICATION out FOR TABLE public.t",
        "CREATE FUNCTION public.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "CREATE EVENT TRIGGER ddl ON ddl_command_end EXECUTE PROCEDURE public.on_ddl()",
        "CREATE FOREIGN DATA WRAPPER nowhere",
        "CREATE SERVER far FOREIGN DATA WRAPPER nowhere",
        "CREATE FOREIGN TABLE public.remote (a int) SERVER far",
        "CREATE TEXT SEARCH CONFIGURATION public.words (COPY = pg_catalog.simple)",
        "SELECT lo_create(0)",
        "GRANT SELECT ON public.t TO PUBLIC",
        ...(major < 12 ? ["CREATE TABLE public.oids (a int) WITH OIDS"] : []),
      ]);
      const catalog = await readCatalog(client);
      expect(catalog.unsupported.map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual(
        [
          "eventTrigger ddl",
          "foreignDataWrapper nowhere",
          "foreignServer far",
          "foreignTable remote",
          "largeObjects 1 large objects",
          "policy mine on t",
          "privileges 1 objects with grants",
          "publication out",
          "rowSecurity t",
          ...(major < 12 ? ["tableOption oids"] : []),
          "textSearchConfiguration words",
        ].sort(),
      );
      expect(catalog.unsupported.every(({ reason }) => reason.length > 20)).toBe(true);
      await client.query("DROP EVENT TRIGGER ddl");
      await client.end();
    });
  });
}
