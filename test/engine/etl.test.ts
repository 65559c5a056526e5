import { describe, expect, it } from "vitest";
import type { TableEtl } from "../../provider/engine/etl.js";
import { ruledTables } from "../../provider/engine/etl.js";
import type { CatalogColumn, CatalogTable, NeutralCatalog } from "../../provider/engine/models/catalog.js";
import { type PlanOptions, resolvePlan } from "../../provider/engine/plan.js";

const column = (name: string, number: number): CatalogColumn => ({
  name,
  number,
  type: "text",
  nullable: true,
  generated: false,
  identity: undefined,
  binaryPortable: true,
});
const table = (id: number, name: string, more: Partial<CatalogTable> = {}): CatalogTable => ({
  id,
  schema: "public",
  name,
  kind: "table",
  columns: [column("id", 1), column("name", 2), column("code", 3)],
  key: { source: "primaryKey", columns: ["id"] },
  replicaIdentity: "default",
  unlogged: false,
  estimatedRows: 0,
  bytes: 0,
  ...more,
});
const catalog: NeutralCatalog = {
  schemas: ["public"],
  tables: [
    table(1, "person"),
    table(2, "event", { kind: "partitionedTable" }),
    table(3, "event_eu", { parents: [{ schema: "public", name: "event" }], isPartition: true }),
    table(4, "event_us", { parents: [{ schema: "public", name: "event" }], isPartition: true }),
  ],
  objects: [],
  unsupported: [],
};
const planned = (etl: readonly TableEtl[], options: PlanOptions = {}) => resolvePlan(catalog, { ...options, etl }).tables;
const named = (tables: ReturnType<typeof planned>, name: string) => tables.find(({ source }) => source.name === name);

describe("expressions for rows, resolved", () => {
  it("are a table's own, else those of what it is a partition of", () => {
    const tables = planned([
      { schema: "public", table: "event", drop: "code = 'x'", mask: [{ column: "name", method: "md5" }] },
      { schema: "public", table: "event_us", mask: [{ column: "code", method: "null" }] },
    ]);
    expect(named(tables, "event_eu")?.filter).toMatchObject({ given: "(code = 'x') IS NOT TRUE", drop: "code = 'x'" });
    expect(named(tables, "event_eu")?.columns.map(({ value }) => value?.given)).toEqual([
      undefined,
      { method: "md5" },
      undefined,
    ]);
    expect(named(tables, "event_us")?.filter).toBeUndefined();
    expect(named(tables, "event_us")?.columns.map(({ value }) => value?.given)).toEqual([
      undefined,
      undefined,
      { method: "null" },
    ]);
    expect(named(tables, "person")?.columns.every(({ value }) => value === undefined)).toBe(true);
  });

  it("join `where`: a row moves that meets the one and not the other, NULL for neither", () => {
    const objects = [{ schema: "public", tables: [{ name: "person", where: "id > 5 -- big" }] }];
    const [person] = planned([{ schema: "public", table: "person", drop: "code = 'x' -- gone" }], { objects });
    expect(person?.filter?.condition).toBe("((id > 5 -- big\n) AND (CASE WHEN (code = 'x' -- gone\n) THEN 1 ELSE 0 END = 0))");
  });

  it("mark every table that a part may be made of later", () => {
    const etl = [{ schema: "public", table: "event", drop: "true" }];
    expect(ruledTables(catalog, { etl })).toEqual({ ruled: [2, 3, 4] });
    expect(ruledTables(catalog, {})).toEqual({});
  });

  it.each([
    [{ table: "persn", drop: "true" }, /GW1302.*did you mean public\.person\?/],
    [{ table: "person", mask: [{ column: "nam", method: "null" }] }, /GW1302.*did you mean "name"\?/],
    [{ table: "person", mask: [{ column: "id", method: "md5" }] }, /GW1304.*part of the table's key/],
    [{ table: "person", derive: [{ column: "new", expression: "1" }] }, /GW1304.*gives it no type/],
    [{ table: "person", derive: [{ column: "code", expression: "1", type: "text" }] }, /GW1304.*has it already/],
  ] as const)("are refused where they fit nothing: %j", (entry, message) => {
    expect(() => planned([{ schema: "public", ...entry }])).toThrow(message);
  });

  it("are refused where a column says which row a change means, or where it goes", () => {
    const etl = [{ schema: "public", table: "person", mask: [{ column: "code", method: "md5" as const }] }];
    for (const key of ["primaryKey", "distributedBy", "partitionKey"] as const) {
      const objects = [{ schema: "public", tables: [{ name: "person", [key]: ["code"] }] }];
      expect(() => planned(etl, { objects })).toThrow(/GW1304.*"code" can't be derived or masked/);
    }
    expect(() => planned(etl, { objects: [{ schema: "public", exclude: ["person"] }] })).toThrow(/GW1304.*does not move/);
  });
});
