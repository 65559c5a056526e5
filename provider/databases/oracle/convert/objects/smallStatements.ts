import type { Cursor } from "../read/cursor.js";
import type { Environment } from "../write/environment.js";
import { dollarQuote, quoteName, quoteNames, quoteText } from "../write/names.js";
import { type Converted, skipRest } from "./converted.js";
import { skipOracleOnly } from "./oracleOnly.js";
import { convertDropUser } from "./users.js";

/** COMMENT ON. */
export function convertComment(cursor: Cursor, env: Environment): Converted {
  cursor.expect("COMMENT");
  cursor.expect("ON");
  const word = cursor.accept("MATERIALIZED", "VIEW") ? "MATERIALIZED VIEW" : cursor.next().text;
  if (!["TABLE", "COLUMN", "MATERIALIZED VIEW", "VIEW"].includes(word)) cursor.refuse(`COMMENT ON ${word}`);
  const name = cursor.names();
  cursor.expect("IS");
  const text = cursor.next();
  if (text.kind !== "string") cursor.fail("expected the text of the comment");
  const known = env.catalog.relations.get(name.slice(-2).join("."));
  const kind = word === "TABLE" && known ? known.kind.toUpperCase() : word;
  // What a materialized view or a view is here, the target knows: another conversion may have made a table of it.
  const isLookedUp = !known && (word === "MATERIALIZED VIEW" || word === "VIEW");
  const value = text.value === "" ? "NULL" : quoteText(text.value);
  if (isLookedUp) return { kind: "comment", name: name.join("."), sql: [writeLookedUpComment(quoteNames(name), value)] };
  const target = word === "COLUMN" ? name.slice(-3).map(quoteName).join(".") : quoteNames(name);
  return {
    kind: "comment",
    name: name.join("."),
    sql: [`COMMENT ON ${kind} ${target} IS ${value}`],
  };
}

function writeLookedUpComment(relation: string, value: string): string {
  const lines = [
    "DECLARE",
    "  godwit_kind text;",
    "BEGIN",
    "  SELECT CASE relkind WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'v' THEN 'VIEW' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END INTO godwit_kind",
    `  FROM pg_class WHERE oid = ${quoteText(relation)}::regclass;`,
    `  EXECUTE format('COMMENT ON %s %s IS %L', godwit_kind, ${quoteText(relation)}, ${value});`,
    "END",
  ];
  return `DO ${dollarQuote(lines.join("\n"))}`;
}

/** RENAME a TO b: of tables, views and sequences alike, which ALTER TABLE renames all. */
export function convertRename(cursor: Cursor): Converted {
  cursor.expect("RENAME");
  const from = cursor.names();
  cursor.expect("TO");
  const to = cursor.name();
  return { kind: "rename", name: from.join("."), sql: [`ALTER TABLE ${quoteNames(from)} RENAME TO ${quoteName(to)}`] };
}

export function convertTruncate(cursor: Cursor): Converted {
  cursor.expect("TRUNCATE");
  if (!cursor.accept("TABLE")) cursor.refuse("TRUNCATE CLUSTER: its tables are tables of their own here, and not named");
  const name = cursor.names();
  let cascade = "";
  while (!cursor.done) cascade = cursor.next().text === "CASCADE" ? " CASCADE" : cascade;
  return { kind: "truncate", name: name.join("."), sql: [`TRUNCATE TABLE ${quoteNames(name)}${cascade}`] };
}

/** DROP. What a statement of the source dropped is to be gone here, so a missing object is no error. */
export function convertDrop(cursor: Cursor): Converted {
  cursor.expect("DROP");
  cursor.accept("PUBLIC");
  const line = cursor.line;
  const oracleOnly = skipOracleOnly(cursor);
  if (oracleOnly !== undefined) return { kind: "drop", name: "", sql: [], nothing: oracleOnly };
  if (cursor.accept("USER")) return convertDropUser(cursor);
  const word = cursor.accept("MATERIALIZED", "VIEW") ? "MATERIALIZED VIEW" : cursor.next().text;
  if (word === "TYPE" && cursor.at("BODY"))
    return nothingDropped(cursor, "its methods are functions of their own, which go when the type is dropped");
  if (word === "PACKAGE" && cursor.at("BODY"))
    return nothingDropped(cursor, "specification and body are one schema, which goes when the package is dropped");
  if (word === "TABLESPACE") return nothingDropped(cursor, "a tablespace is the target's own");
  if (
    ![
      "TABLE",
      "VIEW",
      "MATERIALIZED VIEW",
      "INDEX",
      "SEQUENCE",
      "FUNCTION",
      "PROCEDURE",
      "PACKAGE",
      "TYPE",
      "SYNONYM",
      "TRIGGER",
      "DOMAIN",
      "ROLE",
    ].includes(word)
  )
    cursor.refuse(`DROP ${word}`);
  cursor.accept("IF", "EXISTS");
  const name = cursor.names();
  let cascade = "";
  while (!cursor.done) {
    const text = cursor.next().text;
    if (text === "CASCADE" || (text === "FORCE" && word === "TYPE")) cascade = " CASCADE";
  }
  const base = { kind: "drop", name: name.join("."), line };
  if (word === "PACKAGE") return { ...base, sql: [`DROP SCHEMA IF EXISTS ${quoteName(name.at(-1) ?? "")} CASCADE`] };
  if (word === "SYNONYM") return { ...base, sql: [`DROP VIEW IF EXISTS ${quoteNames(name)}`] };
  if (word === "TRIGGER") return { ...base, sql: [writeDropTrigger(name)] };
  return { ...base, sql: [`DROP ${word} IF EXISTS ${quoteNames(name)}${cascade}`] };
}

function nothingDropped(cursor: Cursor, nothing: string): Converted {
  cursor.accept("BODY");
  const name = cursor.atName() ? cursor.names().join(".") : "";
  skipRest(cursor);
  return { kind: "drop", name, sql: [], nothing };
}

/** PostgreSQL drops a trigger from its table, which the statement does not name; a compound trigger is several. */
function writeDropTrigger(name: readonly string[]): string {
  const trigger = quoteText(name.at(-1) ?? "");
  const lines = [
    "DECLARE",
    "  godwit_trigger record;",
    "BEGIN",
    `  FOR godwit_trigger IN SELECT tgname, tgrelid::regclass AS on_table FROM pg_trigger WHERE NOT tgisinternal`,
    `    AND (tgname = ${trigger} OR tgname ~ ('^' || ${trigger} || '_(before|after|instead_of)_(row|statement)$'))`,
    "  LOOP",
    "    EXECUTE format('DROP TRIGGER %I ON %s', godwit_trigger.tgname, godwit_trigger.on_table);",
    "  END LOOP;",
    "END",
  ];
  return `DO ${dollarQuote(lines.join("\n"))}`;
}
