import type { Client } from "pg";
import type { FormatColumn } from "./recordFormat.js";

/** What a type comes down to: itself, or what a domain is made of, through any number of domains. */
export interface BaseType {
  readonly typeId: number;
  readonly name: string;
  /** pg_type.typtype: b base, e enum, c composite, r range, m multirange, p pseudo. */
  readonly kind: string;
}

/** How a value's text form is to be understood. `text` kinds stand for themselves; `other` is text of a type that no format knows. */
export type ValueKind =
  | "int2"
  | "int4"
  | "int8"
  | "numeric"
  | "float4"
  | "float8"
  | "text"
  | "char"
  | "varchar"
  | "bool"
  | "bytea"
  | "json"
  | "jsonb"
  | "xml"
  | "uuid"
  | "date"
  | "time"
  | "timetz"
  | "timestamp"
  | "timestamptz"
  | "userText"
  | "other";

export interface ColumnType {
  readonly kind: ValueKind;
  /** The PostgreSQL type number a consumer is told: a domain's base, a built-in type standing for one it cannot know. */
  readonly typeId: number;
  /** Of numeric(p,s); undefined where the type does not limit it. */
  readonly precision: number | undefined;
  readonly scale: number | undefined;
}

/** Numbers of PostgreSQL's own types (pg_type.dat); below this number a type is the same on every server. */
const FIRST_USER_TYPE = 16384;
const BUILT_IN = new Map<number, ValueKind>([
  [16, "bool"],
  [17, "bytea"],
  [18, "char"],
  [19, "varchar"], // name
  [20, "int8"],
  [21, "int2"],
  [23, "int4"],
  [25, "text"],
  [114, "json"],
  [142, "xml"],
  [700, "float4"],
  [701, "float8"],
  [1042, "char"],
  [1043, "varchar"],
  [1082, "date"],
  [1083, "time"],
  [1114, "timestamp"],
  [1184, "timestamptz"],
  [1266, "timetz"],
  [1700, "numeric"],
  [2950, "uuid"],
  [3802, "jsonb"],
]);

/**
 * Oracle's names, which a PolarDB O server may have as types of its own (with numbers of its own) rather than as other names of
 * PostgreSQL's. Its DATE has a time of day, like timestamp(0).
 */
const ORACLE_NAMES = new Map<string, number>([
  ["varchar2", 1043],
  ["nvarchar2", 1043],
  ["nchar", 1042],
  ["number", 1700],
  ["binary_integer", 23],
  ["pls_integer", 23],
  ["binary_float", 700],
  ["binary_double", 701],
  ["clob", 25],
  ["nclob", 25],
  ["long", 25],
  ["blob", 17],
  ["raw", 17],
  ["date", 1114],
]);

export function columnType(column: FormatColumn): ColumnType {
  const base = column.baseType ?? { typeId: column.typeId, name: "", kind: "b" };
  const builtIn = BUILT_IN.get(base.typeId);
  const standIn = builtIn || base.kind !== "b" ? undefined : ORACLE_NAMES.get(base.name.toLowerCase());
  const typeId = standIn ?? base.typeId;
  const kind = BUILT_IN.get(typeId) ?? (typeId < FIRST_USER_TYPE ? "other" : "userText");
  const modifiers = kind === "numeric" ? /\((\d+)(?:,(-?\d+))?\)/.exec(column.type) : undefined;
  return {
    kind,
    typeId,
    precision: modifiers ? Number(modifiers[1]) : undefined,
    scale: modifiers ? Number(modifiers[2] ?? 0) : undefined,
  };
}

/** Follows domains down to what they are made of. */
const BASE_TYPES = `
  WITH RECURSIVE chain AS (
    SELECT t.oid AS asked, t.oid, t.typname, t.typtype, t.typbasetype
      FROM pg_catalog.pg_type t WHERE t.oid = ANY ($1::pg_catalog.oid[])
    UNION ALL
    SELECT chain.asked, t.oid, t.typname, t.typtype, t.typbasetype
      FROM chain JOIN pg_catalog.pg_type t ON t.oid = chain.typbasetype WHERE chain.typtype = 'd'
  )
  SELECT asked::pg_catalog.int8::pg_catalog.text AS asked, oid::pg_catalog.int8::pg_catalog.text AS oid,
         typname::pg_catalog.text AS name, typtype::pg_catalog.text AS kind
    FROM chain WHERE typtype <> 'd'`;

/** What the types with these numbers come down to; numbers that the server does not know are not in the map. */
export async function readBaseTypes(client: Client, typeIds: readonly number[]): Promise<ReadonlyMap<number, BaseType>> {
  const { rows } = await client.query<{ asked: string; oid: string; name: string; kind: string }>(BASE_TYPES, [[...typeIds]]);
  return new Map(rows.map(({ asked, oid, name, kind }) => [Number(asked), { typeId: Number(oid), name, kind }]));
}
