import type { MaskedColumn } from "../../../engine/etl.js";
import type { PlannedColumn, PlannedTable } from "../../../engine/models/plan.js";
import { bracketed } from "../../../engine/plan.js";
import { literal, quoted } from "../sql.js";

/** The tables with the expressions for their values in Oracle's SQL, and what stands against them. Pure: Oracle itself is asked in the precheck. */
export function withColumnValues(tables: readonly PlannedTable[]): {
  readonly tables: readonly PlannedTable[];
  readonly refused: readonly string[];
} {
  const refused: string[] = [];
  const written = tables.map((table) => {
    if (!table.columns.some(({ value }) => value)) return table;
    const columns = table.columns.map((column): PlannedColumn => {
      const { value } = column;
      if (!value) return column;
      const made = "expression" in value.given ? { sql: bracketed(value.given.expression) } : maskSql(value.given, column);
      const cast = "sql" in made ? castSql(made.sql, column.type) : made;
      if ("sql" in cast) return { ...column, value: { ...value, expression: cast.sql } };
      refused.push(`${table.source.schema}.${table.source.name}.${column.source}: ${cast.refused}`);
      return column;
    });
    return { ...table, columns };
  });
  return { tables: written, refused };
}

type Made = { readonly sql: string } | { readonly refused: string };

/**
 * As the column's type, so that the value travels as the column's would. Texts as long as SQL can have them: a cast to less cuts them silently, and the
 * target refuses what is too long.
 */
function castSql(expression: string, type: string): Made {
  if (/^(VARCHAR2|CHAR)\b/.test(type)) return { sql: `CAST(${expression} AS VARCHAR2(4000))` };
  if (/^(NVARCHAR2|NCHAR)\b/.test(type)) return { sql: `CAST(${expression} AS NVARCHAR2(2000))` };
  if (/^N?CLOB$/.test(type)) return { sql: `TO_CLOB(${expression})` };
  if (/^(NUMBER|FLOAT|BINARY_FLOAT|BINARY_DOUBLE|DATE|TIMESTAMP|INTERVAL|RAW)\b/.test(type)) {
    return { sql: `CAST(${expression} AS ${type})` };
  }
  return { refused: `a ${type} can't be derived or masked` };
}

function maskSql(mask: Omit<MaskedColumn, "column">, { source, type, nullable }: PlannedColumn): Made {
  const fixed = /^N?CHAR\b/.test(type);
  const isText = fixed || /^N?VARCHAR2\b/.test(type);
  // Of a fixed length are the blanks behind the text no part of it.
  const name = fixed ? `RTRIM(${quoted(source)})` : quoted(source);
  const length = isText ? Number(/\((\d+)/.exec(type)?.[1] ?? 1) : Number.POSITIVE_INFINITY;
  const hashed = (algorithm: "MD5" | "SHA256", characters: number): Made => {
    const digest = (of: string) => `CASE WHEN ${name} IS NOT NULL THEN ${of} END`;
    const hash = `STANDARD_HASH(${name}, '${algorithm}')`;
    if (/^RAW\b/.test(type)) return { sql: digest(hash) };
    if (!isText) return { refused: `method ${mask.method} is for VARCHAR2, CHAR and RAW, and it is a ${type}` };
    if (length < characters) return { refused: `it is a ${type}, and method ${mask.method} needs ${characters} characters` };
    return { sql: digest(`LOWER(RAWTOHEX(${hash}))`) };
  };
  switch (mask.method) {
    case "null":
      return nullable ? { sql: "NULL" } : { refused: "it is NOT NULL" };
    case "constant":
      return { sql: literal(mask.value ?? "") };
    case "keep":
      return isText ? { sql: keepSql(mask, name) } : { refused: `method keep is for VARCHAR2 and CHAR, and it is a ${type}` };
    case "md5":
      return hashed("MD5", 32);
    case "sha256":
      return hashed("SHA256", 64);
  }
}

function keepSql({ keepFirst = 0, keepLast = 0, replaceWith = "*" }: Omit<MaskedColumn, "column">, name: string): string {
  const character = literal(replaceWith);
  const hidden = (count: string) => `RPAD(${character}, ${count}, ${character})`;
  const kept = keepFirst + keepLast;
  if (kept === 0) return hidden(`LENGTH(${name})`);
  const parts = [
    ...(keepFirst > 0 ? [`SUBSTR(${name}, 1, ${keepFirst})`] : []),
    hidden(`LENGTH(${name}) - ${kept}`),
    ...(keepLast > 0 ? [`SUBSTR(${name}, LENGTH(${name}) - ${keepLast - 1})`] : []),
  ];
  return `CASE WHEN LENGTH(${name}) > ${kept} THEN ${parts.join(" || ")} ELSE ${hidden(`LENGTH(${name})`)} END`;
}
