import type { Cursor } from "../read/cursor.js";
import { type DataType, readDataType } from "../read/dataType.js";
import type { Expression } from "../read/expression.js";
import { readExpression } from "../read/readExpression.js";
import type { Environment } from "../write/environment.js";
import { quoteName } from "../write/names.js";
import { mapType, type Type } from "../write/types.js";
import { writeExpression, writeSql } from "../write/writeExpression.js";
import { atConstraint, type Constraint, readConstraint, writeConstraint } from "./constraints.js";
import { readSequenceOptions } from "./sequences.js";

export interface ColumnDefinition {
  readonly name: string;
  readonly type?: DataType;
  readonly default?: Expression;
  /** fromLimit: START WITH LIMIT VALUE, one past the greatest value that the column has. */
  readonly identity?: {
    readonly always: boolean;
    readonly onNull: boolean;
    readonly options: string;
    readonly fromLimit: boolean;
  };
  readonly generated?: Expression;
  readonly defaultOnNull?: boolean;
  readonly constraints: readonly Constraint[];
  readonly line: number;
}

type Mutable = { -readonly [K in "default" | "identity" | "generated" | "defaultOnNull"]?: NonNullable<ColumnDefinition[K]> };

/** Reads a column with its default, identity and constraints. */
export function readColumn(cursor: Cursor): ColumnDefinition {
  const line = cursor.line;
  const name = cursor.name();
  const hasType =
    cursor.atName() &&
    !cursor.atAny(
      "GENERATED",
      "AS",
      "DEFAULT",
      "NOT",
      "NULL",
      "CONSTRAINT",
      "PRIMARY",
      "UNIQUE",
      "CHECK",
      "REFERENCES",
      "VISIBLE",
      "INVISIBLE",
      "ENCRYPT",
      "DECRYPT",
      "DROP",
      "ANNOTATIONS",
      "SORT",
    );
  const type = hasType ? readDataType(cursor) : undefined;
  const column: Mutable = {};
  const constraints: Constraint[] = [];
  for (;;) {
    if (cursor.accept("DEFAULT")) {
      if (cursor.accept("ON", "NULL")) {
        cursor.accept("FOR", "INSERT", "ONLY");
        cursor.accept("FOR", "INSERT", "AND", "UPDATE");
        column.defaultOnNull = true;
      }
      column.default = readExpression(cursor);
    } else if (cursor.at("GENERATED") || (cursor.at("AS") && cursor.atAhead(1, "("))) readGenerated(cursor, column);
    else if (atConstraint(cursor)) constraints.push(readConstraint(cursor, name));
    else if (cursor.acceptAny("SORT", "VISIBLE", "INVISIBLE", "VIRTUAL", "MATERIALIZED", "FORCE", "RESERVABLE")) continue;
    else if (cursor.accept("COLLATE")) cursor.names();
    else if (cursor.accept("DROP", "IDENTITY")) continue;
    else if (cursor.accept("ENCRYPT")) skipEncryption(cursor);
    else if (cursor.accept("DECRYPT") || cursor.accept("SUBSTITUTABLE", "AT", "ALL", "LEVELS")) continue;
    else if (cursor.accept("NOT", "SUBSTITUTABLE", "AT", "ALL", "LEVELS")) continue;
    else if (cursor.accept("WITH", "ROWID")) continue;
    else if (cursor.accept("SCOPE", "IS")) cursor.names();
    else if (cursor.accept("ANNOTATIONS")) cursor.bracketed();
    else break;
  }
  return { name, ...(type ? { type } : {}), ...column, constraints, line };
}

function skipEncryption(cursor: Cursor): void {
  while (cursor.atAny("USING", "IDENTIFIED", "NO", "SALT", "NOMAC") || cursor.peek().kind === "string") {
    // The password behind IDENTIFIED BY is a word like any other.
    cursor.accept("IDENTIFIED", "BY");
    cursor.next();
  }
}

function readGenerated(cursor: Cursor, column: Mutable): void {
  let always = true;
  let onNull = false;
  if (cursor.accept("GENERATED")) {
    if (cursor.accept("BY", "DEFAULT")) {
      always = false;
      onNull = cursor.accept("ON", "NULL");
      if (onNull) {
        cursor.accept("FOR", "INSERT", "ONLY");
        cursor.accept("FOR", "INSERT", "AND", "UPDATE");
      }
    } else cursor.accept("ALWAYS");
  }
  cursor.expect("AS");
  if (cursor.accept("IDENTITY")) {
    const bracketed = cursor.accept("(");
    let fromLimit = false;
    const options = readSequenceOptions(cursor, () => {
      fromLimit = true;
    });
    if (bracketed) cursor.expect(")");
    column.identity = { always, onNull, options: options.length > 0 ? ` (${options.join(" ")})` : "", fromLimit };
    return;
  }
  cursor.expect("(");
  column.generated = readExpression(cursor);
  cursor.expect(")");
  cursor.acceptAny("VIRTUAL", "STORED");
  cursor.accept("BY", "USER", "FOR", "STATISTICS");
}

/** The column as CREATE TABLE and ADD COLUMN have it. */
export function writeColumn(column: ColumnDefinition, env: Environment): { sql: string; type: Type } {
  const expression = column.generated && writeSql(column.generated, env);
  const type = columnType(column, env);
  const parts = [quoteName(column.name), type.sql];
  if (column.identity) {
    // An identity column's type must be an integer; NUMBER's widest is bigint's sequence behind it anyway.
    if (!/^(smallint|integer|bigint)$/.test(type.sql)) parts[1] = "bigint";
    parts.push(`GENERATED ${column.identity.always ? "ALWAYS" : "BY DEFAULT"} AS IDENTITY${column.identity.options}`);
    if (column.identity.onNull)
      env.output.warn(
        "GENERATED BY DEFAULT ON NULL: a NULL that a statement writes itself is refused by PostgreSQL, which gives a value only where the column is left out",
        column.line,
      );
  }
  if (expression !== undefined) parts.push(`GENERATED ALWAYS AS (${expression}) STORED`);
  if (column.defaultOnNull)
    env.output.warn(
      "DEFAULT ON NULL became DEFAULT: a NULL that a statement writes itself stays NULL in PostgreSQL",
      column.line,
    );
  if (column.default) parts.push(`DEFAULT ${writeDefault(column.default, env)}`);
  for (const constraint of column.constraints) {
    const sql = writeConstraint(constraint, env, "column");
    if (sql !== undefined) parts.push(sql);
  }
  return { sql: parts.join(" "), type };
}

function columnType(column: ColumnDefinition, env: Environment): Type {
  if (column.type) return mapType(column.type, env, "column");
  if (column.identity) return { sql: "bigint", family: "integer" };
  // A virtual column without a type, or a foreign key's that takes the type of what it refers to.
  return { sql: column.generated ? generatedType(column.generated, env) : "text", family: "unknown" };
}

function generatedType(expression: Expression, env: Environment): string {
  const { sql } = writeExpression(expression, env).type;
  return sql === "integer" ? "numeric" : sql;
}

export function writeDefault(expression: Expression, env: Environment): string {
  const sql = writeSql(expression, env);
  return expression.kind === "binary" || expression.kind === "is" ? `(${sql})` : sql;
}
