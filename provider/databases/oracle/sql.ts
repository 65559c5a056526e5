/** An identifier as it is stored. Oracle's hold no double quotes. */
export function quoted(name: string): string {
  return `"${name}"`;
}

/** A string literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
