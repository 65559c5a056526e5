import type { MaskedColumn } from "../../../engine/etl.js";
import type { PlannedColumn } from "../../../engine/models/plan.js";
import { ident, literal } from "../sql.js";
import { castType } from "./valueSql.js";

/** What the server says of a column that is to be hidden; below a domain. */
export interface MaskedType {
  /** Type category: S for texts. */
  readonly category: string;
  /** As format_type writes it, without modifiers. */
  readonly base: string;
  /** Characters that fit; undefined: any number. */
  readonly length: number | undefined;
  /** The source's server_version_num. */
  readonly version: number;
}

/**
 * The expression that stands for the column's values, in SQL that every version from 10 on takes and calls immutable; or why there is none. Pure.
 * A digest of a text is one of its bytes in the encoding of the source's database.
 */
export function maskSql(
  mask: Omit<MaskedColumn, "column">,
  column: Pick<PlannedColumn, "source" | "type" | "nullable">,
  type: MaskedType,
): { readonly expression: string } | { readonly refused: string } {
  const name = ident(column.source);
  const isText = type.category === "S";
  const unfit = (needed: number) =>
    type.length !== undefined && type.length < needed
      ? { refused: `it is a ${column.type}, and method ${mask.method} needs ${needed} characters` }
      : undefined;
  switch (mask.method) {
    case "null":
      return column.nullable ? { expression: "NULL" } : { refused: "it is NOT NULL" };
    case "constant": {
      const value = mask.value ?? "";
      return (isText && unfit([...value].length)) || { expression: `${literal(value)}::${castType(column.type)}` };
    }
    case "keep":
      return isText ? { expression: keepSql(mask, name) } : { refused: `method keep is for texts, and it is a ${column.type}` };
    case "md5":
      if (isText) return unfit(32) ?? { expression: `pg_catalog.md5(${name}::text)` };
      if (type.base === "bytea") return { expression: `pg_catalog.decode(pg_catalog.md5(${name}), 'hex')` };
      if (type.base === "uuid") return { expression: `pg_catalog.md5(${name}::text)::uuid` };
      return { refused: `method md5 is for texts, bytea and uuid, and it is a ${column.type}` };
    case "sha256":
      if (type.version < 110_000) return { refused: "method sha256 needs a source from PostgreSQL 11 on: take md5" };
      if (isText) return unfit(64) ?? { expression: `pg_catalog.encode(pg_catalog.sha256(${bytesSql(name)}), 'hex')` };
      if (type.base === "bytea") return { expression: `pg_catalog.sha256(${name})` };
      return { refused: `method sha256 is for texts and bytea, and it is a ${column.type}` };
  }
}

function keepSql({ keepFirst = 0, keepLast = 0, replaceWith = "*" }: Omit<MaskedColumn, "column">, name: string): string {
  const text = `${name}::text`;
  const length = `pg_catalog.char_length(${text})`;
  const hidden = (count: string) => `pg_catalog.repeat(${literal(replaceWith)}, ${count})`;
  const kept = keepFirst + keepLast;
  if (kept === 0) return hidden(length);
  const parts = [
    ...(keepFirst > 0 ? [`pg_catalog.left(${text}, ${keepFirst})`] : []),
    hidden(`${length} - ${kept}`),
    ...(keepLast > 0 ? [`pg_catalog.right(${text}, ${keepLast})`] : []),
  ];
  return `CASE WHEN ${length} > ${kept} THEN ${parts.join(" || ")} ELSE ${hidden(length)} END`;
}

/** convert_to would be plainer, and is not immutable. */
function bytesSql(name: string): string {
  return `pg_catalog.decode(pg_catalog.replace(${name}::text, ${literal("\\")}, ${literal("\\\\")}), 'escape')`;
}
