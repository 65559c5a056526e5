import type { Cursor } from "../read/cursor.js";
import type { Environment } from "../write/environment.js";
import { quoteNames } from "../write/names.js";
import { type Converted, schemaStatements } from "./converted.js";

/** CREATE SEQUENCE. */
export function convertSequence(cursor: Cursor, env: Environment): Converted {
  cursor.expect("SEQUENCE");
  const guard = cursor.accept("IF", "NOT", "EXISTS") ? "CREATE SEQUENCE IF NOT EXISTS" : "CREATE SEQUENCE";
  const name = cursor.names();
  if (cursor.accept("SHARING")) {
    cursor.accept("=");
    cursor.next();
  }
  const options = readSequenceOptions(cursor);
  if (!cursor.done) cursor.fail("expected an option of a sequence");
  env.catalog.sequences.add(name.slice(-2).join("."));
  return {
    kind: "sequence",
    name: name.join("."),
    sql: [...schemaStatements(name, env), [guard, quoteNames(name), ...options].join(" ")],
  };
}

const MOST = 9223372036854775807n;

/** Options of a sequence or identity column. Oracle's bounds reach to 28 digits, PostgreSQL's to a bigint. */
export function readSequenceOptions(cursor: Cursor, onLimitValue?: () => void): string[] {
  const options: string[] = [];
  for (const option of readAll(cursor, onLimitValue)) {
    // Said twice, in other words or the same: PostgreSQL refuses that, the later word counts.
    const at = options.findIndex((each) => subjectOf(each) === subjectOf(option));
    if (at >= 0) options.splice(at, 1);
    options.push(option);
  }
  return options;
}

function subjectOf(option: string): string {
  return option.replace(/^NO /, "").split(" ")[0] ?? "";
}

function readAll(cursor: Cursor, onLimitValue?: () => void): string[] {
  const options: string[] = [];
  for (;;) {
    if (cursor.accept("START", "WITH")) {
      if (cursor.accept("LIMIT", "VALUE")) {
        onLimitValue?.();
        continue;
      }
      options.push(`START WITH ${within(readInteger(cursor))}`);
    } else if (cursor.accept("INCREMENT", "BY")) options.push(`INCREMENT BY ${within(readInteger(cursor))}`);
    else if (cursor.accept("MAXVALUE")) options.push(bound("MAXVALUE", readInteger(cursor)));
    else if (cursor.accept("MINVALUE")) options.push(bound("MINVALUE", readInteger(cursor)));
    else if (cursor.accept("NOMAXVALUE")) options.push("NO MAXVALUE");
    else if (cursor.accept("NOMINVALUE")) options.push("NO MINVALUE");
    else if (cursor.accept("NO", "MAXVALUE")) options.push("NO MAXVALUE");
    else if (cursor.accept("NO", "MINVALUE")) options.push("NO MINVALUE");
    else if (cursor.accept("CYCLE")) options.push("CYCLE");
    else if (cursor.accept("NOCYCLE") || cursor.accept("NO", "CYCLE")) options.push("NO CYCLE");
    else if (cursor.accept("CACHE")) options.push(`CACHE ${readInteger(cursor)}`);
    else if (cursor.accept("NOCACHE") || cursor.accept("NO", "CACHE")) options.push("CACHE 1");
    else if (cursor.accept("RESTART"))
      options.push(
        cursor.accept("START", "WITH") || cursor.accept("WITH") ? `RESTART WITH ${within(readInteger(cursor))}` : "RESTART",
      );
    else if (
      cursor.acceptAny(
        "ORDER",
        "NOORDER",
        "KEEP",
        "NOKEEP",
        "SCALE",
        "NOSCALE",
        "EXTEND",
        "NOEXTEND",
        "SHARD",
        "NOSHARD",
        "SESSION",
        "GLOBAL",
        "PARTITION",
        "NOPARTITION",
      )
    )
      continue;
    else return options;
  }
}

function readInteger(cursor: Cursor): bigint {
  const sign = cursor.accept("-") ? -1n : 1n;
  cursor.accept("+");
  const token = cursor.next();
  if (token.kind !== "number") cursor.fail("expected a number");
  // 1e27 and 999.0 are written now and then.
  const value = /^\d+$/.test(token.value) ? BigInt(token.value) : BigInt(Math.trunc(Number(token.value)));
  return sign * value;
}

function within(value: bigint): bigint {
  return value > MOST ? MOST : value < -MOST ? -MOST : value;
}

function bound(word: "MAXVALUE" | "MINVALUE", value: bigint): string {
  return value > MOST || value < -MOST ? `NO ${word}` : `${word} ${value}`;
}
