import type { Client } from "pg";
import { nameKey } from "../../../engine/selection.js";
import type { ObjectKey } from "../../postgres/catalog/model.js";
import type { PolardbTraits } from "../traits.js";
import type { PolardbType } from "./objects.js";
import { readSourceTexts } from "./sourceLines.js";

export interface SourcedTypes {
  readonly found: readonly PolardbType[];
  /** Types that no catalog describes and whose text cannot be read. */
  readonly unreadable: readonly {
    readonly key: ObjectKey;
    readonly kind: "type";
    readonly schema: string;
    readonly name: string;
    readonly reason: string;
  }[];
}

/** Types as their authors wrote them: CREATE TYPE .. AS OBJECT, IS TABLE OF, IS VARRAY. */
export async function readSourcedTypes(
  client: Client,
  traits: PolardbTraits,
  schemas: ReadonlySet<string>,
): Promise<SourcedTypes> {
  const texts = new Map((await readSourceTexts(client, traits, "TYPE", schemas)).map((text) => [nameKey(text), text]));
  const { rows } = await client.query<TypeRow>(TYPES);
  const types = rows.filter(({ schema }) => schemas.has(schema));
  return {
    found: types.flatMap(({ key, ...type }): PolardbType[] => {
      const text = texts.get(nameKey(type));
      return text ? [{ ...text, key }] : [];
    }),
    unreadable: types
      .filter((type) => type.foreign && !texts.has(nameKey(type)))
      .map(({ key, schema, name }) => ({
        key,
        kind: "type",
        schema,
        name,
        reason: "the source does not show how this type is made; create it on the target",
      })),
  };
}

interface TypeRow {
  key: ObjectKey;
  schema: string;
  name: string;
  foreign: boolean;
}

/** PostgreSQL's own kinds are read elsewhere; collections have one of their own here (the JDBC driver knows them by typtype a). */
const TYPES = `
SELECT 'pg_type/' || t.oid AS key, n.nspname AS schema, t.typname AS name, t.typtype NOT IN ('b', 'c', 'd', 'e', 'p', 'r', 'm') AS foreign
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE t.oid >= 16384 AND (t.typtype NOT IN ('b', 'd', 'e', 'p', 'r', 'm'))
  AND (t.typrelid = 0 OR EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
ORDER BY t.oid`;
