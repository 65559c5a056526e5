import { describe, expect, it } from "vitest";
import { segmentedDdl } from "../../../provider/databases/analyticdb/ddl/segmentedDdl.js";
import type { Change } from "../../../provider/databases/postgres/ddl/difference.js";
import type { EmitContext, EmitTable, StepPlace } from "../../../provider/databases/postgres/ddl/emit/ddlDialect.js";
import { tableStatements } from "../../../provider/databases/postgres/ddl/emit/tableStatements.js";
import type {
  ColumnStructure,
  ConstraintStructure,
  IndexStructure,
  TableStructure,
} from "../../../provider/databases/postgres/ddl/structure.js";
import {
  column as plainColumn,
  constraint as plainConstraint,
  index as plainIndex,
  table as plainTable,
} from "../postgres/ddl/structures.js";

/**
 * Checked by hand against Greenplum 6's and 7's ALTER TABLE ("SET DISTRIBUTED BY", "cannot alter type of a column used in a distribution policy"), CREATE INDEX
 * and CREATE TABLE ("UNIQUE and PRIMARY KEY ... must include all the columns of the distribution key"; foreign keys accepted, not enforced; 6: WITH (appendonly=..),
 * no INCLUDE, no GENERATED). None was run on the real product.
 */
const same = (sql: string): string => sql;
const column = (number: number, name: string, type = "integer", more: Partial<ColumnStructure> = {}): ColumnStructure =>
  plainColumn(number, name, { type, ...more });
const constraint = (
  name: string,
  kind: ConstraintStructure["kind"],
  columns: number[],
  definition: string,
): ConstraintStructure =>
  plainConstraint(1, name, { kind, columns, definition, referenced: kind === "f" ? { schema: "s", name: "other" } : null });
const index = (name: string, columns: number[], definition: string): IndexStructure =>
  plainIndex(2, name, { columns, definition });
const structure = (more: Partial<TableStructure> = {}): TableStructure =>
  plainTable({
    schema: "s",
    columns: [column(1, "id"), column(2, "code", "text"), column(3, "n")],
    distributed: ["id"],
    ...more,
  });
const table = (source = structure()): EmitTable => {
  const name = (number: number) => source.columns.find((each) => each.number === number)?.name;
  const place = { schema: source.schema, name: source.name };
  return { source, from: place, to: place, columnBefore: name, columnAfter: name, empty: false, hasParent: () => false };
};
const context = (version: number): EmitContext => ({
  dialect: segmentedDdl(version),
  sql: { definition: same, onTable: same, foreignKey: same, query: same, routine: same },
  relation: (source) => source,
  schema: same,
});
const on = (now: TableStructure, referenced?: StepPlace["referenced"]): StepPlace => ({
  table: table(),
  now,
  ...(referenced ? { referenced } : {}),
});
const SIX = 90426;
const SEVEN = 120012;
const outcome = (version: number, change: Change, place = on(structure())) => {
  const { dialect } = context(version);
  const refused = dialect.refuses(change) ?? dialect.refusesOn?.(change, place);
  if (refused !== undefined) return refused;
  return dialect.tableStep?.(change, place, context(version)) ?? tableStatements(change, place.table, context(version));
};

describe.each([SIX, SEVEN])("changes of structure on a kernel of PostgreSQL %i", (version) => {
  it("makes a key that holds the distribution key, and says why another is not made", () => {
    expect(outcome(version, { kind: "addConstraint", constraint: constraint("k", "p", [1, 3], "PRIMARY KEY (id, n)") })).toEqual([
      'ALTER TABLE "s"."t" ADD CONSTRAINT "k" PRIMARY KEY (id, n)',
    ]);
    expect(outcome(version, { kind: "addConstraint", constraint: constraint("k", "u", [3], "UNIQUE (n)") })).toMatch(
      /^key k does not hold the distribution key \(id\): no segment sees all rows of a value; ALTER TABLE/,
    );
    const unique = index("i", [3], "CREATE UNIQUE INDEX i ON s.t USING btree (n)");
    expect(outcome(version, { kind: "createIndex", index: unique }, on(structure({ distributed: [] })))).toMatch(
      /rows lie at random/,
    );
    expect(outcome(version, { kind: "createIndex", index: unique }, on(structure({ distributed: null })))).toEqual([
      unique.definition,
    ]);
    const deferrable = { ...constraint("k", "u", [1], "UNIQUE (id) DEFERRABLE"), deferrable: true };
    expect(outcome(version, { kind: "addConstraint", constraint: deferrable })).toMatch(/deferrable keys are not moved/);
  });

  it("declares a foreign key onto a key of the target, and no other", () => {
    const other = structure({ name: "other", constraints: [constraint("other_pkey", "p", [1], "PRIMARY KEY (id)")] });
    const key = (definition: string) => constraint("f", "f", [3], definition);
    const given = "FOREIGN KEY (n) REFERENCES s.other(id) ON DELETE SET NULL (n) NOT VALID";
    expect(
      outcome(version, { kind: "addConstraint", constraint: key(given) }, on(structure(), { table: other, definition: given })),
    ).toEqual(['ALTER TABLE ONLY "s"."t" ADD CONSTRAINT "f" FOREIGN KEY (n) REFERENCES s.other(id) ON DELETE SET NULL']);
    const loose = "FOREIGN KEY (n) REFERENCES s.other(n)";
    expect(
      outcome(version, { kind: "addConstraint", constraint: key(loose) }, on(structure(), { table: other, definition: loose })),
    ).toBe("(n) is no key of s.other on the target");
  });

  it("spreads a table anew for another type of its distribution column, where values hash otherwise", () => {
    const keyed = structure({ constraints: [constraint("t_pkey", "p", [1], "PRIMARY KEY (id)")] });
    const before = column(1, "id");
    const wider = outcome(version, { kind: "changeType", column: column(1, "id", "bigint"), before }, on(keyed));
    expect(wider).toContain('ALTER TABLE "s"."t" ALTER COLUMN "id" TYPE bigint');
    expect(wider).not.toContain('ALTER TABLE "s"."t" SET DISTRIBUTED RANDOMLY');
    expect(outcome(version, { kind: "changeType", column: column(1, "id", "text"), before }, on(keyed))).toEqual([
      'ALTER TABLE "s"."t" DROP CONSTRAINT "t_pkey"',
      'ALTER TABLE "s"."t" SET DISTRIBUTED RANDOMLY',
      'ALTER TABLE "s"."t" ALTER COLUMN "id" TYPE text',
      'ALTER TABLE "s"."t" SET DISTRIBUTED BY ("id")',
      'ALTER TABLE "s"."t" ADD CONSTRAINT "t_pkey" PRIMARY KEY (id)',
    ]);
    expect(outcome(version, { kind: "changeType", column: column(3, "n", "text"), before: column(3, "n") }, on(keyed))).toEqual([
      'ALTER TABLE "s"."t" ALTER COLUMN "n" TYPE text',
    ]);
  });

  it("takes keys and indexes off a column while it gets another type, where the server can't do that itself, and the foreign keys that point at them", () => {
    const now = structure({
      constraints: [constraint("t_pkey", "p", [1], "PRIMARY KEY (id)"), constraint("known", "u", [1, 2], "UNIQUE (id, code)")],
      indexes: [index("by_n", [3], "CREATE INDEX by_n ON s.t USING btree (n)")],
      pointing: [{ table: { schema: "s", name: "o" }, name: "o_fkey", definition: "FOREIGN KEY (t) REFERENCES s.t(id)" }],
    });
    const retyped = (number: number, name: string, type: string, from = "integer") =>
      outcome(version, { kind: "changeType", column: column(number, name, type), before: column(number, name, from) }, on(now));
    const alter = (name: string, type: string) => `ALTER TABLE "s"."t" ALTER COLUMN "${name}" TYPE ${type}`;
    if (version === SEVEN) {
      expect(retyped(1, "id", "bigint")).toEqual([alter("id", "bigint")]);
      expect(retyped(3, "n", "bigint")).toEqual([alter("n", "bigint")]);
      return;
    }
    expect(retyped(1, "id", "bigint")).toEqual([
      'ALTER TABLE "s"."o" DROP CONSTRAINT "o_fkey"',
      'ALTER TABLE "s"."t" DROP CONSTRAINT "t_pkey"',
      'ALTER TABLE "s"."t" DROP CONSTRAINT "known"',
      alter("id", "bigint"),
      'ALTER TABLE "s"."t" ADD CONSTRAINT "t_pkey" PRIMARY KEY (id)',
      'ALTER TABLE "s"."t" ADD CONSTRAINT "known" UNIQUE (id, code)',
      'ALTER TABLE "s"."o" ADD CONSTRAINT "o_fkey" FOREIGN KEY (t) REFERENCES s.t(id)',
    ]);
    expect(retyped(3, "n", "bigint")).toEqual([
      'DROP INDEX "s"."by_n"',
      alter("n", "bigint"),
      "CREATE INDEX by_n ON s.t USING btree (n)",
    ]);
  });

  it("adds columns as plain ones: no sequence, no default that needs what is not moved", () => {
    const add = (more: Partial<ColumnStructure>, type = "integer") =>
      outcome(version, { kind: "addColumn", column: column(3, "n", type, more) });
    const sequence = { schema: "s", name: "q", options: "AS integer START WITH 1" };
    const head = 'ALTER TABLE "s"."t" ADD COLUMN "n"';
    expect(add({ default: "nextval('s.q'::regclass)", sequence, notNull: true })).toEqual([`${head} integer NOT NULL`]);
    expect(add({ identity: "a", sequence, notNull: true })).toEqual([`${head} integer NOT NULL`]);
    expect(add({ default: "7", missing: "7" })).toEqual([`${head} integer DEFAULT 7`]);
    expect(add({ default: "s.f()", missing: "8" })).toEqual([
      `${head} integer DEFAULT '8'::integer`,
      'ALTER TABLE "s"."t" ALTER COLUMN "n" DROP DEFAULT',
    ]);
    expect(add({ default: "'sad'::s.mood", missing: "sad" }, "s.mood")).toEqual([`${head} text DEFAULT 'sad'`]);
    expect(add({ default: "(id * 2)", generated: "s" })).toEqual(
      version === SIX
        ? "generated columns are known from AnalyticDB 7 on"
        : [`${head} integer GENERATED ALWAYS AS ((id * 2)) STORED`],
    );
    expect(add({}, "macaddr8")).toEqual([`${head} ${version === SIX ? "text" : "macaddr8"}`]);
  });

  it("makes a table with its storage, its key and its distribution", () => {
    const created = structure({
      constraints: [constraint("t_pkey", "p", [1, 3], "PRIMARY KEY (id, n)")],
      columns: [
        column(1, "id", "integer", { notNull: true }),
        column(2, "code", "s.mood"),
        column(3, "n"),
        column(4, "d", "integer", { generated: "s", default: "(id * 2)" }),
      ],
    });
    const place = table(created);
    const generated = version === SEVEN ? ', "d" integer GENERATED ALWAYS AS ((id * 2)) STORED' : "";
    expect(tableStatements({ kind: "createTable", table: created }, place, context(version))).toEqual([
      `CREATE TABLE "s"."t" ("id" integer NOT NULL, "code" text, "n" integer${generated}, PRIMARY KEY ("id", "n"))${version === SIX ? " WITH (appendonly=false)" : ""} DISTRIBUTED BY ("id", "n")`,
    ]);
  });

  it("passes over what names functions and types of your own, and clauses that came later", () => {
    const check = (definition: string) =>
      outcome(version, { kind: "addConstraint", constraint: constraint("c", "c", [2], definition) });
    expect(check("CHECK ((n > 0))")).toEqual(['ALTER TABLE "s"."t" ADD CONSTRAINT "c" CHECK ((n > 0))']);
    expect(check("CHECK (s.f(n))")).toMatch(/calls a function/);
    expect(check("CHECK ((code = 'sad'::s.mood))")).toMatch(/a type of your own/);
    const including = index("i", [1], "CREATE INDEX i ON s.t USING btree (id) INCLUDE (n)");
    expect(outcome(version, { kind: "createIndex", index: including })).toEqual(
      version === SIX ? "INCLUDE is known from AnalyticDB 7 on" : [including.definition],
    );
    expect(outcome(version, { kind: "createIndex", index: index("g", [2], "CREATE INDEX g ON s.t USING gin (code)") })).toMatch(
      /only btree/,
    );
  });
});
