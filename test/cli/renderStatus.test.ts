import { describe, expect, it } from "vitest";
import { renderStatus } from "../../provider/cli/renderStatus.js";
import type { ShownStatus } from "../../provider/cli/status.js";
import type { TableValidation } from "../../provider/engine/validation/validationStatus.js";

const table = (name: string, more: Partial<TableValidation>): TableValidation => ({
  tableId: 1,
  source: { schema: "app", name },
  target: { schema: "shop", name },
  state: "equal",
  mode: "full",
  against: "stream",
  sourceRows: 1000,
  targetRows: 1000,
  rangesDone: 4,
  rangesDifferent: 0,
  rowsDifferent: 0,
  differences: [],
  columnsLeftOut: [],
  seconds: 1,
  asked: "a",
  ...more,
});

const status = (tables: readonly TableValidation[]): ShownStatus => ({
  taskId: "shop_1",
  environmentTag: undefined,
  state: "running",
  phase: "incremental",
  updatedAt: "2026-01-01T00:00:00Z",
  worker: undefined,
  stepsDone: 1,
  stepsTotal: 1,
  tables: [],
  incremental: undefined,
  validation: { mode: "full", request: "", state: "done", tablesTotal: tables.length, tables },
  errors: [{ code: "GW2201", message: "GW2201: 1 table differs", at: "2026-01-01T00:00:00Z", retrying: false }],
  alive: true,
});

describe("godwit status", () => {
  it("names what differs first, with its rows, and only counts what is equal", () => {
    const text = renderStatus(
      status([
        table("equal", {}),
        table("odd", { state: "notCompared", reason: "permission denied", sourceRows: 0, targetRows: 0 }),
        table("orders", {
          state: "different",
          targetRows: 999,
          rangesDifferent: 2,
          rowsDifferent: 2,
          differences: [
            { row: "id = 7", kind: "changed" },
            { row: "id = 9", kind: "missing" },
          ],
        }),
      ]),
    );
    expect(text.split("\n").slice(2)).toEqual([
      "  validation (full): 3 of 3 tables compared, 2,000 rows, 1 differs, 1 equal",
      "  different   shop.orders from app.orders  1,000 rows and 999 at the target, 2 of 4 ranges differ, 2 rows of them",
      "    changed  id = 7",
      "    missing  id = 9",
      "  notCompared shop.odd from app.odd  0 rows and 0 at the target: permission denied",
      "  error: GW2201: 1 table differs",
    ]);
  });
});
