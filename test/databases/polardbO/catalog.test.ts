import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readPolardbCatalog } from "../../../provider/databases/polardbO/catalog/readPolardbCatalog.js";
import { connect } from "../../../provider/databases/postgres/connection.js";
import { type PolardbStandIn, startPolardbStandIn } from "../../support/polardbO/standIn.js";

let standIn: PolardbStandIn;
beforeAll(async () => {
  standIn = await startPolardbStandIn({ release: "2.0" });
});
afterAll(() => standIn.remove());

const STATEMENTS = [
  "CREATE SCHEMA hr; CREATE TABLE hr.emp (id number(4) PRIMARY KEY, name varchar2(9)); CREATE INDEX polar_rowid_emp ON hr.emp (name)",
  'CREATE OR REPLACE PACKAGE "hr"."pay" IS\n  x number;\nEND pay;',
  'CREATE OR REPLACE PACKAGE BODY "hr"."pay" IS\n  y number;\nEND pay;',
  'CREATE OR REPLACE TYPE "hr"."place" AS OBJECT (street varchar2(9));',
  'CREATE OR REPLACE SYNONYM "public"."people" FOR "hr"."emp"',
];

async function opened(name: string): Promise<Client> {
  await standIn.server.createDatabase(name);
  const client = await connect(standIn.endpoint(name), { applicationName: "test" });
  for (const statement of STATEMENTS) await client.query(statement);
  return client;
}

describe("the catalog of a PolarDB O database", () => {
  it("has the user's packages, synonyms and types, and nothing of the server's own", async () => {
    const client = await opened("own");
    const catalog = await readPolardbCatalog(client);
    await client.end();
    expect(catalog.schemas).toEqual(["public", "hr"]);
    expect([...catalog.relations, ...catalog.routines, ...catalog.types].filter(({ schema }) => schema === "sys")).toEqual([]);
    expect(catalog.casts).toEqual([]);
    expect(catalog.indexes.map(({ name }) => name)).toEqual(["emp_pkey"]);
    expect(catalog.packages).toMatchObject([{ schema: "hr", name: "pay", body: expect.stringContaining("y number") }]);
    expect(catalog.synonyms).toEqual([{ schema: "public", name: "people", of: { schema: "hr", name: "emp" }, link: undefined }]);
    expect(catalog.sourcedTypes).toMatchObject([
      { schema: "hr", name: "place", specification: expect.stringContaining("street") },
    ]);
    expect(catalog.objects.filter(({ kind, name }) => kind === "type" && name === "place")).toHaveLength(1);
    expect(catalog.objects).toEqual(
      expect.arrayContaining([
        { kind: "package", schema: "hr", name: "pay" },
        { kind: "synonym", schema: "public", name: "people" },
      ]),
    );
  });

  it("is the same where only Oracle's own views show it, in capitals and with owners for schemas", async () => {
    const client = await opened("views");
    const before = await readPolardbCatalog(client);
    await client.query(`
      ALTER VIEW sys.all_source RENAME TO hidden_source;
      CREATE VIEW sys.all_source AS
        SELECT upper(schema_name) AS owner, upper(name) AS name, type, line, text || E'\\n' AS text FROM sys.hidden_source;
      CREATE VIEW sys.all_synonyms AS
        SELECT 'PUBLIC'::text AS owner, upper(synname) AS synonym_name, upper(synobjschema) AS table_owner, upper(synobjname) AS table_name,
               synlink AS db_link FROM pg_catalog.pg_synonym;
      CREATE TABLE sys.hidden_synonym AS SELECT * FROM pg_catalog.pg_synonym`);
    await client.query("ALTER TABLE pg_catalog.pg_synonym RENAME TO pg_hidden_synonym");
    const after = await readPolardbCatalog(client);
    await client.end();
    expect(after.traits).toMatchObject({ synonymView: "sys.all_synonyms" });
    expect(after.packages.map(({ schema, name }) => [schema, name])).toEqual([["hr", "pay"]]);
    expect(after.packages[0]?.specification.trim()).toBe(before.packages[0]?.specification.trim());
    expect(after.synonyms).toEqual(before.synonyms);
    expect(after.sourcedTypes.map(({ key }) => key)).toEqual(before.sourcedTypes.map(({ key }) => key));
  });

  it("says of a type whose text the server does not show that it stays behind", async () => {
    const client = await opened("unread");
    await client.query("CREATE TYPE hr.names AS ENUM ('a')");
    // A collection, as the real server marks one.
    await client.query("UPDATE pg_catalog.pg_type SET typtype = 'a' WHERE typname = 'names'");
    const catalog = await readPolardbCatalog(client);
    await client.end();
    expect(catalog.unsupported).toContainEqual(expect.objectContaining({ kind: "type", schema: "hr", name: "names" }));
    expect([...catalog.immovable.values()]).toContain("type hr.names");
  });
});
