import { ident } from "../../postgres/sql.js";

/** Names of an Oracle view as the server stores them, where the view shows them folded to capitals. */
export function storedName(shown: string, folded: boolean): string {
  if (!folded) return shown;
  const quoted = /^"(.*)"$/s.exec(shown)?.[1];
  return quoted?.replaceAll('""', '"') ?? (/^[A-Z][A-Z0-9_$#]*$/.test(shown) ? shown.toLowerCase() : shown);
}

/** The schema of an Oracle view's row among the user's: by its name, or folded; undefined for what is not the user's. */
export function userSchema(
  shown: string | undefined,
  schemas: ReadonlySet<string>,
): { readonly schema: string; readonly folded: boolean } | undefined {
  if (shown === undefined) return undefined;
  if (schemas.has(shown)) return { schema: shown, folded: false };
  const stored = storedName(shown, true);
  return schemas.has(stored) ? { schema: stored, folded: true } : undefined;
}

/** A view as identifiers for a FROM clause. */
export function fromView(view: string): string {
  return view.split(".").map(ident).join(".");
}
