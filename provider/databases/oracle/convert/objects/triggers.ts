import type { Cursor } from "../read/cursor.js";
import { Unconvertible } from "../read/cursor.js";
import type { Expression } from "../read/expression.js";
import type { Block, Declaration, Statement } from "../read/plsql.js";
import { readBlock, readBlockBody } from "../read/readBlock.js";
import { readDeclarations } from "../read/readDeclarations.js";
import { readExpression } from "../read/readExpression.js";
import { type Environment, Scope, Unit } from "../write/environment.js";
import { dollarQuote, fitName, quoteName, quoteNames } from "../write/names.js";
import { writeBody } from "../write/routines.js";
import { visit } from "../write/tree.js";
import { writePackageless } from "../write/triggerState.js";
import { RECORD } from "../write/types.js";
import { writeSql } from "../write/writeExpression.js";
import { type Converted, schemaStatements } from "./converted.js";
import { writeEventTrigger } from "./eventTriggers.js";

export interface TriggerHead {
  readonly name: readonly string[];
  readonly timing: string;
  /** INSERT, UPDATE OF a, b ... */
  readonly events: readonly string[];
  readonly table: readonly string[];
  readonly row: boolean;
  readonly when?: Expression;
  readonly disabled: boolean;
  readonly binds: ReadonlyMap<string, string>;
}

/** CREATE TRIGGER: a trigger function and the trigger that calls it; of a compound trigger one pair per timing point. */
export function convertTrigger(cursor: Cursor, env: Environment): Converted {
  cursor.expect("TRIGGER");
  const line = cursor.line;
  const name = cursor.names();
  const timing = readTiming(cursor);
  if (!cursor.atAny("INSERT", "UPDATE", "DELETE")) return writeEventTrigger(cursor, name, timing, env);
  const events = readEvents(cursor);
  cursor.expect("ON");
  const nested = readNested(cursor);
  const table = cursor.names();
  const { binds, row, when, disabled } = readOptions(cursor);
  const head: TriggerHead = { name, timing, events, table, row, ...(when ? { when } : {}), disabled, binds };
  const schema = name.length > 1 ? schemaStatements(name, env) : [];
  if (cursor.accept("COMPOUND", "TRIGGER"))
    return { kind: "trigger", name: name.join("."), sql: [...schema, ...writeCompound(cursor, head, env)] };
  const block = cursor.accept("CALL") ? callBlock(cursor, line) : readBlock(cursor);
  const written = writeTrigger(head, name.at(-1) ?? "", block, env);
  const sql = [...schema, ...env.output.before, ...(nested === undefined ? written : written.slice(0, 1))];
  const reason = `PostgreSQL has no rows of a nested table in a view, so nothing fires on those of ${nested}: its function was created, without a trigger`;
  const leftOut = nested === undefined ? {} : { leftOut: [{ kind: "trigger", name: name.join("."), reason, line }] };
  return { kind: "trigger", name: name.join("."), sql, ...leftOut };
}

/** NESTED TABLE column OF view: the column. */
function readNested(cursor: Cursor): string | undefined {
  if (!cursor.accept("NESTED", "TABLE")) return undefined;
  const column = cursor.name();
  cursor.expect("OF");
  return column;
}

function readTiming(cursor: Cursor): string {
  if (cursor.accept("INSTEAD", "OF")) return "INSTEAD OF";
  const timing = cursor.acceptAny("BEFORE", "AFTER", "FOR");
  if (timing === undefined) cursor.fail("expected BEFORE, AFTER or INSTEAD OF");
  return timing;
}

function readEvents(cursor: Cursor): string[] {
  const events: string[] = [];
  do {
    const event = cursor.acceptAny("INSERT", "UPDATE", "DELETE");
    if (event === undefined) cursor.fail("expected INSERT, UPDATE or DELETE");
    const columns = cursor.accept("OF") ? cursor.list(() => quoteName(cursor.name())) : [];
    events.push(columns.length > 0 ? `${event} OF ${columns.join(", ")}` : event);
  } while (cursor.accept("OR"));
  return events;
}

function readOptions(cursor: Cursor) {
  const binds = new Map([
    ["new", "NEW"],
    ["old", "OLD"],
  ]);
  let row = false;
  let when: Expression | undefined;
  let disabled = false;
  for (;;) {
    if (cursor.acceptAny("REFERENCING", "REFERENCES")) {
      while (cursor.atAny("NEW", "OLD", "PARENT")) {
        const which = cursor.next().text;
        cursor.accept("AS");
        binds.set(cursor.name(), which === "OLD" ? "OLD" : "NEW");
      }
    } else if (cursor.accept("FOR", "EACH", "ROW")) row = true;
    else if (cursor.accept("FOR", "EACH", "STATEMENT")) row = false;
    else if (cursor.acceptAny("FOLLOWS", "PRECEDES")) cursor.list(() => cursor.names());
    else if (cursor.accept("ENABLE")) disabled = false;
    else if (cursor.accept("DISABLE")) disabled = true;
    else if (cursor.acceptAny("FORWARD", "REVERSE")) cursor.expect("CROSSEDITION");
    else if (cursor.accept("WHEN")) {
      cursor.expect("(");
      when = readExpression(cursor);
      cursor.expect(")");
    } else return { binds, row, ...(when ? { when } : {}), disabled };
  }
}

export function callBlock(cursor: Cursor, line: number): Block {
  const call = readExpression(cursor);
  const statement: Statement = { kind: "call", call, line, labels: [], comments: [] };
  return { declarations: [], autonomous: false, body: [statement], handlers: [], line };
}

/** The scope of a trigger's body: NEW and OLD with the table's columns where they are known. */
function triggerEnvironment(head: TriggerHead, env: Environment): Environment {
  const scope = new Scope(env.scope);
  const fields = env.catalog.columns(head.table);
  const type = { ...RECORD, ...(fields ? { fields } : {}) };
  scope.set("new", { kind: "variable", sql: "NEW", type });
  scope.set("old", { kind: "variable", sql: "OLD", type });
  return { ...env, scope, binds: head.binds, place: "procedure" };
}

/** The function and the trigger of one timing point. */
export function writeTrigger(
  head: TriggerHead,
  name: string,
  block: Block,
  env: Environment,
  preface: readonly string[] = [],
): string[] {
  const inner = triggerEnvironment(head, env);
  const leave = leaveLines(head);
  const unit = new Unit("trigger", head.name.at(-1) ?? "", leave);
  const local: Environment = { ...inner, scope: new Scope(inner.scope), unit };
  if (block.autonomous)
    env.output.warn("AUTONOMOUS_TRANSACTION of a trigger runs in the transaction of the statement", block.line);
  const when = head.when && writeSql(whenCondition(head.when), { ...local });
  const outside = when !== undefined && head.when !== undefined && mayStandOutside(head, head.when);
  const test =
    when !== undefined && !outside ? [`IF (${when}) IS NOT TRUE THEN`, ...leave.map((line) => `  ${line}`), "END IF;"] : [];
  const body = writeBody(block, local, { preface: [...test, ...preface] }, leave);
  const schema = head.name.length > 1 ? head.name.slice(0, -1) : head.table.slice(0, -1);
  const functionName = quoteNames([...schema, fitName(`${name}_trigger`)]);
  const each = head.row || head.timing === "INSTEAD OF" ? "ROW" : "STATEMENT";
  const condition = outside ? ` WHEN (${when})` : "";
  const statements = [
    `CREATE OR REPLACE FUNCTION ${functionName}() RETURNS trigger LANGUAGE plpgsql AS ${dollarQuote(body.join("\n"))}`,
    `CREATE OR REPLACE TRIGGER ${quoteName(name)} ${head.timing} ${head.events.join(" OR ")} ON ${quoteNames(head.table)} FOR EACH ${each}${condition} EXECUTE FUNCTION ${functionName}()`,
  ];
  if (head.disabled) statements.push(`ALTER TABLE ${quoteNames(head.table)} DISABLE TRIGGER ${quoteName(name)}`);
  return statements;
}

function leaveLines(head: TriggerHead): string[] {
  if (!(head.row || head.timing === "INSTEAD OF") || head.timing === "AFTER") return ["RETURN NULL;"];
  const deletes = head.events.some((event) => event === "DELETE");
  if (!deletes) return ["RETURN NEW;"];
  return head.events.length === 1 ? ["RETURN OLD;"] : ["RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;"];
}

/** In WHEN the rows are named without a colon. */
function whenCondition(when: Expression): Expression {
  return when;
}

/** PostgreSQL tests WHEN itself only where every event has the rows that the condition reads. */
function mayStandOutside(head: TriggerHead, when: Expression): boolean {
  if (!head.row || head.timing === "INSTEAD OF") return false;
  const used = new Set<string>();
  let plain = true;
  visit(when, (node) => {
    const row = node.kind === "bind" ? node.name : node.kind === "name" ? (node.parts[0] ?? "") : undefined;
    if (row !== undefined) used.add(head.binds.get(row) ?? row);
    if (node.kind === "call" || node.kind === "subquery" || node.kind === "exists") plain = false;
    if (node.kind === "name" && node.parts.length === 1) plain = false;
    return undefined;
  });
  const inserts = head.events.some((event) => event === "INSERT");
  const deletes = head.events.some((event) => event === "DELETE");
  return plain && !(used.has("OLD") && inserts) && !(used.has("NEW") && deletes);
}

interface Section {
  readonly timing: string;
  readonly row: boolean;
  readonly block: Block;
}

function writeCompound(cursor: Cursor, head: TriggerHead, env: Environment): string[] {
  const shared = readDeclarations(cursor).declarations;
  const sections: Section[] = [];
  while (!cursor.at("END")) sections.push(readSection(cursor));
  const name = head.name.at(-1) ?? "";
  const variables = shared.filter((declaration) => declaration.kind === "variable");
  if (sections.length === 1 || variables.length === 0) {
    return sections.flatMap((section) => {
      const own = partHead(head, section);
      const block: Block = { ...section.block, declarations: [...shared, ...section.block.declarations] };
      const written = writeTrigger(own, sections.length === 1 ? name : sectionName(name, section), block, env);
      return [...env.output.before.splice(0), ...written];
    });
  }
  return writeShared(head, shared, sections, env);
}

/** Sections that share variables: those live in settings of the session, set afresh before each statement. */
function writeShared(
  head: TriggerHead,
  shared: readonly Declaration[],
  sections: readonly Section[],
  env: Environment,
): string[] {
  const name = head.name.at(-1) ?? "";
  const inner: Environment = { ...env, scope: new Scope(env.scope), home: fitName(`${name}_state`), place: "procedure" };
  const state = writePackageless(shared, inner);
  const reset: TriggerHead = { ...head, timing: "BEFORE", row: false };
  const empty: Block = { declarations: [], autonomous: false, body: [], handlers: [], line: 0 };
  const before = sections.find((section) => section.timing === "BEFORE" && !section.row);
  const first = writeTrigger(
    reset,
    sectionName(name, { timing: "BEFORE", row: false, block: empty }),
    before?.block ?? empty,
    inner,
    state.reset,
  );
  const rest = sections
    .filter((section) => section !== before)
    .flatMap((section) => writeTrigger(partHead(head, section), sectionName(name, section), section.block, inner));
  return [
    `CREATE SCHEMA IF NOT EXISTS ${quoteName(inner.home ?? "")}`,
    ...env.output.before,
    ...state.statements,
    ...first,
    ...rest,
  ];
}

function partHead(head: TriggerHead, section: Section): TriggerHead {
  return { ...head, timing: section.timing, row: section.row };
}

function sectionName(name: string, section: Section): string {
  return fitName(`${name}_${section.timing.toLowerCase().replace(" ", "_")}_${section.row ? "row" : "statement"}`);
}

function readSection(cursor: Cursor): Section {
  const line = cursor.line;
  const timing = cursor.accept("INSTEAD", "OF") ? "INSTEAD OF" : cursor.acceptAny("BEFORE", "AFTER");
  if (timing === undefined) cursor.fail("expected a timing point");
  const row = cursor.accept("EACH", "ROW");
  if (!row) cursor.expect("STATEMENT");
  if (!cursor.acceptAny("IS", "AS")) cursor.fail("expected IS");
  const { declarations, autonomous } = readDeclarations(cursor);
  const { body, handlers } = readBlockBody(cursor);
  while (!cursor.done && !cursor.at(";")) cursor.next();
  cursor.expect(";");
  if (handlers.length === 0 && body.length === 0) throw new Unconvertible("an empty timing point", line);
  return { timing, row, block: { declarations, autonomous, body, handlers, line } };
}
