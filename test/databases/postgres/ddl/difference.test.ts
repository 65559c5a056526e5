import { describe, expect, it } from "vitest";
import { type Change, difference } from "../../../../provider/databases/postgres/ddl/difference.js";
import type { TableStructure, TypeStructure, ViewStructure } from "../../../../provider/databases/postgres/ddl/structure.js";
import { column, constraint, index, table } from "./structures.js";

const view = (more: Partial<ViewStructure> = {}): ViewStructure => ({
  type: "view",
  id: 200,
  schema: "public",
  name: "v",
  query: " SELECT 1 AS a;",
  populated: true,
  columns: [column(1, "a")],
  indexes: [],
  options: [],
  ...more,
});
const kinds = (changes: readonly Change[]): string[] => changes.map(({ kind }) => kind);
const steps = (before: Partial<TableStructure>, after: Partial<TableStructure>) => difference(table(before), table(after));

describe("the difference of two forms of a table", () => {
  it("is nothing when only the replica identity is another", () => {
    expect(steps({}, { identity: "f" })).toEqual([]);
  });

  it("knows columns by their numbers: a rename is one, and a name taken again is another column", () => {
    expect(steps({}, { columns: [column(1, "a"), column(2, "c")] })).toMatchObject([
      { kind: "renameColumn", from: "b", to: "c" },
    ]);
    expect(kinds(steps({}, { columns: [column(1, "a"), column(3, "b")] }))).toEqual(["dropColumn", "addColumn"]);
  });

  it("swaps two names by way of a third", () => {
    const changes = steps({}, { columns: [column(1, "b"), column(2, "a")] });
    const names = new Map([
      ["a", 1],
      ["b", 2],
    ]);
    for (const change of changes) {
      if (change.kind !== "renameColumn") throw new Error(change.kind);
      const number = names.get(change.from);
      expect(names.has(change.to)).toBe(false);
      names.delete(change.from);
      names.set(change.to, number ?? 0);
    }
    expect([...names].sort()).toEqual([
      ["a", 2],
      ["b", 1],
    ]);
  });

  it("takes a default away before the type changes, and sets it after", () => {
    const before = { columns: [column(1, "a", { default: "0", notNull: true })] };
    const after = { columns: [column(1, "a", { default: "'0'::text", type: "text" })] };
    expect(kinds(steps(before, after))).toEqual(["dropDefault", "dropNotNull", "changeType", "setDefault"]);
  });

  it("does not make again what the server makes again: indexes and constraints of a column that changed its type", () => {
    const before = { constraints: [constraint(1, "k")], indexes: [index(5, "i")] };
    const after = {
      columns: [column(1, "a", { type: "bigint" }), column(2, "b")],
      constraints: [constraint(2, "k", { definition: "CHECK ((a > (0)::bigint))" })],
      indexes: [index(6, "i")],
    };
    expect(kinds(steps(before, after))).toEqual(["changeType"]);
  });

  it("is a drop and an add when a constraint of the same name says something else", () => {
    const changes = steps(
      { constraints: [constraint(1, "k")] },
      { constraints: [constraint(2, "k", { definition: "CHECK ((a > 9))" })] },
    );
    expect(kinds(changes)).toEqual(["dropConstraint", "addConstraint"]);
  });

  it("renames, validates and defers constraints in place", () => {
    const before = { constraints: [constraint(1, "k", { validated: false }), constraint(2, "f", { kind: "f" })] };
    const after = { constraints: [constraint(1, "k2"), constraint(2, "f", { kind: "f", deferrable: true })] };
    expect(kinds(steps(before, after))).toEqual(["renameConstraint", "validateConstraint", "alterConstraint"]);
  });

  it("adds keys before the foreign keys that need them", () => {
    const foreign = constraint(1, "f", { kind: "f", referenced: { schema: "public", name: "t" } });
    const changes = steps({}, { constraints: [foreign, constraint(2, "p", { kind: "p" })] });
    expect(changes.map((change) => change.kind === "addConstraint" && change.constraint.name)).toEqual(["p", "f"]);
  });

  it("leaves a key's own index to the key, and what came from a partitioned parent to the parent", () => {
    const after = {
      constraints: [constraint(1, "p", { kind: "p", index: "p" }), constraint(2, "q", { inherited: true })],
      indexes: [index(5, "p", { constraint: true }), index(6, "q", { inherited: true })],
    };
    expect(kinds(steps({}, after))).toEqual(["addConstraint"]);
  });

  it("attaches and detaches a partition by its bound", () => {
    const parents = [{ schema: "public", name: "whole" }];
    expect(steps({}, { parents, bound: "DEFAULT" })).toEqual([{ kind: "attach", parent: parents[0], bound: "DEFAULT" }]);
    expect(steps({ parents, bound: "DEFAULT" }, {})).toEqual([{ kind: "detach", parent: parents[0], bound: "DEFAULT" }]);
  });

  it("moves the table before anything that names it", () => {
    const changes = steps({}, { schema: "other", name: "u", indexes: [index(5, "i")] });
    expect(kinds(changes)).toEqual(["rename", "setSchema", "createIndex"]);
  });
});

describe("the difference of other objects", () => {
  it("comes and goes whole", () => {
    expect(kinds(difference(undefined, table()))).toEqual(["createTable"]);
    expect(kinds(difference(table(), undefined))).toEqual(["dropTable"]);
    expect(kinds(difference(undefined, view({ type: "materializedView", indexes: [index(1, "i")] })))).toEqual([
      "createView",
      "createIndex",
    ]);
    expect(difference(undefined, undefined)).toEqual([]);
  });

  it("replaces a view that only gained columns, and makes it again otherwise", () => {
    const gained = view({ query: " SELECT 1 AS a, 2 AS b;", columns: [column(1, "a"), column(2, "b")] });
    expect(difference(view(), gained)).toMatchObject([{ kind: "createView", replaces: true }]);
    const other = view({ query: " SELECT 1 AS b;", columns: [column(1, "b")] });
    expect(kinds(difference(view(), other))).toEqual(["dropView", "createView"]);
  });

  it("adds an enum's labels from the end, each before one that is there", () => {
    const mood = (labels: readonly [number, string][]): TypeStructure => ({
      type: "enum",
      id: 1,
      schema: "public",
      name: "mood",
      labels: labels.map(([id, label]) => ({ id, label })),
      base: null,
      default: null,
      notNull: false,
      constraints: [],
      attributes: null,
    });
    expect(
      difference(
        mood([
          [1, "a"],
          [2, "z"],
        ]),
        mood([
          [1, "first"],
          [3, "b"],
          [4, "c"],
          [2, "z"],
        ]),
      ),
    ).toEqual([
      { kind: "renameLabel", from: "a", to: "first" },
      { kind: "addLabel", label: "c", before: "z" },
      { kind: "addLabel", label: "b", before: "c" },
    ]);
  });
});
