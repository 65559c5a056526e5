/** The type a column gets on the target, and what to tell the user when it is another. */
export interface ColumnType {
  readonly type: string;
  readonly note: string | undefined;
}

/**
 * The target's name for a type of the source. Pure. `offered`: format_type of everything the target has (readOfferedTypes), so that no table of versions
 * is needed; user-defined ones under the names they would have there. What it lacks becomes text, which every value has a form of:
 * enums, composites and ranges of the user's own, types newer than the target (macaddr8, xid8, multiranges, jsonpath, ...).
 * `baseOf`: the type below a domain, undefined for anything else.
 */
export function columnType(type: string, offered: ReadonlySet<string>, baseOf: (type: string) => string | undefined): ColumnType {
  const scaled = WIDE_SCALE.exec(type);
  if (scaled && isOutside(Number(scaled[1]), Number(scaled[2]))) {
    const free = `numeric${scaled[3] ?? ""}`;
    return { type: free, note: `the target takes no scale outside of the precision, as ${type} has: its column is ${free}` };
  }
  if (offered.has(bare(type))) return { type, note: undefined };
  const array = type.endsWith("[]") ? "[]" : "";
  const element = array ? type.slice(0, -2) : type;
  const base = baseOf(element);
  if (base !== undefined) {
    const below = columnType(`${base}${array}`, offered, baseOf);
    return { type: below.type, note: `the domain ${element} is not moved: its column is ${below.type}` };
  }
  return { type: `text${array}`, note: `the target has no type ${element}: the values are kept as text${array}` };
}

/** numeric(3,-2) and numeric(2,5) came with PostgreSQL 15; both kernels are older. */
const WIDE_SCALE = /^numeric\((\d+),(-?\d+)\)(\[\])?$/;

function isOutside(precision: number, scale: number): boolean {
  return scale < 0 || scale > precision;
}

/** Lengths, precisions and field lists are no part of a type's name; they may stand in its middle. */
function bare(type: string): string {
  return type.replace(/ ?\([^)]*\)/, "").replace(/^interval .*/, "interval");
}

/** All types of the target by the name that `columnType` looks for, which is what format_type gives with an empty search_path. */
export const OFFERED_TYPES = `
SELECT pg_catalog.format_type(t.oid, NULL) AS name
  FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
 WHERE t.typtype IN ('b', 'e', 'd', 'r', 'c') AND n.nspname !~ '^pg_(toast|temp|aoseg|bitmapindex)'`;
