import type { Client } from "pg";
import type { QualifiedName } from "../../../engine/models/catalog.js";
import { nameKey } from "../../../engine/selection.js";
import type { PolardbTraits } from "../traits.js";
import { fromView, storedName, userSchema } from "./oracleViews.js";

/** The source texts of one object: its specification and its body. */
export interface SourceTexts extends QualifiedName {
  readonly specification: string;
  readonly body: string | undefined;
}

/**
 * Reads packages or types of the user's schemas out of DBA_SOURCE or ALL_SOURCE: a row a line, with the columns owner, schema_name (where schemas
 * are no owners), name, type, line and text. A body whose specification is not there is passed over.
 */
export async function readSourceTexts(
  client: Client,
  { sourceView }: PolardbTraits,
  kind: "PACKAGE" | "TYPE",
  schemas: ReadonlySet<string>,
): Promise<SourceTexts[]> {
  if (sourceView === undefined) return [];
  const { rows } = await client.query<LineRow>(lines(sourceView), [[kind, `${kind} BODY`]]);
  const texts = new Map<string, QualifiedName & { specification?: string; body?: string }>();
  for (const { schema, owner, name, type, text } of rows) {
    const place = userSchema(schema ?? owner ?? undefined, schemas);
    if (!place) continue;
    const object = { schema: place.schema, name: storedName(name, place.folded) };
    const found: QualifiedName & { specification?: string; body?: string } = texts.get(nameKey(object)) ?? object;
    texts.set(nameKey(object), found);
    const part = type === kind ? "specification" : "body";
    found[part] = `${found[part] ?? ""}${text}${text.endsWith("\n") ? "" : "\n"}`;
  }
  return [...texts.values()].flatMap(({ specification, body, ...object }) =>
    specification === undefined ? [] : [{ ...object, specification, body }],
  );
}

interface LineRow {
  schema: string | null;
  owner: string | null;
  name: string;
  type: string;
  text: string;
}

/** By way of JSON: the columns differ between the releases, and a name that a view lacks would be an error. */
function lines(view: string): string {
  return `
SELECT s.j ->> 'schema_name' AS schema, s.j ->> 'owner' AS owner, s.j ->> 'name' AS name, s.j ->> 'type' AS type,
       coalesce(s.j ->> 'text', '') AS text
FROM (SELECT pg_catalog.to_jsonb(v) AS j FROM ${fromView(view)} v WHERE v.type = ANY ($1)) s
ORDER BY 1, 2, 3, 4, (s.j ->> 'line')::pg_catalog.numeric`;
}
