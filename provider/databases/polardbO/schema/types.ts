import type { PolardbTraits } from "../traits.js";

/** Rewrites a deparsed type; undefined: it stays as it is. */
export type ConvertType = (type: string) => string | undefined;

const DATE_WITH_TIME = "timestamp(0) without time zone";

/**
 * A column of type date on a target whose date is another. PostgreSQL's date becomes timestamp(0) where the target has no type for a day alone, as
 * its own DDL would have it ("Date and time types"); a date with a time of day becomes timestamp(0) where the target's has none.
 */
export function convertDates(source: Pick<PolardbTraits, "date" | "compatible">, target: PolardbTraits): ConvertType {
  const withTime = source.date === "withTime";
  const kept =
    target.date === "withTime"
      ? withTime || source.compatible === "oracle"
      : !withTime && (target.date === "plain" || target.dateKept);
  return (type) => {
    const dimensions = /^date((?:\[\])*)$/.exec(type)?.[1];
    return kept || dimensions === undefined ? undefined : `${DATE_WITH_TIME}${dimensions}`;
  };
}

/**
 * PostgreSQL's types for those of PolarDB O that it lacks, by their bare names ("Data types" of PolarDB O: NUMBER is NUMERIC, VARCHAR2 is VARCHAR,
 * CLOB is TEXT, BLOB is BYTEA). A length in bytes is one in characters, which holds as much or more.
 */
const POSTGRES_TYPES: Readonly<Record<string, string>> = {
  number: "numeric",
  varchar2: "character varying",
  nvarchar2: "character varying",
  nvarchar: "character varying",
  nchar: "character",
  clob: "text",
  nclob: "text",
  long: "text",
  blob: "bytea",
  raw: "bytea",
  "long raw": "bytea",
  binary_float: "real",
  binary_double: "double precision",
  binary_integer: "integer",
  pls_integer: "integer",
  rowid: "text",
  urowid: "text",
  xmltype: "xml",
  datetime: "timestamp without time zone",
};

const TAKES_LENGTH: ReadonlySet<string> = new Set(["number", "varchar2", "nvarchar2", "nvarchar", "nchar"]);

/** `sys.number(10,2)[]` in its parts: name, modifier, dimensions. */
const SPELLED = /^(?:"?(?:sys|pg_catalog)"?\.)?"?([a-z_0-9]+(?: raw)?)"?(\([^)]*\))?((?:\[\])*)$/;

export function toPostgresType(type: string): string | undefined {
  const [, name = "", modifier = "", dimensions = ""] = SPELLED.exec(type) ?? [];
  const found = POSTGRES_TYPES[name];
  if (found === undefined) return undefined;
  const kept = TAKES_LENGTH.has(name) ? modifier.replace(/\s*(byte|char)\)/i, ")") : "";
  return `${found}${kept}${dimensions}`;
}
