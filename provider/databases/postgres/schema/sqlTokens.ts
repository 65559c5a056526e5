/** One lexical element of SQL. Joining the texts of all tokens gives the input back, byte for byte. */
export interface SqlToken {
  readonly kind: "space" | "identifier" | "string" | "dollar" | "number" | "operator" | "punctuation";
  readonly text: string;
  /** An identifier's name as the server understands it: folded, or unquoted. Else the text. */
  readonly value: string;
  /** An identifier written without quotes, so it may be a keyword. */
  readonly bare: boolean;
}

const WORD = /[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/y;
const NUMBER = /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const SPACE = /(?:\s+|--[^\n]*)+/y;
const DOLLAR = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/y;
const PARAMETER = /\$\d+/y;
const OPERATOR = /[+\-*/<>=~!@#%^&|`?]+/y;

/**
 * Splits SQL as the server's scanner does: nested comments, quoted identifiers, escape strings and dollar quotes. Never fails: an
 * unterminated string reaches to the end.
 */
export function tokenize(sql: string): SqlToken[] {
  const tokens: SqlToken[] = [];
  let at = 0;
  const push = (kind: SqlToken["kind"], end: number, value?: string, bare = false): void => {
    const text = sql.slice(at, end);
    tokens.push({ kind, text, value: value ?? text, bare });
    at = end;
  };
  while (at < sql.length) {
    const space = matchAt(SPACE, sql, at);
    if (space) {
      push("space", at + space.length);
      continue;
    }
    if (sql.startsWith("/*", at)) {
      push("space", commentEnd(sql, at));
      continue;
    }
    const char = sql.charAt(at);
    if (char === '"') {
      const end = quotedEnd(sql, at, '"', false);
      push("identifier", end, sql.slice(at + 1, end - 1).replaceAll('""', '"'));
      continue;
    }
    if (char === "'") {
      push("string", quotedEnd(sql, at, "'", false));
      continue;
    }
    const word = matchAt(WORD, sql, at);
    if (word) {
      if (/^[eEbBxXnN]$/.test(word) && sql.charAt(at + 1) === "'")
        push("string", quotedEnd(sql, at + 1, "'", /^[eE]$/.test(word)));
      else push("identifier", at + word.length, foldCase(word), true);
      continue;
    }
    const dollar = matchAt(DOLLAR, sql, at);
    if (dollar) {
      const end = sql.indexOf(dollar, at + dollar.length);
      push("dollar", end < 0 ? sql.length : end + dollar.length);
      continue;
    }
    const number = matchAt(NUMBER, sql, at) ?? matchAt(PARAMETER, sql, at);
    if (number) {
      push("number", at + number.length);
      continue;
    }
    const operator = matchAt(OPERATOR, sql, at);
    if (operator) push("operator", at + operatorLength(operator));
    else if (sql.startsWith("::", at)) push("operator", at + 2);
    else push("punctuation", at + 1);
  }
  return tokens;
}

/** The server folds only ASCII letters in a multi-byte encoding. */
function foldCase(word: string): string {
  return word.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** A comment may start right after an operator's characters. */
function operatorLength(operator: string): number {
  const comment = [operator.indexOf("--", 1), operator.indexOf("/*", 1)].filter((index) => index > 0);
  return Math.min(operator.length, ...comment);
}

function matchAt(pattern: RegExp, sql: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(sql)?.[0];
}

function quotedEnd(sql: string, start: number, quote: string, escapes: boolean): number {
  for (let at = start + 1; at < sql.length; at += 1) {
    const char = sql.charAt(at);
    if (escapes && char === "\\") at += 1;
    else if (char === quote) {
      if (sql.charAt(at + 1) !== quote) return at + 1;
      at += 1;
    }
  }
  return sql.length;
}

function commentEnd(sql: string, start: number): number {
  let depth = 1;
  let at = start + 2;
  for (; at < sql.length && depth > 0; at += 1) {
    if (sql.startsWith("/*", at)) depth += 1;
    else if (sql.startsWith("*/", at)) depth -= 1;
    else continue;
    at += 1;
  }
  return at;
}
