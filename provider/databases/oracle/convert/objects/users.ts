import type { Cursor } from "../read/cursor.js";
import { quoteName, quoteText } from "../write/names.js";
import { type Converted, skipRest } from "./converted.js";

/** ALTER USER: a password and a lock are the role's; tablespaces, quotas, profiles and proxies are nothing of PostgreSQL's. */
export function convertAlterUser(cursor: Cursor): Converted {
  const name = cursor.names().at(-1) ?? "";
  const options: string[] = [];
  while (!cursor.done) {
    if (cursor.accept("IDENTIFIED", "BY")) options.push(`PASSWORD ${readPassword(cursor)}`);
    else if (cursor.accept("ACCOUNT")) options.push(cursor.next().text === "LOCK" ? "NOLOGIN" : "LOGIN");
    else if (cursor.accept("PASSWORD", "EXPIRE")) options.push("VALID UNTIL '-infinity'");
    else cursor.skip();
  }
  return options.length > 0
    ? { kind: "alter", name, sql: [`ALTER ROLE ${quoteName(name)} ${options.join(" ")}`] }
    : { kind: "alter", name, sql: [], nothing: "what the user may store and use is not a property of a role in PostgreSQL" };
}

/** A hash (IDENTIFIED BY VALUES) is Oracle's own. */
function readPassword(cursor: Cursor): string {
  if (cursor.at("VALUES")) cursor.refuse("a password by its hash: PostgreSQL's hashes are others");
  return quoteText(cursor.next().value);
}

/** DROP USER drops what the user owns: owners are schemas here. The role stays, since the target's roles are its own. */
export function convertDropUser(cursor: Cursor): Converted {
  cursor.accept("IF", "EXISTS");
  const name = cursor.names().at(-1) ?? "";
  const cascade = cursor.at("CASCADE") ? " CASCADE" : "";
  skipRest(cursor);
  return { kind: "drop", name, sql: [`DROP SCHEMA IF EXISTS ${quoteName(name)}${cascade}`] };
}
