import { describe, expect, it } from "vitest";
import { kindOfType } from "../../../../provider/databases/oracle/catalog/columns.js";
import type { OracleColumn } from "../../../../provider/databases/oracle/catalog/model.js";
import { columnChanges } from "../../../../provider/databases/oracle/follow/columnChanges.js";
import { spelledForTarget } from "../../../../provider/databases/oracle/follow/ddlText.js";
import { redoInputs } from "../../../../provider/databases/oracle/follow/redoInputs.js";
import { evolveStored, withStored } from "../../../../provider/databases/oracle/follow/storedColumns.js";
import type { PlannedTable } from "../../../../provider/engine/models/plan.js";

describe("what ALTER TABLE does to columns", () => {
  it.each([
    ["alter table t add x number(5, 0) default 3", [{ kind: "add", name: "X", type: "NUMBER(5,0)" }]],
    ["alter table t add x number(5, -2)", [{ kind: "add", name: "X", type: "NUMBER(5,-2)" }]],
    [
      'alter table s.t add (x timestamp (6) with time zone, "y z" varchar2(10 char) not null, constraint c check (x is not null))',
      [
        { kind: "add", name: "X", type: "TIMESTAMP(6) WITH TIME ZONE" },
        { kind: "add", name: "y z", type: "VARCHAR2(10 CHAR)" },
      ],
    ],
    ["alter table t add column x integer", [{ kind: "add", name: "X", type: "NUMBER" }]],
    ['alter table t add x "HR"."ADDRESS"', [{ kind: "add", name: "X", type: '"HR"."ADDRESS"' }]],
    ["alter table t add constraint c primary key (a, b)", []],
    ["alter table t add supplemental log data (all) columns", []],
    ["alter table t add partition p values less than (3)", []],
    ["alter table t drop column x cascade constraints", [{ kind: "drop", name: "X" }]],
    [
      "alter table t drop (x, y)",
      [
        { kind: "drop", name: "X" },
        { kind: "drop", name: "Y" },
      ],
    ],
    ["alter table t drop constraint c", []],
    ["alter table t set unused column x", [{ kind: "unuse", name: "X" }]],
    ["alter table t drop unused columns", [{ kind: "dropUnused" }]],
    ["alter table t rename column a to b", [{ kind: "rename", name: "A", to: "B" }]],
    ["alter table t rename constraint a to b", []],
    [
      "alter table t modify (a varchar2(30), b default 3, c not null)",
      [
        { kind: "modify", name: "A", type: "VARCHAR2(30)" },
        { kind: "modify", name: "B", type: undefined },
        { kind: "modify", name: "C", type: undefined },
      ],
    ],
    [
      "alter table t add x number modify y char varying(3)",
      [
        { kind: "add", name: "X", type: "NUMBER" },
        { kind: "modify", name: "Y", type: "VARCHAR2(3)" },
      ],
    ],
    ["alter table t move tablespace x", []],
  ])("%s", (sql, expected) => {
    expect(columnChanges(sql)).toEqual(expected);
  });
});

describe("a change of partitions", () => {
  it.each(["alter table t modify partition p add values (5)", "alter table t modify subpartition p add values ('a')"])(
    "%s makes no column",
    (sql) => {
      expect(columnChanges(sql)).toEqual([]);
    },
  );
});

describe("the order of a row's columns", () => {
  const before = { since: "100", columns: ["ID", "A", "B"].map((name) => ({ name, type: "NUMBER" })) };
  const changed = (sql: string, now: readonly Partial<OracleColumn>[] = []) => {
    const stored = evolveStored(before, columnChanges(sql), now as readonly OracleColumn[], 200n);
    return `${stored.since} ${stored.columns.map(({ name, type }) => (type === "NUMBER" ? name : `${name} ${type}`)).join(" ")}`;
  };

  it("follows each statement, and forgets the order of older redo only where it moved", () => {
    expect(changed("alter table t add c date")).toBe("100 ID A B C DATE");
    expect(changed("alter table t add c date", [{ name: "C", type: "DATE", virtual: true }])).toBe("100 ID A B");
    expect(changed("alter table t add b number")).toBe("100 ID A B");
    expect(changed("alter table t drop column a")).toBe("200 ID B");
    expect(changed("alter table t rename column a to z")).toBe("100 ID Z B");
    expect(changed("alter table t modify a varchar2(9)", [{ name: "A", type: "VARCHAR2(9 BYTE)", virtual: false }])).toBe(
      "100 ID A VARCHAR2(9 BYTE) B",
    );
    expect(changed("alter table t set unused (a)")).toBe("100 ID SYS_C_UNUSED_1 B");
    expect(changed("alter table t set unused (a) drop unused columns")).toBe("200 ID B");
  });
});

describe("a statement under the target's names", () => {
  const table = (source: string, target: string, columns: Readonly<Record<string, string>>) =>
    ({
      source: { schema: "HR", name: source },
      target: { schema: "people", name: target },
      columns: Object.entries(columns).map(([name, to]) => ({ source: name, target: to })),
    }) as unknown as PlannedTable;
  const tables = [table("EMP", "staff", { ID: "id", NAME: "full_name", DEPT: "dept" }), table("DEPT", "dept", { ID: "dept_id" })];
  const names = {
    table: (name: { schema: string; name: string }) =>
      tables.find(({ source }) => source.schema === name.schema && source.name === name.name),
    schema: (source: string) => (source === "HR" ? "people" : undefined),
  };
  const spelled = (sql: string) => spelledForTarget(sql, "HR", names);

  it.each([
    ["alter table emp modify name varchar2(50)", 'alter table "PEOPLE"."STAFF" modify "FULL_NAME" varchar2(50)'],
    ['ALTER TABLE "HR"."EMP" ADD x DATE', 'ALTER TABLE "PEOPLE"."STAFF" ADD x DATE'],
    [
      "create index hr.i on emp (upper(name), 'name')",
      `create index "PEOPLE".i on "PEOPLE"."STAFF" (upper("FULL_NAME"), 'name')`,
    ],
    [
      "alter table emp add constraint f foreign key (dept) references dept (id) on delete cascade",
      'alter table "PEOPLE"."STAFF" add constraint f foreign key (dept) references "PEOPLE"."DEPT" ("DEPT_ID") on delete cascade',
    ],
    ["comment on column emp.name is 'hr.emp'", `comment on column "PEOPLE"."STAFF"."FULL_NAME" is 'hr.emp'`],
    ["alter table other add name number", "alter table other add name number"],
    ["drop index hr.i", 'drop index "PEOPLE".i'],
  ])("%s", (sql, expected) => {
    expect(spelled(sql)).toBe(expected);
  });
});

describe("what redo is read with", () => {
  const column = (name: string, type: string, more: Partial<OracleColumn>): OracleColumn => ({
    name,
    type,
    kind: kindOfType(type),
    national: false,
    nullable: true,
    expression: undefined,
    virtual: false,
    identity: undefined,
    hidden: false,
    place: undefined,
    ...more,
  });
  const planned = {
    id: 7,
    source: { schema: "S", name: "T" },
    target: { schema: "s", name: "t" },
    columns: [{ source: "ID", target: "id", type: "NUMBER" }],
    leftOut: ["TWICE"],
    key: { source: "primaryKey", columns: ["ID"] },
  } as unknown as PlannedTable;

  it("is every column that takes a place in the rows, in their order: unused and hidden ones too, computed ones not", () => {
    const table = withStored(
      planned,
      [
        column("ID", "NUMBER", { place: 2 }),
        column("TWICE", "NUMBER", { virtual: true, expression: "ID * 2" }),
        column("TREE", "XMLTYPE", {}),
        column("SYS_NC00004$", "BLOB", { place: 3, hidden: true }),
        column("SYS_C00001_24010101:00:00$", "DATE", { place: 1, hidden: true }),
      ],
      55n,
    );
    const inputs = redoInputs(table, {});
    expect(inputs.columns.map(({ name, kind, partOfKey }) => `${name} ${kind}${partOfKey ? " key" : ""}`)).toEqual([
      "SYS_C00001_24010101:00:00$ text",
      "ID number key",
      "SYS_NC00004$ text",
      "TREE xml",
    ]);
    expect(inputs.placesSince).toBe(55n);
    // Known and not moved: redo that names them is no change of structure.
    expect(table.leftOut).toEqual(["TWICE", "SYS_C00001_24010101:00:00$", "SYS_NC00004$", "TREE"]);
  });
});
