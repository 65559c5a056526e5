import { describe, expect, it } from "vitest";
import { ErrorCode, GodwitError } from "../../provider/engine/errors.js";
import type { CatalogObject, CatalogTable, NeutralCatalog } from "../../provider/engine/models/catalog.js";
import { type PlanOptions, resolvePlan } from "../../provider/engine/plan.js";

function table(schema: string, name: string, more: Partial<CatalogTable> = {}): CatalogTable {
  const column = (columnName: string, number: number): CatalogTable["columns"][number] => ({
    name: columnName,
    number,
    type: "integer",
    nullable: number > 1,
    generated: columnName === "twice",
    identity: undefined,
    binaryPortable: true,
  });
  return {
    id: [...`${schema}.${name}`].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7),
    schema,
    name,
    kind: "table",
    columns: ["id", "Name", "twice", "note"].map((each, index) => column(each, index + 1)),
    key: { source: "primaryKey", columns: ["id"] },
    replicaIdentity: "default",
    unlogged: false,
    estimatedRows: 10,
    bytes: 8192,
    ...more,
  };
}

function catalog(tables: readonly CatalogTable[], objects: readonly CatalogObject[] = []): NeutralCatalog {
  return { schemas: [...new Set([...tables, ...objects].map(({ schema }) => schema))], tables, objects, unsupported: [] };
}

function codeOf(of: NeutralCatalog, options: PlanOptions): { code: ErrorCode; text: string } | undefined {
  try {
    resolvePlan(of, options);
    return undefined;
  } catch (cause) {
    if (cause instanceof GodwitError) return { code: cause.code, text: cause.message };
    throw cause;
  }
}

describe("a plan", () => {
  it("takes every table when nothing is selected, without generated columns", () => {
    const plan = resolvePlan(catalog([table("a", "t"), table("b", "t")]));
    expect(plan.tables.map(({ source, target }) => [source, target])).toEqual([
      [
        { schema: "a", name: "t" },
        { schema: "a", name: "t" },
      ],
      [
        { schema: "b", name: "t" },
        { schema: "b", name: "t" },
      ],
    ]);
    expect(plan.tables[0]?.columns.map(({ source }) => source)).toEqual(["id", "Name", "note"]);
    expect(plan.names.renames).toBe(false);
  });

  it("moves only the tables that are listed, renamed with their columns", () => {
    const plan = resolvePlan(catalog([table("a", "t"), table("a", "u"), table("b", "v")]), {
      objects: [
        {
          schema: "a",
          rename: "x",
          tables: [{ name: "t", rename: "T2", columns: [{ name: "Name", rename: "label" }], excludeColumns: ["note"] }],
        },
      ],
    });
    expect(plan.tables.map(({ target, columns }) => [target, columns.map((column) => [column.source, column.target])])).toEqual([
      [
        { schema: "x", name: "T2" },
        [
          ["id", "id"],
          ["Name", "label"],
        ],
      ],
    ]);
  });

  it("brings the partitions of a listed parent, which has no rows of its own, with the parent's columns and operations", () => {
    const parent = table("a", "p", { kind: "partitionedTable" });
    const middle = table("a", "p1", { kind: "partitionedTable", parents: [parent], isPartition: true });
    const leaf = table("b", "p1_1", { parents: [middle], isPartition: true });
    const heir = table("a", "heir", { parents: [parent] });
    const plan = resolvePlan(catalog([parent, middle, leaf, heir]), {
      objects: [
        { schema: "a", tables: [{ name: "p", columns: [{ name: "Name", rename: "n" }], operations: { dml: ["insert"] } }] },
      ],
    });
    expect(plan.tables.map(({ source }) => source.name)).toEqual(["p1_1"]);
    expect(plan.tables[0]?.columns.map(({ target }) => target)).toEqual(["id", "n", "note"]);
    expect(plan.tables[0]?.operations).toEqual({ insert: true, update: false, delete: false, truncate: false });
  });

  it("lets a table's operations win over the task's", () => {
    const plan = resolvePlan(catalog([table("a", "t"), table("a", "u")]), {
      objects: [{ schema: "a", tables: [{ name: "t", operations: { dml: ["delete"] } }, { name: "u" }] }],
      operations: { dml: ["insert", "update"], ddl: ["truncate"] },
    });
    expect(plan.tables.map(({ operations }) => operations)).toEqual([
      { insert: false, update: false, delete: true, truncate: true },
      { insert: true, update: true, delete: false, truncate: true },
    ]);
  });

  it("asks for the full identity where a change would not name its row", () => {
    const needs = (more: Partial<CatalogTable>): unknown =>
      resolvePlan(catalog([table("a", "t", more)])).tables[0]?.replicaIdentity;
    const none = { source: "none", columns: [] } as const;
    expect(needs({})).toEqual({ was: "default", needs: "keep" });
    expect(needs({ key: none })).toEqual({ was: "default", needs: "full" });
    expect(needs({ replicaIdentity: "nothing" })).toEqual({ was: "nothing", needs: "full" });
    expect(needs({ keyPublished: false })).toEqual({ was: "default", needs: "full" });
    expect(needs({ key: none, replicaIdentity: "full" })).toEqual({ was: "full", needs: "keep" });
    expect(needs({ key: { source: "uniqueIndex", columns: ["id"] }, replicaIdentity: "index" })).toEqual({
      was: "index",
      needs: "keep",
    });
  });

  it("spells names as asked, but for those with a rename of their own", () => {
    const plan = resolvePlan(catalog([table("a", "t"), table("B", "Mixed")]), {
      objects: [{ schema: "a", tables: [{ name: "t", rename: "keepThis" }] }, { schema: "B" }],
      capitalization: "upper",
    });
    expect(plan.tables.map(({ target }) => `${target.schema}.${target.name}`)).toEqual(["A.keepThis", "B.MIXED"]);
    expect(plan.tables[0]?.columns.map(({ target }) => target)).toEqual(["ID", "NAME", "NOTE"]);
    expect(plan.tables[0]?.key.columns).toEqual(["id"]);
  });

  it("never streams an unlogged table", () => {
    expect(resolvePlan(catalog([table("a", "t", { unlogged: true })])).tables[0]?.streamed).toBe(false);
  });

  it("reports what can never be moved, of the selected schemas", () => {
    const source = {
      ...catalog([table("a", "t"), table("b", "t")]),
      unsupported: ["a", "b", undefined].map((schema) => ({ kind: "policy", schema, name: "p", reason: "why" })),
    };
    expect(resolvePlan(source, { objects: [{ schema: "a" }] }).skipped).toEqual([
      { kind: "policy", name: "a.p", reason: "why" },
      { kind: "policy", name: "p", reason: "why" },
    ]);
  });
});

describe("a selection that cannot be met", () => {
  const source = catalog([table("a", "t"), table("a", "T")], [{ kind: "view", schema: "a", name: "v" }]);
  const cases: readonly [string, PlanOptions, ErrorCode, RegExp][] = [
    ["an unknown schema", { objects: [{ schema: "zz" }] }, ErrorCode.ObjectMissing, /"zz"/],
    ["an unknown table", { objects: [{ schema: "a", tables: [{ name: "zz" }] }] }, ErrorCode.ObjectMissing, /"zz".*a\.zz/],
    ["a view listed as a table", { objects: [{ schema: "a", tables: [{ name: "v" }] }] }, ErrorCode.ObjectMissing, /"v"/],
    [
      "an unknown column",
      { objects: [{ schema: "a", tables: [{ name: "t", columns: [{ name: "name" }] }] }] },
      ErrorCode.ObjectMissing,
      /"name".*a\.t/,
    ],
    [
      "an unknown excluded column",
      { objects: [{ schema: "a", tables: [{ name: "t", excludeColumns: ["x"] }] }] },
      ErrorCode.ObjectMissing,
      /"x"/,
    ],
    ["an unknown exclusion", { objects: [{ schema: "a", exclude: ["nope"] }] }, ErrorCode.ObjectMissing, /"nope"/],
    ["a schema listed twice", { objects: [{ schema: "a" }, { schema: "a" }] }, ErrorCode.SelectionUnusable, /twice/],
    [
      "a table listed twice",
      { objects: [{ schema: "a", tables: [{ name: "t" }, { name: "t" }] }] },
      ErrorCode.SelectionUnusable,
      /twice/,
    ],
    [
      "an excluded key column",
      { objects: [{ schema: "a", tables: [{ name: "t", excludeColumns: ["id"] }] }] },
      ErrorCode.SelectionUnusable,
      /"id"/,
    ],
    ["an unknown operation", { operations: { dml: ["merge"] } }, ErrorCode.SelectionUnusable, /"merge"/],
    ["two tables with one name", { capitalization: "lower" }, ErrorCode.NameConflict, /a\.t and a\.T/],
    [
      "a table and a view with one name",
      { objects: [{ schema: "a", tables: [{ name: "t", rename: "v" }], kinds: ["view"] }] },
      ErrorCode.NameConflict,
      /a\.v/,
    ],
    [
      "two columns with one name",
      { objects: [{ schema: "a", tables: [{ name: "t", columns: [{ name: "Name", rename: "note" }] }] }] },
      ErrorCode.NameConflict,
      /"Name" and "note"/,
    ],
  ];
  for (const [what, options, code, text] of cases) {
    it(`is refused for ${what}, by name`, () => {
      const error = codeOf(source, options);
      expect(error?.code).toBe(code);
      expect(error?.text).toMatch(text);
    });
  }
});

describe("what a selection picks", () => {
  const source = catalog(
    [table("a", "t"), table("a", "u"), table("b", "t")],
    [
      { kind: "view", schema: "a", name: "v" },
      { kind: "trigger", schema: "a", name: "tr", on: { schema: "a", name: "t" } },
      { kind: "type", schema: "a", name: "ty" },
      { kind: "function", schema: "b", name: "f", signature: "" },
    ],
  );
  const picks = (options: PlanOptions): string[] => {
    const { selection } = resolvePlan(source, options);
    return source.objects.map((object) => selection.pick(object));
  };
  it("is everything of a schema", () =>
    expect(picks({ objects: [{ schema: "a" }] })).toEqual(["selected", "selected", "selected", "ifNeeded"]));
  it("is only tables and what they need when tables are listed", () =>
    expect(picks({ objects: [{ schema: "a", tables: [{ name: "t" }] }] })).toEqual(
      ["excluded", "ifNeeded", "ifNeeded", "ifNeeded"].map((pick, index) => (index === 1 ? "excluded" : pick)),
    ));
  it("is what kinds names besides listed tables", () =>
    expect(picks({ objects: [{ schema: "a", tables: [{ name: "t" }], kinds: ["view", "trigger"] }] })).toEqual([
      "selected",
      "selected",
      "ifNeeded",
      "ifNeeded",
    ]));
  it("never is what exclude names", () =>
    expect(picks({ objects: [{ schema: "a", exclude: ["ty", "v"] }] })).toEqual([
      "excluded",
      "selected",
      "excluded",
      "ifNeeded",
    ]));
  it("leaves a trigger with its table", () => expect(picks({ objects: [{ schema: "a", exclude: ["t"] }] })[1]).toBe("excluded"));
});
