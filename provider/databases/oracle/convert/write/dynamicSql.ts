import { convertWithin } from "../convertWithin.js";
import { Cursor, Unconvertible } from "../read/cursor.js";
import type { Expression } from "../read/expression.js";
import { LexicalProblem, type Token } from "../read/lexer.js";
import type { StatementOf } from "../read/plsql.js";
import { readBlock } from "../read/readBlock.js";
import { atDml, readDml } from "../read/readDml.js";
import { atQuery, readQuery } from "../read/readQuery.js";
import { splitScript } from "../read/splitScript.js";
import { findAccess, typeAt } from "./access.js";
import { writeAssignment, writeTarget } from "./assignment.js";
import { collected, countCollected } from "./bulk.js";
import { writeDml } from "./dml.js";
import { type Environment, Scope } from "./environment.js";
import { quoteText } from "./names.js";
import { writeProcedureCall } from "./procedureCalls.js";
import { writeQuery } from "./queries.js";
import { countRows } from "./statements.js";
import { writeSql } from "./writeExpression.js";

/** EXECUTE IMMEDIATE. A constant text is converted; of a text put together at run time only the placeholders are. */
export function writeExecute(s: StatementOf<"execute">, env: Environment): string[] {
  const inputs = s.using.filter((each) => each.mode !== "OUT");
  const using = inputs.length > 0 ? ` USING ${inputs.map((each) => writeSql(each.value, env)).join(", ")}` : "";
  const text = writeDynamicText(s.command, s.using.length, env);
  if (s.bulk) return writeBulkExecute(s, text, using, env);
  const outputs = [...s.into, ...s.returning, ...s.using.filter((each) => each.mode !== "IN").map((each) => each.value)];
  const targets = outputs.map((target) => writeTarget(target, env));
  const strict = s.into.length > 0 ? "STRICT " : "";
  const into = targets.length > 0 ? ` INTO ${strict}${targets.map((target) => target.sql).join(", ")}` : "";
  return [
    ...targets.flatMap((target) => target.before),
    `EXECUTE ${text}${into}${using};`,
    ...countRows(env, s.line),
    ...targets.flatMap((target) => target.after),
  ];
}

function writeBulkExecute(s: StatementOf<"execute">, text: string, using: string, env: Environment): string[] {
  if (s.into.length > 1 && s.returning.length === 0) return writeBulkColumns(s, text, using, env);
  const [target] = s.into.length > 0 ? s.into : s.returning;
  const access = target && findAccess(target, env);
  const type = access && typeAt(access);
  if (!target || !type || s.into.length !== 1) throw new Unconvertible("EXECUTE IMMEDIATE ... BULK COLLECT of this form", s.line);
  const query = collected(
    "%s",
    type,
    type.element?.family !== "string" && type.element?.family !== "number" && type.element?.family !== "integer",
  );
  const hidden = env.unit?.fresh("collected", type.sql) ?? "";
  return [
    `EXECUTE format(${quoteText(`SELECT ${query}`)}, ${text}) INTO ${hidden}${using};`,
    ...writeAssignment(target, hidden, env),
    countCollected(target, env),
  ];
}

/** BULK COLLECT INTO several collections: one array per column of the query. */
function writeBulkColumns(s: StatementOf<"execute">, text: string, using: string, env: Environment): string[] {
  const targets = s.into.map((target) => writeTarget(target, env));
  const names = targets.map((_, index) => `c${index + 1}`);
  const arrays = names.map((name) => `coalesce(array_agg(godwit_q.${name}), '{}')`).join(", ");
  return [
    ...targets.flatMap((target) => target.before),
    `EXECUTE format(${quoteText(`SELECT ${arrays} FROM (%s) AS godwit_q(${names.join(", ")})`)}, ${text}) INTO ${targets.map(({ sql }) => sql).join(", ")}${using};`,
    ...targets.flatMap((target) => target.after),
    ...s.into.slice(0, 1).map((target) => countCollected(target, env)),
  ];
}

/** The text of a dynamic statement as an expression. */
export function writeDynamicText(command: Expression, binds: number, env: Environment): string {
  if (command.kind === "paren") return writeDynamicText(command.inner, binds, env);
  if (command.kind === "literal" && command.type === "string") {
    const converted = convertText(command.value, env);
    if (converted !== undefined) return quoteText(converted);
    env.output.warn("a dynamic statement was left as it is written", command.line);
    return quoteText(numberPlaceholders([command.value])[0] ?? "");
  }
  env.output.warn("a dynamic statement is put together at run time: its text is not converted", command.line);
  const literals: string[] = [];
  const collect = (e: Expression): void => {
    if (e.kind === "binary" && e.operator === "||") {
      collect(e.left);
      collect(e.right);
    } else if (e.kind === "literal" && e.type === "string") literals.push(e.value);
  };
  collect(command);
  const numbered = numberPlaceholders(literals);
  const found = numbered.join("").match(/\$\d+/g)?.length ?? 0;
  // The others stand in a variable.
  if (found < binds) return `${env.output.use("placeholders")}(${writeSql(command, env)})`;
  let next = 0;
  const renumber = (e: Expression): Expression => {
    if (e.kind === "binary" && e.operator === "||") return { ...e, left: renumber(e.left), right: renumber(e.right) };
    return e.kind === "literal" && e.type === "string" ? { ...e, value: numbered[next++] ?? e.value } : e;
  };
  return writeSql(binds > 0 ? renumber(command) : command, env);
}

/** :name to $1, $2 ... by position, as Oracle binds dynamic SQL; texts in quotes are left alone. */
function numberPlaceholders(pieces: readonly string[]): string[] {
  let quoted = false;
  let next = 0;
  return pieces.map((piece) =>
    piece.replace(/'|(?<![:\w]):(?:[A-Za-z]\w*|\d+)/g, (found) => {
      if (found === "'") {
        quoted = !quoted;
        return found;
      }
      return quoted ? found : `$${++next}`;
    }),
  );
}

function convertText(text: string, env: Environment): string | undefined {
  try {
    const [unit, ...others] = splitScript(text);
    if (!unit || others.length > 0 || unit.problem !== undefined) return undefined;
    const { tokens, binds } = numberBinds(unit.tokens);
    const cursor = new Cursor(tokens, unit.script);
    // Oracle sees no PL/SQL variable from inside a dynamic statement.
    const inner: Environment = { ...env, scope: new Scope(), binds, place: "query" };
    const sql = convertStatement(cursor, inner);
    if (sql === undefined) return convertWithin(text, env);
    return cursor.done || cursor.accept(";") ? sql : undefined;
  } catch (cause) {
    if (cause instanceof Unconvertible || cause instanceof LexicalProblem) return undefined;
    throw cause;
  }
}

function convertStatement(cursor: Cursor, env: Environment): string | undefined {
  if (atQuery(cursor)) return writeQuery(readQuery(cursor), env).sql;
  if (atDml(cursor)) return writeDml(readDml(cursor), env).sql;
  if (!cursor.atAny("BEGIN", "DECLARE")) return undefined;
  const block = readBlock(cursor);
  const [statement, ...others] = block.body;
  if (!statement || others.length > 0 || block.declarations.length > 0 || block.handlers.length > 0)
    throw new Unconvertible("a dynamic block", block.line);
  if (statement.kind === "call")
    return (writeProcedureCall(statement.call, { ...env, place: "procedure" })[0] ?? "").replace(/;$/, "");
  if (statement.kind === "assign" && statement.target.kind === "bind") {
    // The first placeholder takes the result, so the others are one number too high.
    return `SELECT ${writeSql(statement.value, env)}`.replace(/\$(\d+)/g, (_, digits: string) => `$${Number(digits) - 1}`);
  }
  throw new Unconvertible("a dynamic block", block.line);
}

function numberBinds(tokens: readonly Token[]): { tokens: Token[]; binds: Map<string, string> } {
  const binds = new Map<string, string>();
  const numbered = tokens.map((token) => {
    if (token.kind !== "bind") return token;
    const name = `B${binds.size + 1}`;
    binds.set(name.toLowerCase(), `$${binds.size + 1}`);
    return { ...token, text: name, value: name };
  });
  return { tokens: numbered, binds };
}
