import { describe, expect, it } from "vitest";
import { readDdlStatement } from "../../../../provider/databases/oracle/follow/ddlStatement.js";
import { withColumnsOf } from "../../../../provider/databases/oracle/follow/withColumnsOf.js";
import type { CatalogTable } from "../../../../provider/engine/models/catalog.js";
import type { PlannedTable } from "../../../../provider/engine/models/plan.js";

describe("a DDL statement's head", () => {
  it.each([
    [
      "alter table orders add (x number)",
      { kind: "alterTable", operation: "alter", table: { schema: undefined, name: "ORDERS" } },
    ],
    [
      'ALTER TABLE "Shop"."Orders" drop column x',
      { kind: "alterTable", operation: "alter", table: { schema: "Shop", name: "Orders" } },
    ],
    [
      "alter table shop.o rename column a to b",
      { kind: "alterTable", operation: "rename", table: { schema: "SHOP", name: "O" } },
    ],
    ["alter table o rename to p", { kind: "renameTable", operation: "rename", table: { schema: undefined, name: "O" }, to: "P" }],
    ["rename o to p", { kind: "renameTable", operation: "rename", table: { schema: undefined, name: "O" }, to: "P" }],
    ["drop table o cascade constraints purge", { kind: "dropTable", operation: "drop", table: { schema: undefined, name: "O" } }],
    [
      "/* a */ create table o as select 1 from dual",
      { kind: "createTable", operation: "create", table: { schema: undefined, name: "O" }, withRows: true },
    ],
    ["create global temporary table t (a number)", { kind: "other" }],
    ["create unique index i on s.t (a)", { kind: "index", operation: "index", table: { schema: "S", name: "T" } }],
    ["drop index i", { kind: "index", operation: "index", table: undefined }],
    [
      "create or replace force editionable view v as select 1 from dual",
      { kind: "object", operation: "view", object: "view", name: { schema: undefined, name: "V" } },
    ],
    [
      "create or replace noneditionable package body p as end;",
      { kind: "object", operation: "routine", object: "package", name: { schema: undefined, name: "P" } },
    ],
    ["create materialized view log on t", { kind: "other" }],
    [
      "alter sequence s increment by 2",
      { kind: "object", operation: "alter", object: "sequence", name: { schema: undefined, name: "S" } },
    ],
    [
      "comment on table t is 'x'",
      { kind: "object", operation: "alter", object: "comment", name: { schema: undefined, name: "T" } },
    ],
    [
      "comment on column s.t.c is 'x'",
      { kind: "object", operation: "alter", object: "comment", name: { schema: "S", name: "T" } },
    ],
    ['ALTER TABLE "S"."T" RENAME TO "BIN$abc==$0"', { kind: "other" }],
    ['ALTER TABLE "S"."T" RENAME CONSTRAINT "T_PK" TO "BIN$abc==$0"', { kind: "other" }],
    ['ALTER INDEX "S"."T_PK" RENAME TO "BIN$abc==$0"', { kind: "other" }],
    ['drop table t AS "BIN$abc==$0"', { kind: "dropTable", operation: "drop", table: { schema: undefined, name: "T" } }],
    [
      "flashback table s.t to before drop",
      { kind: "createTable", operation: "create", table: { schema: "S", name: "T" }, withRows: true },
    ],
    [
      "flashback table s.t to before drop rename to u",
      { kind: "createTable", operation: "create", table: { schema: "S", name: "U" }, withRows: true },
    ],
    ["flashback table t to scn 4711", { kind: "other" }],
    [
      "alter table s.t exchange partition p with table u including indexes",
      { kind: "exchange", table: { schema: "S", name: "T" }, with: { schema: undefined, name: "U" } },
    ],
    [
      "truncate table t cascade",
      { kind: "truncate", operation: "truncate", table: { schema: undefined, name: "T" }, cascade: true },
    ],
    ["truncate cluster s.c", { kind: "truncateCluster", cluster: { schema: "S", name: "C" } }],
    [
      "alter table t truncate partition p",
      { kind: "alterTable", operation: "truncate", table: { schema: undefined, name: "T" } },
    ],
    ["grant select on t to public", { kind: "other" }],
    ["alter user x identified by values '*'", { kind: "other" }],
    ["\u0001 no SQL", { kind: "other" }],
  ])("%s", (sql, expected) => {
    expect(readDdlStatement(sql)).toEqual(expected);
  });
});

describe("a table's plan after a change of structure", () => {
  const column = (name: string) => ({
    name,
    number: 1,
    type: "NUMBER",
    nullable: true,
    generated: false,
    identity: undefined,
    binaryPortable: false,
  });
  const source = (...names: string[]) =>
    ({ key: { source: "primaryKey", columns: ["ID"] }, columns: names.map(column) }) as unknown as CatalogTable;
  const table = (names: readonly string[], leftOut: readonly string[] = []) =>
    ({
      key: { source: "primaryKey", columns: ["ID"] },
      leftOut,
      columns: names.map((name) => ({ ...column(name), source: name, target: name.toLowerCase() })),
    }) as unknown as PlannedTable;
  const names = (planned: PlannedTable) => planned.columns.map((each) => each.source);

  it("has the column that joined, and leaves out those whose statement has not come yet", () => {
    const before = new Set(["id", "a"]);
    const first = withColumnsOf(table(["ID", "A"]), source("ID", "A", "B", "C"), { before, now: new Set(["id", "a", "b"]) });
    expect([names(first), first.leftOut, first.joined]).toEqual([["ID", "A", "B"], ["C"], ["B"]]);
    const second = withColumnsOf(first, source("ID", "A", "B", "C"), {
      before: new Set(["id", "a", "b"]),
      now: new Set(["id", "a", "b", "c"]),
    });
    expect([names(second), second.leftOut, second.joined]).toEqual([["ID", "A", "B", "C"], [], ["B", "C"]]);
  });

  it("keeps out what the program left out, although the target has it", () => {
    const both = new Set(["id", "a", "secret"]);
    const planned = withColumnsOf(table(["ID", "A"], ["SECRET"]), source("ID", "A", "SECRET"), { before: both, now: both });
    expect([names(planned), planned.leftOut]).toEqual([["ID", "A"], ["SECRET"]]);
  });

  it("passes over a column that is gone, and keeps the plan of a table that is gone from the source", () => {
    const dropped = withColumnsOf(table(["ID", "A"]), source("ID"), { before: new Set(["id", "a"]), now: new Set(["id"]) });
    expect([names(dropped), dropped.leftOut]).toEqual([["ID"], ["A"]]);
    const gone = withColumnsOf(table(["ID", "A"]), undefined, { before: new Set(["id", "a"]), now: new Set(["id"]) });
    expect(names(gone)).toEqual(["ID"]);
  });
});
