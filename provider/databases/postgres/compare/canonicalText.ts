/** A column's type on one server. */
export interface SideType {
  /** With its modifiers, as format_type writes it. */
  readonly type: string;
  /** Without them; below a domain. */
  readonly base: string;
  /** The type's send function, for types made of floats. */
  readonly send: string | undefined;
}

export interface TextContext {
  /** A server before 12 writes floats with 17 digits, later ones the shortest that reads back: then their bytes are compared. */
  readonly floatsAsBytes: boolean;
  /** Dates are days on one side and hold a time of day on the other, though both may be called date. */
  readonly datesDiffer: boolean;
}

/** Makes an expression of type text from a quoted column; the same values give the same text on both servers. */
export type CanonicalText = (column: string) => string;

const NUMBERS: ReadonlySet<string> = new Set(["smallint", "integer", "bigint", "numeric", "number"]);
const DATES: ReadonlySet<string> = new Set(["date", "timestamp without time zone"]);
const JSONS: ReadonlySet<string> = new Set(["json", "jsonb"]);
const BYTES: ReadonlySet<string> = new Set(["bytea", "raw", "blob"]);
const TEXTS: ReadonlySet<string> = new Set(["text", "character varying", "character", "varchar2", "nvarchar2", "clob", "name"]);
const SCALAR_FLOATS: ReadonlySet<string> = new Set(["real", "double precision"]);

/**
 * How a column's values are written down on both sides, under the settings of our sessions (connection.ts). Pure. Undefined: the two types have no form that
 * reads alike, so the column can't be compared.
 *
 * Where both sides have the same type the cast to text is that form, with these exceptions: floats (above), and numerics of other modifiers, whose trailing
 * zeros are their column's.
 */
export function canonicalText(source: SideType, target: SideType, context: TextContext): CanonicalText | undefined {
  const pair = (of: ReadonlySet<string>) => of.has(source.base) && of.has(target.base);
  if (pair(DATES) && (source.base !== target.base || (context.datesDiffer && source.base === "date"))) return asTimestamp;
  if (source.base === target.base) {
    if (source.send && target.send && context.floatsAsBytes) return asSent(source.base, source.send);
    return NUMBERS.has(source.base) && source.type !== target.type ? asPlainNumber : asText;
  }
  if (pair(NUMBERS)) return asPlainNumber;
  if (pair(JSONS)) return asJsonb;
  if (pair(BYTES)) return asText;
  if (pair(TEXTS)) return source.base === "character" || target.base === "character" ? asTrimmed : asText;
  const [there, here] = [elementOf(source.base), elementOf(target.base)];
  if ((there === undefined) !== (here === undefined)) return undefined;
  // A type that the target lacks is kept there in the text form that the load brought it in.
  if ((here ?? target.base) === "text") return source.send && context.floatsAsBytes ? undefined : asText;
  // Types of the user's own, in a schema that has another name there.
  return isUsers(there ?? source.base) && isUsers(here ?? target.base) ? asText : undefined;
}

const asText: CanonicalText = (column) => `${column}::pg_catalog.text`;
/** The cast from character takes the padding away; a load into another type keeps it. */
const asTrimmed: CanonicalText = (column) => `pg_catalog.rtrim(${column}::pg_catalog.text)`;
const asTimestamp: CanonicalText = (column) => `${column}::pg_catalog.text::pg_catalog.timestamp::pg_catalog.text`;
const asJsonb: CanonicalText = (column) => `${column}::pg_catalog.text::pg_catalog.jsonb::pg_catalog.text`;
/** 1.50, 1.5 and 1.500 are one number; 100 keeps its zeros. */
const asPlainNumber: CanonicalText = (column) =>
  `CASE WHEN pg_catalog.strpos(${column}::pg_catalog.text, '.') > 0 THEN pg_catalog.rtrim(pg_catalog.rtrim(${column}::pg_catalog.text, '0'), '.') ELSE ${column}::pg_catalog.text END`;

function asSent(base: string, send: string): CanonicalText {
  const sent = (column: string) => `pg_catalog.${send}(${column})::pg_catalog.text`;
  // A computed not-a-number may have its sign bit set, which a load by text does not keep; there is only one in SQL.
  if (SCALAR_FLOATS.has(base))
    return (column) => `CASE WHEN ${column} = 'NaN'::pg_catalog.float8 THEN 'NaN' ELSE ${sent(column)} END`;
  return sent;
}

function elementOf(base: string): string | undefined {
  return base.endsWith("[]") ? base.slice(0, -2) : undefined;
}

/** format_type qualifies what is not in pg_catalog, as nothing else is in our search_path. */
function isUsers(type: string): boolean {
  return type.includes(".");
}
