import { Unconvertible } from "../read/cursor.js";
import type { Expression } from "../read/expression.js";
import type { Statement, StatementOf } from "../read/plsql.js";
import { findAccess, typeAt } from "./access.js";
import { writeAssignment, writeChangingMethod, writeTarget } from "./assignment.js";
import { writeBlock } from "./blocks.js";
import { writePackageProcedure } from "./builtinPackages.js";
import { writeBulkSelect } from "./bulk.js";
import { withoutSys } from "./calls.js";
import { writeClose, writeFetch, writeOpen } from "./cursorStatements.js";
import { writeDml } from "./dml.js";
import { writeExecute } from "./dynamicSql.js";
import { type Environment, Scope, type Unit } from "./environment.js";
import { writeRaise, writeRaiseApplicationError } from "./exceptions.js";
import { writeForall } from "./forall.js";
import { arrangeJumps, type JumpPart } from "./jumps.js";
import { writeForQuery, writeForRange } from "./loops.js";
import { indent, quoteName } from "./names.js";
import { numberText } from "./numberText.js";
import { writeProcedureCall } from "./procedureCalls.js";
import { writeQuery } from "./queries.js";
import type { Type } from "./types.js";
import { writeUnconverted } from "./unconverted.js";
import { writeExpression, writeSql } from "./writeExpression.js";

/** Writes PL/SQL statements as lines of PL/pgSQL. An empty list becomes NULL, as PL/pgSQL wants a statement in a branch. */
export function writeStatements(statements: readonly Statement[], env: Environment): string[] {
  const lines = arrangeJumps(statements).flatMap((part) => writePart(part, env));
  return lines.length > 0 ? lines : ["NULL;"];
}

function writePart(part: JumpPart, env: Environment): string[] {
  if (part.kind === "plain") return part.statements.flatMap((statement) => writeStatement(statement, env));
  const lines = part.parts.flatMap((each) => writePart(each, env));
  const inner = indent(lines.length > 0 ? lines : ["NULL;"]);
  const label = `<<${quoteName(part.label)}>>`;
  if (part.kind === "skip") return [label, "BEGIN", ...inner, "END;"];
  return [label, "LOOP", ...inner, `  EXIT ${quoteName(part.label)};`, "END LOOP;"];
}

export function unitOf(env: Environment, line: number): Unit {
  if (!env.unit) throw new Unconvertible("a PL/SQL statement outside PL/SQL", line);
  return env.unit;
}

function writeStatement(statement: Statement, env: Environment): string[] {
  const unit = unitOf(env, statement.line);
  const outer = unit.before;
  unit.before = [];
  const written = writeConverted(statement, { ...env, place: "procedure" }, unit);
  const before = unit.before;
  unit.before = outer;
  const labels = isLabelled(statement) && written.done ? statement.labels.map((label) => `<<${quoteName(label)}>>`) : [];
  return [
    ...statement.comments.flatMap((comment) => comment.split("\n").map((line) => line.trimEnd())),
    ...before,
    ...labels,
    ...written.lines,
  ];
}

/** The statement, or an error in its place; what was prepared for it before it was given up goes. */
function writeConverted(statement: Statement, env: Environment, unit: Unit): { lines: string[]; done: boolean } {
  const write = WRITERS[statement.kind] as (statement: Statement, env: Environment) => string[];
  const undo = env.output.mark();
  const { handlers } = unit;
  try {
    return { lines: write(statement, env), done: true };
  } catch (cause) {
    if (!(cause instanceof Unconvertible)) throw cause;
    undo();
    unit.before = [];
    unit.handlers = handlers;
    return { lines: writeUnconverted(cause, statement.line, env), done: false };
  }
}

/** PL/pgSQL ends a condition at the first THEN or WHEN outside brackets, also at that of a CASE expression inside it. */
function writeCondition(condition: Expression, env: Environment): string {
  const sql = writeSql(condition, env);
  return /\b(THEN|WHEN)\b/.test(sql) ? `(${sql})` : sql;
}

/** PL/pgSQL has labels only on blocks and loops; on other statements they are for GOTO, which it has not. */
function isLabelled(statement: Statement): boolean {
  return ["block", "loop", "forRange", "forQuery"].includes(statement.kind);
}

/** A number that becomes a text has the text that Oracle gives it. */
function writeAssigned(value: Expression, type: Type | undefined, env: Environment): string {
  const written = writeExpression(value, env);
  return type?.family === "string" && written.type.family === "number" ? numberText(written.sql, env) : written.sql;
}

type Writers = { [K in Statement["kind"]]: (statement: StatementOf<K>, env: Environment) => string[] };

const WRITERS: Writers = {
  block: (s, env) => {
    const scope = new Scope(env.scope);
    const labelled = s.labels.map((label): [string, Scope] => [label, scope]);
    const blocks = labelled.length > 0 ? { blocks: new Map([...(env.blocks ?? []), ...labelled]) } : {};
    return writeBlock(s.block, { ...env, scope, ...blocks });
  },
  assign: (s, env) => {
    const access = findAccess(s.target, env);
    const type = access && (typeAt(access) ?? access.root.type);
    return writeAssignment(s.target, writeAssigned(s.value, type, env), env);
  },
  call: writeCallStatement,
  if: (s, env) => {
    const lines = s.branches.flatMap(({ when, body }, index) => [
      `${index === 0 ? "IF" : "ELSIF"} ${writeCondition(when, env)} THEN`,
      ...indent(writeStatements(body, env)),
    ]);
    if (s.otherwise) lines.push("ELSE", ...indent(writeStatements(s.otherwise, env)));
    return [...lines, "END IF;"];
  },
  case: (s, env) => {
    const lines = [`CASE${s.subject ? ` ${writeCondition(s.subject, env)}` : ""}`];
    for (const { when, body } of s.branches)
      lines.push(`WHEN ${writeCondition(when, env)} THEN`, ...indent(writeStatements(body, env)));
    if (s.otherwise) lines.push("ELSE", ...indent(writeStatements(s.otherwise, env)));
    return [...lines, "END CASE;"];
  },
  loop: (s, env) => [
    `${s.while ? `WHILE ${writeSql(s.while, env)} ` : ""}LOOP`,
    ...indent(writeStatements(s.body, env)),
    "END LOOP;",
  ],
  forRange: writeForRange,
  forQuery: writeForQuery,
  exit: (s, env) => [
    `${s.continue ? "CONTINUE" : "EXIT"}${s.to === undefined ? "" : ` ${quoteName(s.to)}`}${s.when ? ` WHEN ${writeSql(s.when, env)}` : ""};`,
  ],
  return: writeReturn,
  raise: writeRaise,
  null: () => ["NULL;"],
  open: writeOpen,
  fetch: writeFetch,
  close: writeClose,
  dml: (s, env) => {
    const { sql, before, after, count } = writeDml(s.dml, env);
    return [...before, `${sql};`, ...(count === undefined ? countRows(env, s.line) : [COUNT_AS + count]), ...after];
  },
  select: writeSelectInto,
  execute: writeExecute,
  forall: writeForall,
  transaction: writeTransaction,
  pipe: (s, env) => {
    const pipe = unitOf(env, s.line).pipe;
    if (!pipe) throw new Unconvertible("PIPE ROW outside a pipelined function", s.line);
    return [`${pipe.sql} := array_append(${pipe.sql}, ${writeSql(s.value, env)});`];
  },
  unconvertible: (s) => {
    throw new Unconvertible(s.reason, s.line);
  },
  goto: (s) => {
    throw new Unconvertible(`GOTO ${s.label}: its label is not in a list of statements around it`, s.line);
  },
};

/** Keeps what SQL%ROWCOUNT will be asked for. Whether anything asks is known only at the end, so the caller drops unused ones. */
export function countRows(env: Environment, line: number): string[] {
  unitOf(env, line);
  return [COUNT_ROWS];
}

/** A mark that writing the routine turns into GET DIAGNOSTICS or nothing. */
export const COUNT_ROWS = "\uE000count rows";
/** The same with the number behind it. */
export const COUNT_AS = "\uE000count as ";

function writeCallStatement(s: StatementOf<"call">, env: Environment): string[] {
  const changing = writeChangingMethod(s.call, env);
  if (changing) return changing;
  const call = s.call;
  const callee = call.kind === "call" ? call.callee : call;
  const args = call.kind === "call" ? call.args : [];
  if (callee.kind === "name") {
    const parts = withoutSys(callee.parts);
    if (parts.join(".") === "raise_application_error")
      return writeRaiseApplicationError(byName(args, ["num", "msg"]), env, s.line);
    const built = writePackageProcedure(parts, args, env, s.line);
    if (built) return built;
  }
  return writeProcedureCall(call, env);
}

function byName(args: readonly { readonly name?: string; readonly value: Expression }[], names: readonly string[]): Expression[] {
  const [code, message] = names.map((name, index) => args.find((arg) => arg.name === name) ?? args[index]);
  return [code, message].flatMap((arg) => (arg ? [arg.value] : []));
}

function writeReturn(s: StatementOf<"return">, env: Environment): string[] {
  const unit = unitOf(env, s.line);
  if (!s.value || unit.pipe) return [...unit.leave];
  if (!unit.result) throw new Unconvertible("RETURN with a value in a procedure", s.line);
  return unit.result(writeAssigned(s.value, unit.returns, env));
}

function writeSelectInto(s: StatementOf<"select">, env: Environment): string[] {
  const body = firstSelect(s.query);
  if (!body || body.into.length === 0) throw new Unconvertible("SELECT without INTO", s.line);
  if (body.bulk) return writeBulkSelect(s.query, body, env);
  const targets = body.into.map((target) => writeTarget(target, env));
  const query = writeQuery(s.query, env, `INTO STRICT ${targets.map((target) => target.sql).join(", ")}`);
  return [
    ...targets.flatMap((target) => target.before),
    `${query.sql};`,
    ...countRows(env, s.line),
    ...targets.flatMap((target) => target.after),
  ];
}

export function firstSelect(query: StatementOf<"select">["query"]) {
  let body = query.body;
  while (body.kind !== "select") body = body.kind === "nested" ? body.query.body : body.left;
  return body.select;
}

function writeTransaction(s: StatementOf<"transaction">, env: Environment): string[] {
  const unit = unitOf(env, s.line);
  const words = s.words.toUpperCase();
  if (/^(COMMIT|ROLLBACK)( WORK)?( FORCE| COMMENT| WRITE.*)?$/.test(words) || words.startsWith("COMMIT COMMENT")) {
    const word = words.startsWith("COMMIT") ? "COMMIT" : "ROLLBACK";
    if (unit.kind !== "procedure") {
      env.output.warn(`${word} left out: PostgreSQL ends transactions only in procedures`, s.line);
      return ["NULL;"];
    }
    env.output.warn(
      `${word} works only while the procedure is called outside a transaction and outside a block with EXCEPTION`,
      s.line,
    );
    return [`${word};`];
  }
  if (words.startsWith("LOCK TABLE")) return [writeLock(s.words, s.line)];
  if (words.startsWith("SET TRANSACTION")) {
    if (/READ ONLY/.test(words)) return ["SET TRANSACTION READ ONLY;"];
    const level = /ISOLATION LEVEL (SERIALIZABLE|READ COMMITTED)/.exec(words)?.[1];
    return level === undefined ? ["NULL;"] : [`SET TRANSACTION ISOLATION LEVEL ${level};`];
  }
  if (/^SET (CONSTRAINTS?|ROLE)/.test(words)) return [`${s.words.replace(/^set constraint\b/i, "SET CONSTRAINTS")};`];
  throw new Unconvertible(
    `${words.split(" ").slice(0, 2).join(" ")}: PL/pgSQL has no savepoints; use a block with EXCEPTION`,
    s.line,
  );
}

function writeLock(words: string, line: number): string {
  const match = /^lock table (.+) in (.+) mode(?: (nowait|wait \d+))?$/i.exec(words);
  const [, tables = "", mode = "", wait = ""] = match ?? [];
  if (tables === "") throw new Unconvertible("LOCK TABLE of this form", line);
  const names = tables.split(",").map((name) => name.trim().replace(/ \. /g, ".").toLowerCase());
  const kept = mode.toUpperCase() === "SHARE UPDATE" ? "ROW SHARE" : mode.toUpperCase();
  return `LOCK TABLE ${names.join(", ")} IN ${kept} MODE${/nowait/i.test(wait) ? " NOWAIT" : ""};`;
}
