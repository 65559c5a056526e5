/** Quotes one identifier. Always quoted: a name that needs none today may be a keyword in the next version. */
export function ident(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Quotes schema.name. */
export function qualified(object: { readonly schema: string; readonly name: string }): string {
  return `${ident(object.schema)}.${ident(object.name)}`;
}

/** Quotes a string literal, whatever standard_conforming_strings says. */
export function literal(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes("\\") ? ` E${quoted.replaceAll("\\", "\\\\")}` : quoted;
}
