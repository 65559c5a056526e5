/**
 * Puts the values of DEFINE in the place of &name, as SQL*Plus does before anything is read as SQL, also inside strings. Lines keep their
 * numbers. Variables without a value stay: a & may be meant, and what is a name of an object is told from it later.
 */
export function substitute(script: string): string {
  if (!script.includes("&") || !DEFINITION.test(script)) return script;
  const values = new Map<string, string>();
  let isOn = true;
  return script
    .split("\n")
    .map((line) => {
      const [, name, quoted, plain] = DEFINITION.exec(line) ?? [];
      if (/^\s*SET\s+DEF(INE)?\s+OFF\b/i.test(line)) isOn = false;
      else if (/^\s*SET\s+DEF(INE)?\s+ON\b/i.test(line)) isOn = true;
      const replaced = isOn ? replaceIn(line, values) : line;
      if (name !== undefined) values.set(name.toUpperCase(), replaceIn(quoted?.slice(1, -1) ?? plain ?? "", values));
      return replaced;
    })
    .join("\n");
}

const DEFINITION = /^\s*DEF(?:INE)?\s+(\w+)\s*=\s*(?:("[^"]*"|'[^']*')|(\S+?))\s*;?\s*$/im;

function replaceIn(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(/&&?([\p{L}\p{N}_$#]+)\.?/gu, (whole, name: string) => values.get(name.toUpperCase()) ?? whole);
}
