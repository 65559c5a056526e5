import type { Cursor } from "../read/cursor.js";
import { readDataType } from "../read/dataType.js";
import type { Environment } from "../write/environment.js";
import { dollarQuote, quoteName, quoteNames, quoteText } from "../write/names.js";
import { mapType } from "../write/types.js";
import { convertAlterTable } from "./alterTable.js";
import { type Converted, skipRest } from "./converted.js";
import { skipOracleOnly } from "./oracleOnly.js";
import { readSequenceOptions } from "./sequences.js";
import { convertAlterUser } from "./users.js";

/** Kinds whose ALTER only tunes: PostgreSQL does that by itself. */
const TUNED: Readonly<Record<string, string>> = {
  TABLESPACE: "a property of storage: PostgreSQL's tablespaces have none, and its log is always written",
  DATABASE: "a property of the instance",
  SYSTEM: "a property of the instance",
  DOMAIN: "a property of a domain that PostgreSQL's have not",
};
/** Kinds whose ALTER recompiles, or says which editions they are of. */
const COMPILED = ["FUNCTION", "PROCEDURE", "PACKAGE", "TYPE", "VIEW", "EDITIONABLE", "SYNONYM", "PUBLIC"];
const COMPILING = ["COMPILE", "EDITIONABLE", "NONEDITIONABLE"];

/** ALTER of anything. */
export function convertAlter(cursor: Cursor, env: Environment): Converted {
  cursor.expect("ALTER");
  if (cursor.at("TABLE")) return convertAlterTable(cursor, env);
  if (cursor.accept("SEQUENCE")) return alterSequence(cursor);
  if (cursor.accept("INDEX")) return alterIndex(cursor);
  if (cursor.accept("SESSION")) return alterSession(cursor);
  if (cursor.at("TRIGGER")) return alterTrigger(cursor);
  if (cursor.at("TYPE")) return alterType(cursor, env);
  if (cursor.at("VIEW") && !cursor.atAhead(1, "COMPILE")) return alterView(cursor);
  if (cursor.at("MATERIALIZED", "VIEW")) return alterMaterializedView(cursor);
  if (cursor.accept("USER")) return convertAlterUser(cursor);
  if (cursor.at("ROLE")) return nothing(cursor, "a role's password is asked for by SET ROLE, which PostgreSQL has not");
  const oracleOnly = skipOracleOnly(cursor);
  if (oracleOnly !== undefined) return { kind: "alter", name: "", sql: [], nothing: oracleOnly };
  const word = cursor.peek().text;
  const reason = TUNED[word];
  if (reason !== undefined) return nothing(cursor, reason);
  if (!COMPILED.includes(word)) cursor.refuse(`ALTER ${cursor.peek().value}: PostgreSQL has nothing of the kind`);
  const start = cursor.position;
  while (!cursor.done && !cursor.atAny(...COMPILING)) cursor.next();
  if (cursor.at("COMPILE")) return nothing(cursor, "COMPILE: PostgreSQL compiles when it runs");
  if (cursor.atAny(...COMPILING)) return nothing(cursor, "PostgreSQL has no editions");
  cursor.goTo(start);
  cursor.refuse(`ALTER ${cursor.peek().value}: PostgreSQL has nothing of the kind`);
}

function nothing(cursor: Cursor, reason: string): Converted {
  skipRest(cursor);
  return { kind: "alter", name: "", sql: [], nothing: reason };
}

function alterSequence(cursor: Cursor): Converted {
  cursor.accept("IF", "EXISTS");
  const name = cursor.names();
  const options = readSequenceOptions(cursor);
  if (!cursor.done) cursor.fail("expected an option of a sequence");
  if (options.length === 0)
    return { kind: "alter", name: name.join("."), sql: [], nothing: "an option that PostgreSQL's sequences have not" };
  return { kind: "alter", name: name.join("."), sql: [`ALTER SEQUENCE ${quoteNames(name)} ${options.join(" ")}`] };
}

function alterIndex(cursor: Cursor): Converted {
  cursor.accept("IF", "EXISTS");
  const name = cursor.names();
  const base = { kind: "alter", name: name.join(".") };
  if (cursor.accept("RENAME", "TO"))
    return { ...base, sql: [`ALTER INDEX ${quoteNames(name)} RENAME TO ${quoteName(cursor.name())}`] };
  const rebuilds = cursor.at("REBUILD");
  if (cursor.atAny("PARAMETERS")) cursor.refuse("parameters of a domain index");
  const isPartition = rebuilds && cursor.atAhead(1, "PARTITION", "SUBPARTITION");
  skipRest(cursor);
  return rebuilds && !isPartition
    ? { ...base, sql: [`REINDEX INDEX ${quoteNames(name)}`] }
    : { ...base, sql: [], nothing: "a property of storage or of plans: PostgreSQL has nothing to be told" };
}

function alterSession(cursor: Cursor): Converted {
  const base = { kind: "alter", name: "session" };
  if (cursor.accept("SET", "CURRENT_SCHEMA", "="))
    return { ...base, sql: [`SET search_path TO ${quoteName(cursor.name())}, public`] };
  if (cursor.accept("SET", "TIME_ZONE", "=")) {
    // The zone of the database, and that of the client's machine: both are what the session began with.
    const isDefault = cursor.acceptAny("DBTIMEZONE", "LOCAL") !== undefined;
    return { ...base, sql: [`SET TIME ZONE ${isDefault ? "DEFAULT" : quoteText(cursor.next().value)}`] };
  }
  return { ...nothing(cursor, "a property of an Oracle session"), name: "session" };
}

/** PostgreSQL switches a trigger through its table, which the statement does not name. */
function alterTrigger(cursor: Cursor): Converted {
  cursor.next();
  const name = cursor.names();
  const base = { kind: "alter", name: name.join(".") };
  const rename = cursor.accept("RENAME", "TO") ? cursor.name() : undefined;
  const action = rename === undefined ? cursor.acceptAny("ENABLE", "DISABLE") : undefined;
  if (rename === undefined && action === undefined)
    return { ...nothing(cursor, "COMPILE: PostgreSQL compiles when it runs"), name: name.join(".") };
  const trigger = quoteText(name.at(-1) ?? "");
  const command =
    rename === undefined ? `ALTER TABLE %s ${action} TRIGGER %I` : `ALTER TRIGGER %2$I ON %1$s RENAME TO ${quoteName(rename)}`;
  const lines = [
    "DECLARE",
    "  godwit_table regclass;",
    "BEGIN",
    `  SELECT tgrelid::regclass INTO STRICT godwit_table FROM pg_trigger WHERE tgname = ${trigger} AND NOT tgisinternal;`,
    `  EXECUTE format(${quoteText(command)}, godwit_table, ${trigger});`,
    "EXCEPTION WHEN no_data_found THEN",
    `  RAISE undefined_object USING MESSAGE = ${quoteText(`trigger "${name.at(-1) ?? ""}" does not exist`)};`,
    "END",
  ];
  return { ...base, sql: [`DO ${dollarQuote(lines.join("\n"))}`] };
}

/** Constraints of a view are for Oracle's optimizer only: they are never checked. */
function alterView(cursor: Cursor): Converted {
  cursor.next();
  const name = cursor.names().join(".");
  if (cursor.atAny("ADD", "MODIFY", "DROP"))
    return { ...nothing(cursor, "a constraint of a view, which Oracle does not check and PostgreSQL has not"), name };
  if (!cursor.atAny(...COMPILING)) cursor.refuse("ALTER VIEW: PostgreSQL has nothing of the kind");
  const reason = cursor.at("COMPILE") ? "COMPILE: PostgreSQL compiles when it runs" : "PostgreSQL has no editions";
  return { ...nothing(cursor, reason), name };
}

function alterType(cursor: Cursor, env: Environment): Converted {
  cursor.next();
  const name = cursor.names();
  const base = { kind: "alter", name: name.join(".") };
  const sql: string[] = [];
  while (cursor.atAny("ADD", "DROP", "MODIFY") && cursor.atAhead(1, "ATTRIBUTE")) {
    const word = cursor.next().text;
    cursor.next();
    const change = () => {
      const attribute = quoteName(cursor.name());
      if (word === "DROP") return `DROP ATTRIBUTE ${attribute}`;
      const type = mapType(readDataType(cursor), env, "column");
      return word === "ADD" ? `ADD ATTRIBUTE ${attribute} ${type.sql}` : `ALTER ATTRIBUTE ${attribute} TYPE ${type.sql}`;
    };
    const changes = cursor.at("(") ? cursor.listed(change) : [change()];
    sql.push(`ALTER TYPE ${quoteNames(name)} ${changes.map((each) => `${each} CASCADE`).join(", ")}`);
    cursor.accept(",");
  }
  if (sql.length > 0) {
    skipRest(cursor);
    return { ...base, sql };
  }
  if (cursor.at("COMPILE") || cursor.at("NOT", "FINAL") || cursor.at("FINAL") || cursor.at("INSTANTIABLE"))
    return { ...nothing(cursor, "PostgreSQL compiles when it runs, and its types are open"), name: name.join(".") };
  if (cursor.at("MODIFY", "LIMIT"))
    return { ...nothing(cursor, "the limit of a VARRAY: arrays have none here"), name: name.join(".") };
  // Only the body says what a method does; one that is dropped may be called yet.
  if (cursor.at("ADD")) return { ...nothing(cursor, "a method: the type's body creates its function"), name: name.join(".") };
  cursor.refuse("ALTER TYPE that drops a method: drop its function");
}

function alterMaterializedView(cursor: Cursor): Converted {
  cursor.next();
  cursor.next();
  if (cursor.at("LOG")) return nothing(cursor, "PostgreSQL has no logs of materialized views");
  const name = cursor.names().join(".");
  return { ...nothing(cursor, "when and how it is refreshed is for a scheduler to say"), name };
}
