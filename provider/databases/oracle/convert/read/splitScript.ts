import { Lexer, LexicalProblem, type Token } from "./lexer.js";
import { substitute } from "./substitute.js";

/** One statement of a script: an SQL statement up to its semicolon or a PL/SQL unit up to its slash. */
export interface SourceUnit {
  readonly tokens: readonly Token[];
  readonly line: number;
  /** The statement as written, without its terminator. */
  readonly text: string;
  /** The text that the tokens' offsets point into. */
  readonly script: string;
  /** Why the unit could not be read to its end. */
  readonly problem?: string;
}

/** SQL*Plus commands: lines of their own that no server ever sees. */
const CLIENT_COMMANDS = new Set(
  `PROMPT REM REMARK WHENEVER SPOOL DEFINE UNDEFINE UNDEF SHOW SHO EXEC EXECUTE ACCEPT COLUMN COL VARIABLE VAR PRINT CONNECT CONN DISCONNECT
  EXIT QUIT PAUSE HOST TTITLE BTITLE CLEAR START TIMING BREAK COMPUTE STORE SAVE DESCRIBE DESC LIST ED EDIT GET RUN ARCHIVE PASSWORD`.split(
    /\s+/,
  ),
);
const SET_STATEMENTS = new Set(["ROLE", "TRANSACTION", "CONSTRAINT", "CONSTRAINTS"]);
/** What may stand between CREATE and the kind of the object. */
const BEFORE_KIND = new Set([
  "OR",
  "REPLACE",
  "EDITIONABLE",
  "NONEDITIONABLE",
  "AND",
  "RESOLVE",
  "COMPILE",
  "NO",
  "FORCE",
  "NOFORCE",
  "IF",
  "NOT",
  "EXISTS",
]);
const PROCEDURAL = new Set(["FUNCTION", "PROCEDURE", "PACKAGE", "TRIGGER", "LIBRARY", "JAVA"]);
/** No PL/SQL statement starts with one of these, so at the start of a line behind a semicolon the unit before has ended. */
const NEVER_INSIDE = new Set(["CREATE", "ALTER", "DROP", "GRANT", "SHOW", "PROMPT", "SPOOL", "WHENEVER"]);

/** Splits a script into its statements. A unit that cannot be read is returned with its problem, and reading goes on behind it. */
export function splitScript(text: string): SourceUnit[] {
  const script = substitute(text);
  const lexer = new Lexer(script);
  const units: SourceUnit[] = [];
  for (;;) {
    const tokens: Token[] = [];
    try {
      const first = lexer.next();
      if (first.kind === "end") return units;
      if (first.text === ";" || (first.text === "/" && first.alone)) continue;
      if (isClientCommand(first, lexer)) {
        lexer.skipLine();
        continue;
      }
      tokens.push(first);
      readUnit(lexer, tokens);
      units.push(unitOf(script, tokens));
    } catch (cause) {
      if (!(cause instanceof LexicalProblem)) throw cause;
      // What follows an unclosed string or comment cannot be told from its content, so the script ends here.
      units.push({ ...unitOf(script, tokens), line: tokens[0]?.line ?? cause.line, problem: cause.message });
      return units;
    }
  }
}

function readUnit(lexer: Lexer, tokens: Token[]): void {
  let procedural: boolean | undefined;
  for (;;) {
    const token = lexer.next();
    if (token.kind === "end" || (token.text === "/" && token.alone)) return;
    procedural ??= isProcedural(tokens, token);
    const last = tokens.at(-1);
    // END;/ ends a unit for tools that are not SQL*Plus; no PL/SQL statement begins with a slash.
    if (procedural === true && token.text === "/" && last?.text === ";") return;
    if (procedural === true && last?.text === ";" && token.opensLine && NEVER_INSIDE.has(token.text)) {
      if (last) lexer.rewind(last);
      return;
    }
    if (token.text === ";" && procedural !== true) return;
    tokens.push(token);
  }
}

/** Undefined while the words read so far leave it open. */
function isProcedural(tokens: readonly Token[], next: Token): boolean | undefined {
  const words = [...tokens, next].map((token) => token.text);
  if (words[0] === "BEGIN" || words[0] === "DECLARE" || words[0] === "<<") return true;
  if (words[0] !== "CREATE") return false;
  const kind = words.slice(1).find((word) => !BEFORE_KIND.has(word));
  if (kind === undefined) return undefined;
  if (kind === "TYPE") return words.at(-1) === "TYPE" ? undefined : words[words.indexOf("TYPE") + 1] === "BODY";
  return PROCEDURAL.has(kind);
}

function isClientCommand(first: Token, lexer: Lexer): boolean {
  if (first.text === "@" || first.text === "!") return true;
  if (first.kind !== "word") return false;
  if (CLIENT_COMMANDS.has(first.text)) return true;
  if (first.text !== "SET") return false;
  const second = lexer.next();
  lexer.rewind(first);
  return !SET_STATEMENTS.has(second.text);
}

function unitOf(script: string, tokens: readonly Token[]): SourceUnit {
  const first = tokens[0];
  const last = tokens.at(-1);
  const text = first && last ? script.slice(first.start, last.end) : "";
  return { tokens, line: first?.line ?? 1, text, script };
}
