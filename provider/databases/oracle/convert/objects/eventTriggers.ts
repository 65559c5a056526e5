import type { Cursor } from "../read/cursor.js";
import { readBlock } from "../read/readBlock.js";
import { readExpression } from "../read/readExpression.js";
import { type Environment, Scope, Unit } from "../write/environment.js";
import { dollarQuote, fitName, quoteName, quoteNames } from "../write/names.js";
import { writeBody } from "../write/routines.js";
import { writeSql } from "../write/writeExpression.js";
import { type Converted, schemaStatements } from "./converted.js";
import { callBlock } from "./triggers.js";

/** Events of schemas and databases as PostgreSQL's event triggers have them. */
const EVENTS: Readonly<Record<string, { event: string; tags?: string }>> = {
  "AFTER LOGON": { event: "login" },
  "BEFORE DDL": { event: "ddl_command_start" },
  "AFTER DDL": { event: "ddl_command_end" },
  "BEFORE CREATE": {
    event: "ddl_command_start",
    tags: "CREATE TABLE', 'CREATE VIEW', 'CREATE INDEX', 'CREATE SEQUENCE', 'CREATE FUNCTION', 'CREATE PROCEDURE', 'CREATE TRIGGER', 'CREATE TYPE",
  },
  "AFTER CREATE": {
    event: "ddl_command_end",
    tags: "CREATE TABLE', 'CREATE VIEW', 'CREATE INDEX', 'CREATE SEQUENCE', 'CREATE FUNCTION', 'CREATE PROCEDURE', 'CREATE TRIGGER', 'CREATE TYPE",
  },
  "BEFORE ALTER": { event: "ddl_command_start", tags: "ALTER TABLE', 'ALTER VIEW', 'ALTER SEQUENCE" },
  "AFTER ALTER": { event: "ddl_command_end", tags: "ALTER TABLE', 'ALTER VIEW', 'ALTER SEQUENCE" },
  "BEFORE DROP": {
    event: "ddl_command_start",
    tags: "DROP TABLE', 'DROP VIEW', 'DROP INDEX', 'DROP SEQUENCE', 'DROP FUNCTION', 'DROP PROCEDURE', 'DROP TRIGGER', 'DROP TYPE",
  },
  "AFTER DROP": { event: "sql_drop" },
};

/** A trigger on DDL or on logging in. */
export function writeEventTrigger(cursor: Cursor, name: readonly string[], timing: string, env: Environment): Converted {
  const words: string[] = [];
  do words.push(cursor.next().text);
  while (cursor.accept("OR"));
  const event = words.length === 1 ? EVENTS[`${timing} ${words[0]}`] : EVENTS[`${timing} DDL`];
  const isDdl = words.every((word) => ["CREATE", "ALTER", "DROP", "DDL", "LOGON", "TRUNCATE", "GRANT", "COMMENT"].includes(word));
  const fires = event !== undefined && isDdl && !(words.length > 1 && words.includes("LOGON"));
  const line = cursor.line;
  cursor.expect("ON");
  if (cursor.accept("PLUGGABLE")) cursor.expect("DATABASE");
  else if (!cursor.accept("DATABASE")) {
    if (!cursor.accept("SCHEMA")) cursor.names();
    if (cursor.accept(".")) cursor.next();
    cursor.accept("SCHEMA");
    env.output.warn("a trigger ON SCHEMA: PostgreSQL's event triggers are of the whole database", cursor.line);
  }
  const condition = cursor.accept("WHEN") ? readExpression(cursor) : undefined;
  cursor.acceptAny("ENABLE", "DISABLE");
  const block = cursor.accept("CALL") ? callBlock(cursor, line) : readBlock(cursor);
  const unit = new Unit("trigger", name.at(-1) ?? "", ["RETURN;"]);
  const inner: Environment = { ...env, scope: new Scope(env.scope), unit, place: "procedure" };
  const preface = condition ? [`IF (${writeSql(condition, inner)}) IS NOT TRUE THEN RETURN; END IF;`] : [];
  const body = writeBody(block, inner, { preface });
  const functionName = quoteNames([...name.slice(0, -1), fitName(`${name.at(-1)}_trigger`)]);
  const create = `CREATE OR REPLACE FUNCTION ${functionName}() RETURNS event_trigger LANGUAGE plpgsql AS ${dollarQuote(body.join("\n"))}`;
  if (!fires || !event) {
    const reason = `PostgreSQL has no event ${timing} ${words.join(" OR ")}: the trigger's function was created, nothing fires it`;
    return {
      kind: "trigger",
      name: name.join("."),
      sql: [...schemaStatements(name, env), ...env.output.before, create],
      leftOut: [{ kind: "trigger", name: name.join("."), reason, line }],
    };
  }
  const filter = event.tags ? ` WHEN TAG IN ('${event.tags}')` : "";
  return {
    kind: "trigger",
    name: name.join("."),
    sql: [
      ...schemaStatements(name, env),
      ...env.output.before,
      create,
      `CREATE EVENT TRIGGER ${quoteName(name.at(-1) ?? "")} ON ${event.event}${filter} EXECUTE FUNCTION ${functionName}()`,
    ],
  };
}
