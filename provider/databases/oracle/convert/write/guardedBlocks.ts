import type { Expression } from "../read/expression.js";
import type { Handler, Statement } from "../read/plsql.js";
import type { Environment } from "./environment.js";
import { handles, writeHandlers } from "./exceptions.js";
import { BULK_ERRORS, RAISE_BULK_ERRORS } from "./forall.js";
import { indent, quoteName } from "./names.js";
import { unitOf, writeStatements } from "./statements.js";

export interface GuardedBlock {
  readonly body: readonly string[];
  /** EXCEPTION WHEN ...; empty where the body has its own blocks with them. */
  readonly handlers: readonly string[];
}

/**
 * A block's statements with its handlers. PL/pgSQL takes back what a block with handlers did before one of them runs, and lets no
 * COMMIT stand in it. Two kinds of statements go behind an inner block because of that: a COMMIT at the end, which runs when the body came
 * through, and the handler of ORA-24381, which a FORALL raises when it has kept the rows that went well.
 */
export function writeGuardedBlock(
  statements: readonly Statement[],
  handlers: readonly Handler[],
  env: Environment,
): GuardedBlock {
  const { head, tail } =
    handlers.length > 0 && env.unit?.kind === "procedure" ? splitCommit(statements) : { head: statements, tail: [] };
  const catches = handlers.some((handler) => handles(handler, BULK_ERRORS, env));
  const isBulk = catches && mentionsSaved(head);
  // Handlers that do not match leave it to those of the block around.
  const around: Environment = handlers.length > 0 && catches ? withoutBulk(env) : env;
  const awaitsMissing = handlers.some(({ exceptions }) => exceptions.some((name) => name.at(-1) === "no_data_found"));
  const inner: Environment = awaitsMissing ? { ...around, awaitsMissing } : around;
  if (!isBulk && tail.length === 0) return writePlain(head, handlers, inner);
  const unit = unitOf(env, 0);
  const flag = isBulk ? unit.fresh("bulk_failed", "boolean") : undefined;
  const done = tail.length > 0 ? unit.fresh("completed", "boolean") : undefined;
  const label = quoteName(flag === undefined ? "" : flag.replace("bulk_failed", "bulk_block"));
  const body = writePlain(head, handlers, flag === undefined ? inner : { ...inner, bulk: { label, flag } });
  const lines = [
    ...(flag === undefined ? [] : [`${flag} := false;`]),
    ...(done === undefined ? [] : [`${done} := false;`]),
    ...(flag === undefined ? [] : [`<<${label}>>`]),
    "BEGIN",
    ...indent([...body.body, ...(done === undefined ? [] : [`${done} := true;`])]),
    ...body.handlers,
    "END;",
  ];
  if (flag !== undefined)
    lines.push(
      `IF ${flag} THEN`,
      ...indent(["BEGIN", `  ${RAISE_BULK_ERRORS}`, ...writeHandlers(handlers, env.output.unconverted.length, inner), "END;"]),
      "END IF;",
    );
  if (done !== undefined) lines.push(`IF ${done} THEN`, ...indent(writeStatements(tail, env)), "END IF;");
  return { body: lines, handlers: [] };
}

function writePlain(statements: readonly Statement[], handlers: readonly Handler[], env: Environment): GuardedBlock {
  const given = env.output.unconverted.length;
  const body = writeStatements(statements, env);
  return { body, handlers: writeHandlers(handlers, given, env) };
}

function withoutBulk(env: Environment): Environment {
  const { bulk: _, ...rest } = env;
  return rest;
}

/** The COMMIT that ends a body, with what may stand behind it because it cannot fail. */
function splitCommit(statements: readonly Statement[]): { head: readonly Statement[]; tail: readonly Statement[] } {
  let at = statements.length;
  while (at > 0 && isHarmless(statements[at - 1])) at--;
  while (at < statements.length && !isCommit(statements[at])) at++;
  return { head: statements.slice(0, at), tail: statements.slice(at) };
}

function isCommit(statement: Statement | undefined): boolean {
  return statement?.kind === "transaction" && /^commit\b/i.test(statement.words);
}

function isHarmless(statement: Statement | undefined): boolean {
  if (statement?.kind === "call") return calleeOf(statement.call).startsWith("dbms_output.");
  return isCommit(statement) || statement?.kind === "null" || (statement?.kind === "return" && !statement.value);
}

function calleeOf(call: Expression): string {
  const callee = call.kind === "call" ? call.callee : call;
  return callee.kind === "name" ? callee.parts.join(".") : "";
}

function mentionsSaved(node: unknown): boolean {
  if (Array.isArray(node)) return node.some(mentionsSaved);
  if (typeof node !== "object" || node === null) return false;
  if ((node as { saveExceptions?: unknown }).saveExceptions === true) return true;
  return Object.values(node).some(mentionsSaved);
}
