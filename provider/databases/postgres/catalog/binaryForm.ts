import type { PgRelation } from "./model.js";
import { type CatalogSession, rows } from "./query.js";

interface TypeFacts {
  id: number;
  name: string;
  kind: "b" | "c" | "d" | "e" | "m" | "p" | "r";
  element: number;
  base: number;
  relation: number;
  subtype: number;
  array: boolean;
  transportable: boolean;
}

/** Oids below this are the same on every server: they are assigned by hand in the sources (FirstNormalObjectId). */
const FIRST_USER_OID = 16384;

/** Their binary form is the oid of an object of the server they come from. */
const OBJECT_REFERENCES = /^reg[a-z]+$/;

/**
 * Answers for a type whether its binary form means the same on another server.
 *
 * - A built-in base type: yes if it has send and recv functions and is no reg* type.
 * - An array carries the oid of its element type (array_send): yes only over a built-in, portable element.
 * - A domain travels as its base type; an enum as its label; a range and a multirange as their bounds, without oids.
 * - A row carries the oid of every field's type (record_send): yes only when all fields are of built-in, portable types.
 * - A base type of an extension or of a user: no; nothing promises that its send format is the same in the target's version.
 */
export async function readBinaryForms(
  session: CatalogSession,
  relations: readonly PgRelation[],
): Promise<(typeId: number) => boolean> {
  const types = new Map((await rows<TypeFacts>(session, typeFacts(session))).map((type) => [type.id, type]));
  const fields = new Map(relations.map((relation) => [relation.id, relation.columns.map((column) => column.typeId)]));
  const known = new Map<number, boolean>();
  const builtIn = (id: number): boolean => id < FIRST_USER_OID;

  const decide = (id: number): boolean => {
    const type = types.get(id);
    if (!type) return false;
    switch (type.kind) {
      case "e":
        return true;
      case "d":
        return portable(type.base);
      case "r":
      case "m":
        return portable(type.subtype);
      case "c":
        return fields.get(type.relation)?.every((field) => builtIn(field) && portable(field)) ?? false;
      case "b":
        if (type.array) return builtIn(type.element) && portable(type.element);
        return builtIn(id) && type.transportable && !OBJECT_REFERENCES.test(type.name);
      case "p":
        return false;
    }
  };
  const portable = (id: number): boolean => {
    const before = known.get(id);
    if (before !== undefined) return before;
    // A row type that holds an array of itself would recurse for ever; such an array is over a user's type, so it is not portable.
    known.set(id, false);
    const answer = decide(id);
    known.set(id, answer);
    return answer;
  };
  return portable;
}

function typeFacts({ version }: CatalogSession): string {
  const multirange = version >= 14 ? "OR r.rngmultitypid = t.oid" : "";
  return `
SELECT t.oid AS id, t.typname AS name, t.typtype AS kind, t.typelem AS element, t.typbasetype AS base, t.typrelid AS relation,
       coalesce((SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid ${multirange}), 0) AS subtype,
       t.typcategory = 'A' AND t.typelem <> 0 AS array,
       t.typsend <> 0 AND t.typreceive <> 0 AS transportable
FROM pg_catalog.pg_type t`;
}
