import type { Client } from "pg";
import type { Draft, SchemaContext } from "../../postgres/schema/draft.js";

export async function readLanguages(client: Client): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ name: string }>("SELECT lanname::text AS name FROM pg_catalog.pg_language");
  return new Set(rows.map(({ name }) => name));
}

/** Routines in a language that the target does not have, and that no extension of the source brings along. */
export function blockLanguages(
  { catalog }: SchemaContext,
  drafts: readonly Draft[],
  languages: ReadonlySet<string>,
): readonly Draft[] {
  const offered = new Set([...languages, ...catalog.extensions.map(({ name }) => name)]);
  const written = new Map(catalog.routines.map(({ key, language }) => [key, language]));
  return drafts.map((draft) => {
    const language = draft.provides.flatMap((key) => written.get(key) ?? [])[0];
    if (language === undefined || offered.has(language)) return draft;
    return { ...draft, blocked: `it is written in ${language}, which the target does not have; write it anew there` };
  });
}
