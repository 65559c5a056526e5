import type { ConversionContext, ConvertedStatement, SkippedStatement } from "./convertDdl.js";
import { convertAlter } from "./objects/alterOthers.js";
import { type Converted, readUnitEnd, skipCreate } from "./objects/converted.js";
import { convertGrant } from "./objects/grants.js";
import { convertIndex } from "./objects/indexes.js";
import { skipNeedless } from "./objects/oracleOnly.js";
import { convertPackage } from "./objects/packages.js";
import { convertRoutine } from "./objects/routineObjects.js";
import { convertSequence } from "./objects/sequences.js";
import { convertComment, convertDrop, convertRename, convertTruncate } from "./objects/smallStatements.js";
import { convertSynonym } from "./objects/synonyms.js";
import { convertTable } from "./objects/tables.js";
import { convertTrigger } from "./objects/triggers.js";
import { convertType } from "./objects/types.js";
import { convertMaterializedView, convertView } from "./objects/views.js";
import { selectBranches } from "./read/conditionalCompilation.js";
import { Cursor, Unconvertible } from "./read/cursor.js";
import { LexicalProblem, type Token } from "./read/lexer.js";
import { readBlock } from "./read/readBlock.js";
import { atDml, readDml } from "./read/readDml.js";
import type { SourceUnit } from "./read/splitScript.js";
import { writeDml } from "./write/dml.js";
import { type Environment, Output, Scope, Unit } from "./write/environment.js";
import { dollarQuote } from "./write/names.js";
import { writeBody } from "./write/routines.js";
import type { SupportFunction } from "./write/support.js";

export interface UnitResult {
  readonly kind: string;
  readonly statement?: ConvertedStatement;
  readonly skipped: readonly Omit<SkippedStatement, "source">[];
  readonly support: ReadonlySet<SupportFunction>;
  /** Where the unit's END was not the end: no slash stands between it and what follows. */
  readonly rest?: Token;
}

/** Converts one statement of a script, or says why not. */
export function convertUnit(unit: SourceUnit, context: ConversionContext): UnitResult {
  const { kind, name } = describe(unit);
  const output = new Output();
  const env: Environment = { catalog: context.catalog, scope: context.scope, output, place: "definition" };
  try {
    if (unit.problem !== undefined) throw new Unconvertible(unit.problem, unit.line);
    if (isWrapped(unit))
      throw new Unconvertible("wrapped source, which only Oracle reads: convert what it was wrapped from", unit.line);
    for (const token of unit.tokens.filter(({ substituted }) => substituted))
      output.warn(
        `the substitution variable &${token.value} became the name ${token.value}: no DEFINE gives it a value`,
        token.line,
      );
    const cursor = new Cursor(selectBranches(unit.tokens), unit.script);
    const converted = convert(cursor, env);
    const rest = IN_PLSQL.has(converted.kind) && !cursor.done ? cursor.peek() : undefined;
    if (rest) output.warn("no slash ends it: what follows was read as statements of their own", rest.line);
    const skipped = [
      ...(converted.leftOut ?? []),
      ...output.unconverted.map((part) => ({ ...part, reason: `${part.reason}; it raises this as an error (0A000)` })),
    ].map(({ kind, name, reason, line }) => ({ kind, name, reason, line }));
    const statement = {
      kind: converted.kind,
      name: converted.name,
      sql: converted.sql,
      ...(converted.nothing === undefined ? {} : { nothing: converted.nothing }),
      warnings: output.warnings,
      line: unit.line,
    };
    return { kind: converted.kind, statement, skipped, support: output.support, ...(rest ? { rest } : {}) };
  } catch (cause) {
    const reason = reasonOf(cause);
    if (reason === undefined) throw cause;
    return { kind, skipped: [{ kind, name, ...reason, line: reason.line || unit.line }], support: new Set() };
  }
}

/** Kinds that a slash ends, since they hold semicolons of their own. */
const IN_PLSQL = new Set(["function", "procedure", "package", "package body", "block"]);

/** CREATE ... name WRAPPED, and behind it a text that is no PL/SQL. */
function isWrapped({ tokens }: SourceUnit): boolean {
  const words = tokens.slice(0, 12).map((token) => token.text);
  const at = words.indexOf("WRAPPED");
  const isNamed = at > 2 && !["FUNCTION", "PROCEDURE", "PACKAGE", "TYPE", "BODY", "."].includes(words[at - 1] ?? "");
  return words[0] === "CREATE" && isNamed && !["IS", "AS", "(", "RETURN"].includes(words[at + 1] ?? "");
}

/** What the source did to make the conversion fail; undefined for an error of the converter's own. */
function reasonOf(cause: unknown): { reason: string; line: number } | undefined {
  if (cause instanceof Unconvertible) return { reason: cause.reason, line: cause.line ?? 0 };
  if (cause instanceof LexicalProblem) return { reason: cause.message, line: 0 };
  return cause instanceof RangeError ? { reason: "nested too deeply", line: 0 } : undefined;
}

function convert(cursor: Cursor, env: Environment): Converted {
  if (cursor.at("CREATE")) return convertCreate(cursor, env);
  if (cursor.at("ALTER")) return convertAlter(cursor, env);
  if (cursor.at("COMMENT")) return convertComment(cursor, env);
  if (cursor.at("DROP")) return convertDrop(cursor);
  if (cursor.at("RENAME")) return convertRename(cursor);
  if (cursor.at("TRUNCATE")) return convertTruncate(cursor);
  if (cursor.atAny("GRANT", "REVOKE")) return convertGrant(cursor);
  if (cursor.atAny("BEGIN", "DECLARE")) return convertAnonymous(cursor, env);
  if (atDml(cursor)) {
    const kind = cursor.peek().text.toLowerCase();
    const dml = readDml(cursor);
    if (!cursor.done) cursor.fail("expected the end of the statement");
    return { kind, name: "", sql: [writeDml(dml, { ...env, place: "query" }).sql] };
  }
  const word = cursor.peek().text;
  if (["COMMIT", "ROLLBACK", "ANALYZE", "PURGE", "AUDIT", "NOAUDIT", "EXPLAIN", "FLASHBACK", "SET"].includes(word))
    cursor.refuse(`${word}: no part of a schema`);
  cursor.refuse(`a statement that begins with ${cursor.peek().value}`);
}

function convertCreate(cursor: Cursor, env: Environment): Converted {
  const { orReplace } = skipCreate(cursor);
  if (cursor.atAny("FUNCTION", "PROCEDURE")) return convertRoutine(cursor, env);
  if (cursor.at("PACKAGE")) return convertPackage(cursor, env);
  if (cursor.at("TRIGGER")) return convertTrigger(cursor, env);
  if (cursor.at("TYPE")) return convertType(cursor, env);
  if (cursor.at("VIEW")) return convertView(cursor, orReplace, env);
  if (cursor.at("MATERIALIZED", "VIEW")) return convertMaterializedView(cursor, env);
  if (cursor.at("SEQUENCE")) return convertSequence(cursor, env);
  if (cursor.at("SYNONYM") || cursor.at("PUBLIC", "SYNONYM")) return convertSynonym(cursor, env);
  if (cursor.atAny("UNIQUE", "BITMAP", "INDEX", "MULTIVALUE") || cursor.at("SEARCH", "INDEX")) return convertIndex(cursor, env);
  if (cursor.atAny("TABLE", "GLOBAL", "PRIVATE", "SHARDED", "DUPLICATED", "IMMUTABLE", "BLOCKCHAIN"))
    return convertTable(cursor, env);
  const needless = skipNeedless(cursor);
  if (needless) return { ...needless, sql: [] };
  cursor.refuse(`CREATE ${cursor.peek().value}: PostgreSQL has nothing of the kind, or it is not part of a schema`);
}

/** An anonymous block runs once, as DO does. */
function convertAnonymous(cursor: Cursor, env: Environment): Converted {
  const block = readBlock(cursor);
  readUnitEnd(cursor, "block");
  const unit = new Unit("procedure", "godwit_block", ["RETURN;"]);
  const body = writeBody(block, { ...env, scope: new Scope(env.scope), unit, place: "procedure" });
  // It runs as soon as it is loaded, so an error in it would end the script.
  const [part] = env.output.unconverted;
  if (part) throw new Unconvertible(part.reason, part.line);
  return { kind: "block", name: "", sql: [...env.output.before, `DO ${dollarQuote(body.join("\n"))}`] };
}

const MODIFIERS = new Set([
  "OR",
  "REPLACE",
  "EDITIONABLE",
  "NONEDITIONABLE",
  "FORCE",
  "NOFORCE",
  "PUBLIC",
  "UNIQUE",
  "BITMAP",
  "GLOBAL",
  "TEMPORARY",
  "PRIVATE",
  "ON",
  "COLUMN",
  "IF",
  "NOT",
  "EXISTS",
  "AND",
  "RESOLVE",
  "COMPILE",
]);
const STATEMENTS = new Set(["ALTER", "DROP", "COMMENT", "TRUNCATE", "RENAME", "GRANT", "REVOKE"]);

/** Kind and name as far as the first words tell, for what could not be read. */
function describe(unit: SourceUnit): { kind: string; name: string } {
  const tokens = unit.tokens.filter((token) => !MODIFIERS.has(token.text));
  const [first, second, third] = tokens;
  const isStatement = STATEMENTS.has(first?.text ?? "");
  const isPair = (second?.text === "MATERIALIZED" && third?.text === "VIEW") || third?.text === "BODY";
  const kind =
    first?.text === "CREATE"
      ? `${second?.value ?? ""}${isPair ? ` ${third?.value}` : ""}`.toLowerCase()
      : (first?.value ?? "statement").toLowerCase();
  const rest = tokens.slice(first?.text === "RENAME" ? 1 : isPair ? 3 : 2);
  let name = "";
  for (const token of rest) {
    if (token.kind !== "word" && token.kind !== "quoted" && token.text !== ".") break;
    if (name !== "" && !name.endsWith(".") && token.text !== ".") break;
    name += token.value;
  }
  return { kind: isStatement ? (first?.value ?? "").toLowerCase() : kind, name };
}
