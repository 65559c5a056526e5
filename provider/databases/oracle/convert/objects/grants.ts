import type { Cursor } from "../read/cursor.js";
import { dollarQuote, quoteName, quoteNames, quoteText } from "../write/names.js";
import { type Converted, skipRest } from "./converted.js";

/** Rights on tables that PostgreSQL has as well. */
const TABLE_RIGHTS = new Set(["SELECT", "INSERT", "UPDATE", "DELETE", "REFERENCES", "TRIGGER", "ALL"]);
/** Rights of Oracle's whose counterpart is to own the object, or which there is nothing to use for. */
const OTHER_RIGHTS: Readonly<Record<string, string>> = {
  ALTER: "only a table's owner alters it",
  INDEX: "only a table's owner indexes it",
  DEBUG: "PostgreSQL has no debugger of its own",
  FLASHBACK: "PostgreSQL has no earlier rows to be read",
  UNDER: "types have no subtypes of their own",
  READ: "directories are the server's own",
  WRITE: "directories are the server's own",
  INHERIT: "a routine runs with its caller's rights unless it says otherwise",
  USE: "PostgreSQL has no editions",
};

/**
 * GRANT and REVOKE. A role that the target has not is passed over with a warning: the target's roles are its own, and who has a right
 * too few asks for it. EXECUTE goes to what the target has of that name: a routine, a package's schema or a type.
 */
export function convertGrant(cursor: Cursor): Converted {
  const word = cursor.next().text;
  const kind = word.toLowerCase();
  const start = cursor.position;
  const rights = cursor.list(() => {
    const words = [cursor.next().text];
    while (!cursor.done && !cursor.atAny(",", "(", "ON", "TO", "FROM")) words.push(cursor.next().text);
    const right = words.join(" ").replace(/ PRIVILEGES$/, "");
    return right + (cursor.at("(") ? ` (${cursor.listed(() => quoteName(cursor.name())).join(", ")})` : "");
  });
  if (!cursor.accept("ON")) {
    const what = cursor.sourceSince(start);
    skipRest(cursor);
    return {
      kind,
      name: "",
      sql: [],
      nothing: `${what}: rights of the system and roles are not carried over, the target has its own`,
    };
  }
  if (cursor.acceptAny("DIRECTORY", "EDITION", "JAVA", "MINING", "USER")) {
    skipRest(cursor);
    return { kind, name: "", sql: [], nothing: "a right on what PostgreSQL has nothing of" };
  }
  const name = cursor.names();
  const to = word === "GRANT" ? "TO" : "FROM";
  cursor.expect(to);
  const grantees = cursor.list(() => {
    const grantee = cursor.name();
    if (cursor.accept("IDENTIFIED", "BY")) cursor.next();
    return grantee;
  });
  const option = cursor.accept("WITH", "GRANT", "OPTION") && word === "GRANT" ? " WITH GRANT OPTION" : "";
  skipRest(cursor);
  const own = rights.filter((right) => TABLE_RIGHTS.has(right.split(" ")[0] ?? ""));
  const isExecute = rights.some((right) => right === "EXECUTE" || right.startsWith("ALL"));
  const foreign = rights.filter((right) => !own.includes(right) && right !== "EXECUTE");
  const unknown = foreign.find((right) => OTHER_RIGHTS[right.split(" ")[0] ?? ""] === undefined);
  if (unknown !== undefined) cursor.refuse(`the right ${unknown}`);
  if (own.length === 0 && !isExecute)
    return {
      kind,
      name: name.join("."),
      sql: [],
      nothing: OTHER_RIGHTS[foreign[0]?.split(" ")[0] ?? ""] ?? "no right of PostgreSQL's",
    };
  const onTable = own.length > 0 ? `${word} ${own.join(", ")} ON ${quoteNames(name)} ${to} %s${option}` : undefined;
  return { kind, name: name.join("."), sql: [writeGrants(word, name, grantees, onTable, isExecute, option)] };
}

/** A statement for each role that is there. */
function writeGrants(
  word: string,
  name: readonly string[],
  grantees: readonly string[],
  onTable: string | undefined,
  isExecute: boolean,
  option: string,
): string {
  const to = word === "GRANT" ? "TO" : "FROM";
  const lines = [
    "DECLARE",
    "  godwit_role text;",
    "BEGIN",
    `  FOREACH godwit_role IN ARRAY ARRAY[${grantees.map(quoteText).join(", ")}] LOOP`,
    "    IF godwit_role <> 'public' AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = godwit_role) THEN",
    `      RAISE WARNING 'role "%" does not exist: it has no right on ${name.join(".").replaceAll("'", "''").replaceAll("%", "%%")}', godwit_role;`,
    "      CONTINUE;",
    "    END IF;",
    "    godwit_role := CASE godwit_role WHEN 'public' THEN 'PUBLIC' ELSE quote_ident(godwit_role) END;",
  ];
  const run = (statement: string) => `EXECUTE format(${quoteText(statement)}, godwit_role);`;
  if (!isExecute && onTable !== undefined) lines.push(`    ${run(onTable)}`);
  else lines.push(...writeExecute(word, to, name, onTable, option, run));
  lines.push("  END LOOP;", "END");
  return `DO ${dollarQuote(lines.join("\n"))}`;
}

function writeExecute(
  word: string,
  to: string,
  name: readonly string[],
  onTable: string | undefined,
  option: string,
  run: (statement: string) => string,
): string[] {
  const path = quoteText(quoteNames(name));
  const schema = quoteName(name.at(-1) ?? "");
  const routines = `SELECT FROM pg_proc WHERE format('%I.%I', pronamespace::regnamespace, proname) = ANY (ARRAY[${path}, 'public.' || ${path}])`;
  const cases = [
    ...(onTable === undefined ? [] : [[`to_regclass(${path}) IS NOT NULL`, run(onTable)]]),
    [`EXISTS (${routines})`, run(`${word} EXECUTE ON ROUTINE ${quoteNames(name)} ${to} %s${option}`)],
    [
      `to_regnamespace(${quoteText(schema)}) IS NOT NULL`,
      `${run(`${word} USAGE ON SCHEMA ${schema} ${to} %s${option}`)} ${run(`${word} EXECUTE ON ALL ROUTINES IN SCHEMA ${schema} ${to} %s${option}`)}`,
    ],
    [`to_regtype(${path}) IS NOT NULL`, run(`${word} USAGE ON TYPE ${quoteNames(name)} ${to} %s${option}`)],
  ];
  const lines = cases.map(([test, action], index) => `    ${index === 0 ? "IF" : "ELSIF"} ${test} THEN ${action}`);
  const missing = `RAISE WARNING '% does not exist: nobody has a right on it', ${path};`;
  return [...lines, `    ELSE ${missing}`, "    END IF;"];
}
