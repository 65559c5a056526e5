import type { PlannedTable, PrecheckItem } from "../../../engine/models/plan.js";
import { listed, precheckItem } from "../../postgres/precheck/precheckItem.js";
import { kindOfType } from "../catalog/columns.js";

/** What a row may take in its 8 kB page, once its large values were put aside (MaxHeapTupleSize), less a header and a bit a column for NULLs. */
const PAGE_BYTES = 8160;
const HEADER_BYTES = 24;
/** A value that was put aside leaves a pointer of this size in the row (varattrib.h). */
const POINTER_BYTES = 18;

/**
 * Tables whose rows may not fit PostgreSQL's pages when every column is filled: Oracle's take 1000 columns and chain a row over blocks, PostgreSQL's refuse
 * the row ("row is too big"). Pure.
 */
export function rowWidth(tables: readonly PlannedTable[]): PrecheckItem {
  const wide = tables.flatMap(({ source, columns }) => {
    const bytes = columns.reduce((sum, { type }) => sum + widthOf(type), HEADER_BYTES + Math.ceil(columns.length / 8));
    return bytes > PAGE_BYTES ? [`${source.schema}.${source.name} (${columns.length} columns, ${bytes} bytes)`] : [];
  });
  return precheckItem({
    item: "rowWidth",
    severity: "warning",
    passed: wide.length === 0,
    message:
      wide.length === 0
        ? "every row fits a page of PostgreSQL"
        : `rows with all columns filled would not fit a page of PostgreSQL (${PAGE_BYTES} bytes): ${listed(wide)}`,
    remedy:
      "where rows are that full, split the table, or leave columns out with excludeColumns; a row that is too big is refused (GW1402, GW1501)",
  });
}

/** The least bytes of a filled value of the type that it becomes. */
function widthOf(type: string): number {
  const [, digits, scale = "0"] = /^NUMBER\((\d+)(?:,(-?\d+))?\)$/.exec(type) ?? [];
  switch (kindOfType(type)) {
    case "number": {
      if (digits === undefined) return POINTER_BYTES;
      if (scale !== "0") return Math.min(POINTER_BYTES, 3 + 2 * Math.ceil((Number(digits) + 4) / 4));
      const count = Number(digits);
      return count <= 4 ? 2 : count <= 9 ? 4 : count <= 18 ? 8 : POINTER_BYTES;
    }
    case "float":
    case "date":
    case "timestamp":
    case "timestampTz":
    case "timestampLtz":
      return 8;
    case "yearToMonth":
    case "dayToSecond":
      return 16;
    default: {
      const declared = Number(/\((\d+)/.exec(type)?.[1] ?? POINTER_BYTES);
      return Math.min(declared + 1, POINTER_BYTES);
    }
  }
}
