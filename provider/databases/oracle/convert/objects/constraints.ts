import type { Cursor } from "../read/cursor.js";
import type { Expression } from "../read/expression.js";
import { readExpression } from "../read/readExpression.js";
import type { Environment } from "../write/environment.js";
import { gatherLeanings } from "../write/leanings.js";
import { quoteName, quoteNames } from "../write/names.js";
import { writeSql } from "../write/writeExpression.js";

export interface Constraint {
  readonly name?: string;
  readonly kind: "not null" | "null" | "primary" | "unique" | "check" | "foreign";
  readonly columns: readonly string[];
  readonly check?: Expression;
  readonly references?: { readonly table: readonly string[]; readonly columns: readonly string[]; readonly onDelete: string };
  /** DEFERRABLE INITIALLY DEFERRED and the like. */
  readonly deferral: string;
  readonly disabled: boolean;
  readonly novalidate: boolean;
  readonly line: number;
}

export function atConstraint(cursor: Cursor): boolean {
  if (cursor.at("CONSTRAINTS") && cursor.atAhead(2, "PRIMARY", "UNIQUE", "CHECK", "FOREIGN")) return true;
  return cursor.atAny("CONSTRAINT", "NULL", "PRIMARY", "UNIQUE", "CHECK", "REFERENCES", "FOREIGN") || cursor.at("NOT", "NULL");
}

/** Reads a constraint of a column, whose name is given, or of a table. */
export function readConstraint(cursor: Cursor, column?: string): Constraint {
  const line = cursor.line;
  // Oracle takes the plural, too.
  const name = cursor.acceptAny("CONSTRAINT", "CONSTRAINTS") ? cursor.name() : undefined;
  const own = column === undefined ? [] : [column];
  const columns = () => (column === undefined && cursor.at("(") ? cursor.listed(() => cursor.name()) : own);
  const base = { ...(name === undefined ? {} : { name }), line };
  if (cursor.accept("NOT", "NULL")) return { ...base, kind: "not null", columns: own, ...readState(cursor) };
  if (cursor.accept("NULL")) return { ...base, kind: "null", columns: own, ...readState(cursor) };
  if (cursor.accept("PRIMARY", "KEY")) return { ...base, kind: "primary", columns: columns(), ...readState(cursor) };
  if (cursor.accept("UNIQUE")) return { ...base, kind: "unique", columns: columns(), ...readState(cursor) };
  if (cursor.accept("CHECK")) {
    cursor.expect("(");
    const check = readExpression(cursor);
    cursor.expect(")");
    return { ...base, kind: "check", columns: own, check, ...readState(cursor) };
  }
  let foreign: readonly string[] = own;
  if (cursor.accept("FOREIGN", "KEY")) foreign = cursor.listed(() => cursor.name());
  if (cursor.accept("SCOPE") || cursor.accept("REF")) cursor.refuse("a constraint on references");
  cursor.expect("REFERENCES");
  const table = cursor.names();
  const referenced = cursor.at("(") ? cursor.listed(() => cursor.name()) : [];
  let onDelete = "";
  if (cursor.accept("ON", "DELETE", "CASCADE")) onDelete = " ON DELETE CASCADE";
  else if (cursor.accept("ON", "DELETE", "SET", "NULL")) onDelete = " ON DELETE SET NULL";
  else if (cursor.accept("ON", "DELETE", "NO", "ACTION")) onDelete = "";
  return {
    ...base,
    kind: "foreign",
    columns: foreign,
    references: { table, columns: referenced, onDelete },
    ...readState(cursor),
  };
}

/** ENABLE, DISABLE, RELY, DEFERRABLE, USING INDEX ... in any order. */
export function readState(cursor: Cursor): Pick<Constraint, "deferral" | "disabled" | "novalidate"> {
  let deferrable = "";
  let initially = "";
  let disabled = false;
  let novalidate = false;
  for (;;) {
    if (cursor.accept("NOT", "DEFERRABLE")) deferrable = "";
    else if (cursor.accept("DEFERRABLE")) deferrable = " DEFERRABLE";
    else if (cursor.accept("INITIALLY", "DEFERRED")) initially = " INITIALLY DEFERRED";
    else if (cursor.accept("INITIALLY", "IMMEDIATE")) initially = "";
    else if (cursor.accept("ENABLE")) disabled = false;
    else if (cursor.accept("DISABLE")) disabled = true;
    else if (cursor.accept("NOVALIDATE")) novalidate = true;
    else if (cursor.acceptAny("VALIDATE", "RELY", "NORELY")) continue;
    else if (cursor.accept("USING", "INDEX")) skipIndex(cursor);
    else if (cursor.accept("EXCEPTIONS", "INTO")) cursor.names();
    else return { deferral: initially === "" ? deferrable : `${deferrable || " DEFERRABLE"}${initially}`, disabled, novalidate };
  }
}

/** What ends the storage clauses of an index inside a constraint. */
const AFTER_INDEX = [
  ",",
  ")",
  ";",
  "ENABLE",
  "DISABLE",
  "VALIDATE",
  "NOVALIDATE",
  "RELY",
  "NORELY",
  "EXCEPTIONS",
  "CONSTRAINT",
  "ADD",
  "MODIFY",
  "DROP",
  "DEFERRABLE",
  "CHECK",
  "NOT",
];

function skipIndex(cursor: Cursor): void {
  if (cursor.at("(")) {
    cursor.bracketed();
    return;
  }
  while (!cursor.done && !cursor.atAny(...AFTER_INDEX)) cursor.skip();
}

/** The constraint as SQL; undefined when it says nothing that PostgreSQL would keep. */
export function writeConstraint(
  constraint: Constraint,
  env: Environment,
  place: "column" | "table" | "alter",
): string | undefined {
  if (constraint.kind === "null") return undefined;
  if (constraint.disabled) {
    env.output.warn(
      `the disabled constraint ${constraint.name ?? `on ${constraint.columns.join(", ")}`} was left out: PostgreSQL has no disabled constraints`,
      constraint.line,
    );
    return undefined;
  }
  const name = constraint.name === undefined ? "" : `CONSTRAINT ${quoteName(constraint.name)} `;
  // Rows that were there before are not looked at; PostgreSQL allows that for checks and foreign keys of existing tables.
  const unchecked = constraint.novalidate && place === "alter" ? " NOT VALID" : "";
  const list = `(${constraint.columns.map(quoteName).join(", ")})`;
  const columns = place === "column" ? "" : ` ${list}`;
  switch (constraint.kind) {
    case "not null":
      return `${name}NOT NULL`;
    case "primary":
      return `${name}PRIMARY KEY${columns}${constraint.deferral}`;
    case "unique":
      return `${name}UNIQUE${columns}${constraint.deferral}`;
    case "check":
      return `${name}CHECK (${constraint.check ? writeSql(constraint.check, { ...env, leanings: gatherLeanings(constraint.check) }) : "true"})${unchecked}`;
    case "foreign": {
      const { table, columns: referenced, onDelete } = constraint.references ?? { table: [], columns: [], onDelete: "" };
      const target = `${quoteNames(table)}${referenced.length > 0 ? ` (${referenced.map(quoteName).join(", ")})` : ""}`;
      return `${name}${place === "column" ? "" : `FOREIGN KEY ${list} `}REFERENCES ${target}${onDelete}${constraint.deferral}${unchecked}`;
    }
  }
}
