import { quoted } from "../sql.js";
import { kindOfType } from "./columns.js";
import type { Dictionary, DictionaryRow } from "./dictionary.js";

/** What a value of a user's type is made of. Types as DDL has them. */
export type TypeShape =
  | { readonly kind: "object"; readonly attributes: readonly { readonly name: string; readonly type: string }[] }
  | { readonly kind: "varray"; readonly element: string }
  /** A nested table, which lies in a table of its own, or a type that others are made under: a value may hold more than it says. */
  | { readonly kind: "unreadable"; readonly reason: string };

/** By the type's name as a column has it: `"HR"."ADDRESS"`. */
export type TypeShapes = ReadonlyMap<string, TypeShape>;

const ATTRIBUTES = `
SELECT a.owner AS "schema", a.type_name AS "type", a.attr_name AS "name", a.attr_type_owner AS "of_schema", a.attr_type_name AS "of_type"
  FROM {view}_type_attrs a
 WHERE a.owner {users}
 ORDER BY a.owner, a.type_name, a.attr_no`;

const COLLECTIONS = `
SELECT c.owner AS "schema", c.type_name AS "type", c.coll_type AS "kind", c.elem_type_owner AS "of_schema", c.elem_type_name AS "of_type"
  FROM {view}_coll_types c
 WHERE c.owner {users}`;

const SUPERTYPES = `
SELECT DISTINCT t.supertype_owner AS "schema", t.supertype_name AS "type"
  FROM {view}_types t
 WHERE t.owner {users} AND t.supertype_name IS NOT NULL`;

/** Errors: GW1305. */
export async function readTypeShapes(dictionary: Dictionary): Promise<TypeShapes> {
  const shapes = new Map<string, TypeShape>();
  const attributes = new Map<string, { name: string; type: string }[]>();
  for (const row of await dictionary.read(ATTRIBUTES)) {
    const key = typeKey(row);
    attributes.set(key, [...(attributes.get(key) ?? []), { name: row.name ?? "", type: ofType(row) }]);
  }
  for (const [key, own] of attributes) shapes.set(key, { kind: "object", attributes: own });
  for (const row of await dictionary.read(COLLECTIONS)) {
    const nested = row.kind === "TABLE";
    shapes.set(
      typeKey(row),
      nested ? { kind: "unreadable", reason: "a nested table" } : { kind: "varray", element: ofType(row) },
    );
  }
  for (const row of await dictionary.read(SUPERTYPES)) {
    shapes.set(typeKey(row), { kind: "unreadable", reason: "a type with subtypes" });
  }
  return shapes;
}

function typeKey(row: DictionaryRow): string {
  return `${quoted(row.schema ?? "")}.${quoted(row.type ?? "")}`;
}

/** The dictionary of types has words of its own for types that columns have as well. */
function ofType({ of_schema: schema, of_type: type }: DictionaryRow): string {
  const name = type ?? "";
  if (schema && name !== "XMLTYPE" && name !== "SDO_GEOMETRY") return `${quoted(schema)}.${quoted(name)}`;
  if (name === "SDO_GEOMETRY") return "MDSYS.SDO_GEOMETRY";
  const known = name.replace(/ WITH TZ$/, " WITH TIME ZONE").replace(/ WITH LOCAL TZ$/, " WITH LOCAL TIME ZONE");
  return kindOfType(known) === "other" && /^(INTEGER|SMALLINT|INT|DECIMAL|NUMERIC|REAL|DOUBLE PRECISION)$/.test(known)
    ? "NUMBER"
    : known;
}
