/** A field: in quotes (a doubled quote is one) or up to the next comma; then what ends it. */
const FIELD = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;

/** The records of a CSV text under the names in its first line. */
export function csvRecords(text: string): Record<string, string>[] {
  const lines = csvLines(text);
  const names = lines.shift() ?? [];
  return lines.map((fields) => Object.fromEntries(names.map((name, index) => [name, fields[index] ?? ""])));
}

function csvLines(text: string): string[][] {
  const lines: string[][] = [];
  let line: string[] = [];
  FIELD.lastIndex = 0;
  while (FIELD.lastIndex < text.length) {
    const at = FIELD.lastIndex;
    const match = FIELD.exec(text);
    if (!match) throw new SyntaxError(`no CSV at character ${at}: ${text.slice(at, at + 40)}`);
    line.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
    if (match[3] === ",") continue;
    lines.push(line);
    line = [];
  }
  return lines;
}
