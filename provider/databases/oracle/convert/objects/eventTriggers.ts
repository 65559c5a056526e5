import type { Cursor } from "../read/cursor.js";
import { readBlock } from "../read/readBlock.js";
import { type Environment, Scope, Unit } from "../write/environment.js";
import { dollarQuote, fitName, quoteName, quoteNames } from "../write/names.js";
import { writeBody } from "../write/routines.js";
import { type Converted, schemaStatements } from "./converted.js";

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
  if (!event || !isDdl || (words.length > 1 && words.includes("LOGON")))
    cursor.refuse(`a trigger ${timing} ${words.join(" OR ")}: PostgreSQL has no such event`);
  cursor.expect("ON");
  if (cursor.accept("PLUGGABLE")) cursor.expect("DATABASE");
  else if (!cursor.accept("DATABASE")) {
    if (!cursor.accept("SCHEMA")) cursor.names();
    if (cursor.accept(".")) cursor.next();
    cursor.accept("SCHEMA");
    env.output.warn("a trigger ON SCHEMA: PostgreSQL's event triggers are of the whole database", cursor.line);
  }
  if (cursor.at("WHEN")) cursor.refuse("WHEN of a trigger on DDL");
  cursor.acceptAny("ENABLE", "DISABLE");
  const block = readBlock(cursor);
  const unit = new Unit("trigger", name.at(-1) ?? "", ["RETURN;"]);
  const body = writeBody(block, { ...env, scope: new Scope(env.scope), unit, place: "procedure" });
  const functionName = quoteNames([...name.slice(0, -1), fitName(`${name.at(-1)}_trigger`)]);
  const filter = event.tags ? ` WHEN TAG IN ('${event.tags}')` : "";
  return {
    kind: "trigger",
    name: name.join("."),
    sql: [
      ...schemaStatements(name, env),
      ...env.output.before,
      `CREATE OR REPLACE FUNCTION ${functionName}() RETURNS event_trigger LANGUAGE plpgsql AS ${dollarQuote(body.join("\n"))}`,
      `CREATE EVENT TRIGGER ${quoteName(name.at(-1) ?? "")} ON ${event.event}${filter} EXECUTE FUNCTION ${functionName}()`,
    ],
  };
}
