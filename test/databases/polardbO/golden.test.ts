import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readPolardbCatalog } from "../../../provider/databases/polardbO/catalog/readPolardbCatalog.js";
import { forPolardb, type PolardbTarget } from "../../../provider/databases/polardbO/schema/forPolardb.js";
import {
  forPostgres,
  readFunctionNames,
  withoutForeignDefaults,
} from "../../../provider/databases/polardbO/schema/forPostgres.js";
import { readKeywords } from "../../../provider/databases/polardbO/schema/keywords.js";
import { convertDates } from "../../../provider/databases/polardbO/schema/types.js";
import { type PolardbFacts, recognize } from "../../../provider/databases/polardbO/traits.js";
import { readCatalog } from "../../../provider/databases/postgres/catalog/readCatalog.js";
import { connect } from "../../../provider/databases/postgres/connection.js";
import { planSchema, type SchemaPlan } from "../../../provider/databases/postgres/schema/planSchema.js";
import { type PlanOptions, resolvePlan } from "../../../provider/engine/plan.js";
import { type PolardbStandIn, startPolardbStandIn } from "../../support/polardbO/standIn.js";
import { type PostgresServer, startPostgres } from "../../support/postgres.js";
import { RECORDED } from "./recordedFacts.js";

/** Reserved by PolarDB O and not by PostgreSQL ("Keywords"). */
const KEYWORDS = new Set(["level", "minus", "prior", "rownum", "loop", "with", "to", "select"]);

const side = (facts: PolardbFacts, languages: readonly string[] = ["sql", "plpgsql"]): PolardbTarget => ({
  traits: recognize(facts),
  keywords: KEYWORDS,
  languages: new Set(languages),
});

const sqlOf = (plan: SchemaPlan, id: string): readonly string[] => {
  const step = plan.steps.find((found) => found.id === id);
  if (!step) throw new Error(`no step ${id} among ${plan.steps.map((found) => found.id).join(", ")}`);
  return step.sql;
};

/** Statements in this file were written by hand, from the vendor's documents named beside them. */
describe("PostgreSQL to PolarDB O", () => {
  let server: PostgresServer;
  let client: Client;
  beforeAll(async () => {
    server = await startPostgres({ major: 17, settings: { fsync: "off" } });
    client = await connect(server.endpoint(), { applicationName: "test" });
    await client.query(`
      CREATE SCHEMA app;
      CREATE DOMAIN app.birthday AS date CHECK (VALUE > '1900-01-01');
      CREATE TYPE app.span AS (first date, last date);
      CREATE TABLE app.staff (
        id serial PRIMARY KEY, name text NOT NULL DEFAULT '', hired date NOT NULL DEFAULT CURRENT_DATE, born app.birthday,
        leaves date[], seen timestamptz, level integer CHECK (level > 0), "minus" numeric(4,1), kept integer GENERATED ALWAYS AS IDENTITY);
      CREATE INDEX staff_level ON app.staff (level, (hired + 1)) WHERE level > 2;
      CREATE VIEW app.seniors AS SELECT name, level, prior FROM (SELECT name, level, hired AS prior FROM app.staff) s WHERE level > 3;
      CREATE FUNCTION app.rise(level integer) RETURNS integer LANGUAGE plpgsql AS 'BEGIN RETURN level + 1; END';
      CREATE MATERIALIZED VIEW app.spans AS SELECT ROW(hired, hired)::app.span AS span FROM app.staff`);
  });
  afterAll(async () => {
    await client.end();
    await server.remove();
  });

  const planFor = async (facts: PolardbFacts, options: PlanOptions = {}): Promise<SchemaPlan> => {
    const catalog = await readCatalog(client);
    const target = side(facts);
    return planSchema(catalog, resolvePlan(catalog, options), target.traits.major, new Set(), forPolardb(catalog, target));
  };

  it("makes a date a timestamp(0) where the target has no type for a day, and says so ('Date and time types')", async () => {
    const plan = await planFor(RECORDED.polardbO2);
    const [create] = sqlOf(plan, "table:app.staff");
    expect(create).toContain('"hired" timestamp(0) without time zone DEFAULT CURRENT_DATE NOT NULL');
    expect(create).toContain('"leaves" timestamp(0) without time zone[]');
    expect(create).toContain('"born" app.birthday');
    expect(sqlOf(plan, "type:app.birthday")).toEqual([
      `CREATE DOMAIN "app"."birthday" AS timestamp(0) without time zone CONSTRAINT "birthday_check" CHECK ((VALUE > '1900-01-01'::date))`,
    ]);
    expect(sqlOf(plan, "type:app.span")).toEqual([
      'CREATE TYPE "app"."span" AS ("first" timestamp(0) without time zone, "last" timestamp(0) without time zone)',
    ]);
    expect(plan.skipped.filter(({ kind }) => kind === "columnType")).toEqual([
      { kind: "columnType", name: "app.staff.hired", reason: "date is timestamp(0) without time zone on the target" },
      { kind: "columnType", name: "app.staff.leaves", reason: "date[] is timestamp(0) without time zone[] on the target" },
    ]);
  });

  it("leaves a date a date where the session can say so (polar_comp_redwood_date), in the words of PostgreSQL 11", async () => {
    const plan = await planFor(RECORDED.polardbO1);
    const [create] = sqlOf(plan, "table:app.staff");
    expect(create).toContain('"hired" date DEFAULT CURRENT_DATE NOT NULL');
    expect(plan.skipped.filter(({ kind }) => kind === "columnType")).toEqual([]);
  });

  it("quotes names that only the target reserves ('Keywords'), and nothing else", async () => {
    const plan = await planFor(RECORDED.polardbO2);
    expect(sqlOf(plan, "table:app.staff")[0]).toContain('CHECK (("level" > 0))');
    expect(sqlOf(plan, "table:app.staff")[0]).toContain('"seen" timestamp with time zone');
    expect(sqlOf(plan, "index:app.staff_level")[0]).toBe(
      'CREATE INDEX staff_level ON app.staff USING btree ("level", ((hired + 1))) WHERE ("level" > 2)',
    );
    const view = sqlOf(plan, "view:app.seniors")[0];
    expect(view).toContain('SELECT name,\n    "level",\n    "prior"');
    const routine = sqlOf(plan, 'routine:app.rise("level" integer)').join("\n");
    expect(routine).toContain('CREATE OR REPLACE FUNCTION app.rise("level" integer)');
    expect(routine).toContain("BEGIN RETURN level + 1; END");
  });

  it("tells of a NOT NULL column whose default is '', which is NULL there", async () => {
    expect((await planFor(RECORDED.polardbO2)).skipped).toContainEqual(
      expect.objectContaining({ kind: "emptyDefault", name: "app.staff.name" }),
    );
    expect((await planFor(RECORDED.polardbO1With64BitDate)).skipped.filter(({ kind }) => kind === "emptyDefault")).toEqual([]);
  });

  it("keeps serials and identities what they are", async () => {
    const plan = await planFor(RECORDED.polardbO2);
    expect(sqlOf(plan, "sequence:app.staff_id_seq")[0]).toMatch(
      /^CREATE SEQUENCE "app"\."staff_id_seq" AS integer START WITH 1 /,
    );
    expect(sqlOf(plan, "table:app.staff")[0]).toContain(`DEFAULT nextval('app.staff_id_seq'::regclass)`);
    expect(sqlOf(plan, "table:app.staff")[0]).toContain('GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME "app"."staff_kept_seq"');
  });
});

describe("PolarDB O to PolarDB O", () => {
  let standIn: PolardbStandIn;
  let client: Client;
  beforeAll(async () => {
    standIn = await startPolardbStandIn({ release: "2.0" });
    await standIn.server.createDatabase("source");
    client = await connect(standIn.endpoint("source"), { applicationName: "test" });
    await client.query(`
      CREATE SCHEMA hr; CREATE SCHEMA web;
      CREATE TABLE hr.emp (empno number(4) PRIMARY KEY, ename varchar2(10), sal number(7,2), photo blob, cv clob);
      CREATE TABLE hr.left_out (id number);
      CREATE VIEW hr.rich AS SELECT ename FROM hr.emp WHERE sal > 3000`);
    for (const statement of [
      `CREATE OR REPLACE TYPE "hr"."address" AS OBJECT (street varchar2(40), MEMBER FUNCTION line RETURN VARCHAR2);`,
      `CREATE OR REPLACE TYPE BODY "hr"."address" AS MEMBER FUNCTION line RETURN VARCHAR2 IS BEGIN RETURN street; END; END;`,
      `CREATE OR REPLACE PACKAGE "hr"."pay" IS\n  FUNCTION rise(who emp.empno%TYPE) RETURN NUMBER;\nEND pay;`,
      `CREATE OR REPLACE PACKAGE BODY "hr"."pay" IS\n  FUNCTION rise(who emp.empno%TYPE) RETURN NUMBER IS BEGIN audit.note('x'); RETURN 1; END;\nEND pay;`,
      `CREATE OR REPLACE PACKAGE "hr"."audit" IS\n  PROCEDURE note(what VARCHAR2); x pay.t;\nEND audit;`,
      `CREATE OR REPLACE SYNONYM "web"."people" FOR "hr"."emp"`,
      `CREATE OR REPLACE SYNONYM "web"."wages" FOR "hr"."pay"`,
      `CREATE OR REPLACE SYNONYM "public"."nothing" FOR "gone"."away"`,
    ])
      await client.query(statement);
    await client.query(`UPDATE pg_catalog.pg_synonym SET synlink = 'far' WHERE synname = 'far'`);
  });
  afterAll(async () => {
    await client.end();
    await standIn.remove();
  });

  const planFor = async (options: PlanOptions = {}): Promise<SchemaPlan> => {
    const catalog = await readPolardbCatalog(client);
    return planSchema(catalog, resolvePlan(catalog, options), 14, new Set(), forPolardb(catalog, side(RECORDED.polardbO2)));
  };

  it("writes packages as 'CREATE PACKAGE' and 'CREATE PACKAGE BODY' have them, the body last", async () => {
    const plan = await planFor();
    expect(sqlOf(plan, "package:hr.pay")).toEqual([
      'CREATE OR REPLACE PACKAGE "hr"."pay" IS\n  FUNCTION rise(who emp.empno%TYPE) RETURN NUMBER;\nEND pay;',
    ]);
    expect(sqlOf(plan, "packageBody:hr.pay")[0]).toMatch(/^CREATE OR REPLACE PACKAGE BODY "hr"\."pay" IS\n {2}FUNCTION rise/);
    const needs = (id: string) => plan.steps.find((step) => step.id === id)?.dependsOn;
    expect(needs("package:hr.pay")).toEqual(expect.arrayContaining(["schema:hr", "table:hr.emp"]));
    expect(needs("packageBody:hr.pay")).toEqual(expect.arrayContaining(["package:hr.pay", "package:hr.audit", "table:hr.emp"]));
  });

  it("writes synonyms as 'CREATE SYNONYM' has them, after what they stand for; one for nothing as it is", async () => {
    const plan = await planFor();
    expect(sqlOf(plan, "synonym:web.people")).toEqual(['CREATE OR REPLACE SYNONYM "web"."people" FOR "hr"."emp"']);
    expect(sqlOf(plan, "synonym:web.wages")).toEqual(['CREATE OR REPLACE SYNONYM "web"."wages" FOR "hr"."pay"']);
    expect(sqlOf(plan, "synonym:public.nothing")).toEqual(['CREATE OR REPLACE SYNONYM "public"."nothing" FOR "gone"."away"']);
    expect(plan.steps.find(({ id }) => id === "synonym:web.wages")?.dependsOn).toEqual(["schema:web", "package:hr.pay"]);
  });

  it("makes object types with their methods, not the composite types they look like", async () => {
    const plan = await planFor();
    expect(sqlOf(plan, "type:hr.address")).toEqual([
      'CREATE OR REPLACE TYPE "hr"."address" AS OBJECT (street varchar2(40), MEMBER FUNCTION line RETURN VARCHAR2);',
    ]);
    expect(sqlOf(plan, "typeBody:hr.address")[0]).toMatch(/^CREATE OR REPLACE TYPE BODY "hr"\."address" AS MEMBER/);
  });

  it("keeps the types of columns word by word", async () => {
    expect(sqlOf(await planFor(), "table:hr.emp")[0]).toBe(
      'CREATE TABLE "hr"."emp" ("empno" number(4,0) NOT NULL, "ename" varchar2(10), "sal" number(7,2), "photo" blob, "cv" clob)',
    );
  });

  it("follows renames in packages and synonyms where names are qualified", async () => {
    const plan = await planFor({ objects: [{ schema: "hr", rename: "people" }, { schema: "web" }] });
    expect(sqlOf(plan, "synonym:web.people")).toEqual(['CREATE OR REPLACE SYNONYM "web"."people" FOR "people"."emp"']);
    expect(sqlOf(plan, "package:people.pay")[0]).toMatch(/^CREATE OR REPLACE PACKAGE "people"\."pay" IS/);
  });

  it("leaves a synonym behind with what it stands for, and says why", async () => {
    const plan = await planFor({ objects: [{ schema: "web" }] });
    // A package follows what needs it, as a function does; a table does not.
    expect(plan.steps.filter(({ kind }) => kind === "synonym").map(({ name }) => name)).toEqual(["web.wages"]);
    expect(plan.skipped).toContainEqual({
      kind: "synonym",
      name: "web.people",
      reason: "it stands for hr.emp, which is not selected",
    });
  });

  it("picks packages and synonyms by kind", async () => {
    const plan = await planFor({
      objects: [
        { schema: "hr", kinds: ["table", "package"] },
        { schema: "web", kinds: ["table"] },
      ],
    });
    expect(plan.steps.filter(({ kind }) => kind === "package").map(({ id }) => id)).toContain("package:hr.audit");
    expect(plan.steps.some(({ kind }) => kind === "synonym" || kind === "view")).toBe(false);
  });
});

describe("PolarDB O to PostgreSQL", () => {
  let standIn: PolardbStandIn;
  let client: Client;
  beforeAll(async () => {
    standIn = await startPolardbStandIn({ release: "2.0" });
    await standIn.server.createDatabase("source");
    client = await connect(standIn.endpoint("source"), { applicationName: "test" });
    await client.query(`
      CREATE SCHEMA hr;
      CREATE TABLE hr.emp (
        empno number(4) PRIMARY KEY, ename varchar2 DEFAULT 'x'::varchar2, sal number DEFAULT 1.5, photo blob, cv clob,
        hired timestamp(0) DEFAULT sys.sysdate(), tags varchar2(5)[], CHECK (ename <> 'nobody'::varchar2));
      CREATE VIEW hr.names AS SELECT ename::varchar2(5) AS ename FROM hr.emp;
      CREATE VIEW hr.paid AS SELECT sys.nvl(sal, sal) AS sal FROM hr.emp`);
    await client.query('CREATE OR REPLACE PACKAGE "hr"."pay" IS x number; END pay;');
    await client.query('CREATE OR REPLACE SYNONYM "hr"."people" FOR "hr"."emp"');
  });
  afterAll(async () => {
    await client.end();
    await standIn.remove();
  });

  it("writes PostgreSQL's types, and leaves behind what it has no counterpart for", async () => {
    const read = await readPolardbCatalog(client);
    const functions = new Set(["now", "lower"]);
    const target = { languages: new Set(["sql", "plpgsql"]), functions };
    const { catalog, notes } = withoutForeignDefaults(read, target);
    const dates = convertDates(read.traits, recognize(RECORDED.postgres14));
    const plan = planSchema(catalog, resolvePlan(read), 17, new Set(), forPostgres(catalog, target, dates));
    expect(sqlOf(plan, "table:hr.emp")[0]).toBe(
      'CREATE TABLE "hr"."emp" ("empno" numeric(4,0) NOT NULL, "ename" character varying DEFAULT ' +
        '\'x\'::character varying, "sal" numeric DEFAULT 1.5, "photo" bytea, "cv" text, "hired" timestamp(0) without time zone, ' +
        '"tags" character varying(5)[], CONSTRAINT "emp_ename_check" CHECK (((ename)::text <> (\'nobody\'::character varying)::text)))',
    );
    expect(notes.map(({ column, call }) => `${column}: ${call}`)).toEqual(["hired: sys.sysdate"]);
    expect(sqlOf(plan, "view:hr.names")[0]).toContain("::character varying(5)");
    expect(plan.steps.some(({ id }) => id === "view:hr.paid")).toBe(false);
    expect(plan.skipped).toEqual(
      expect.arrayContaining([
        { kind: "view", name: "hr.paid", reason: "it calls sys.nvl, which PostgreSQL does not have" },
        expect.objectContaining({ kind: "package", name: "hr.pay" }),
        expect.objectContaining({ kind: "synonym", name: "hr.people" }),
        { kind: "columnType", name: "hr.emp.photo", reason: "blob is bytea on the target" },
      ]),
    );
  });

  it("asks a target for its words and functions", async () => {
    expect((await readKeywords(client)).has("level")).toBe(true);
    expect((await readFunctionNames(client)).has("lower")).toBe(true);
  });
});
