import type { ObjectKind } from "../../../engine/models/catalog.js";
import type { DdlOperations } from "../../../engine/models/plan.js";
import { type DdlName, DdlWords, tokensOf } from "./ddlWords.js";

/** Which of the contract's operations.ddl a statement falls under. */
export type DdlOperation = keyof DdlOperations | "truncate";

/**
 * What a DDL statement does, as far as following it needs to know. `table`: the table whose structure or index it is about.
 * `other`: nothing that is carried over (grants, users, storage, statistics).
 */
export type DdlStatement =
  | { readonly kind: "alterTable"; readonly operation: DdlOperation; readonly table: DdlName }
  /** A partition and a table change places: rows come and go that no redo holds. */
  | { readonly kind: "exchange"; readonly table: DdlName; readonly with: DdlName }
  /** `cascade`: with the tables that refer to it. Without it is a change of rows to the stream, which does not ask. */
  | { readonly kind: "truncate"; readonly operation: "truncate"; readonly table: DdlName; readonly cascade: boolean }
  /** All tables that lie in it lose their rows. */
  | { readonly kind: "truncateCluster"; readonly cluster: DdlName }
  | { readonly kind: "dropTable"; readonly operation: "drop"; readonly table: DdlName }
  /** `withRows`: it has rows from the beginning, which its redo may not hold. */
  | { readonly kind: "createTable"; readonly operation: "create"; readonly table: DdlName; readonly withRows: boolean }
  | { readonly kind: "renameTable"; readonly operation: "rename"; readonly table: DdlName; readonly to: string }
  | { readonly kind: "index"; readonly operation: "index"; readonly table: DdlName | undefined }
  | { readonly kind: "object"; readonly operation: DdlOperation; readonly object: ObjectKind; readonly name: DdlName | undefined }
  | { readonly kind: "other" };

const OTHER: DdlStatement = { kind: "other" };
const VIEWS: Readonly<Record<string, ObjectKind>> = { VIEW: "view", SYNONYM: "synonym" };
const ROUTINES: Readonly<Record<string, ObjectKind>> = {
  FUNCTION: "function",
  PROCEDURE: "procedure",
  PACKAGE: "package",
  TRIGGER: "trigger",
  TYPE: "type",
};

/** Reads the head of a statement. Pure; text that is no SQL is `other`. */
export function readDdlStatement(sql: string): DdlStatement {
  const words = new DdlWords(tokensOf(sql));
  const verb = words.next();
  switch (verb) {
    case "RENAME": {
      const table = words.name();
      words.next();
      return renamed(table, words.name().name);
    }
    case "COMMENT": {
      words.accept("ON");
      const column = words.next() === "COLUMN";
      const name = words.name();
      // SCHEMA.TABLE.COLUMN, or TABLE.COLUMN.
      const relation = !column ? name : words.peek() === "." ? name : { schema: undefined, name: name.schema ?? "" };
      return { kind: "object", operation: "alter", object: "comment" as ObjectKind, name: relation };
    }
    case "FLASHBACK":
      return flashedBack(words);
    case "TRUNCATE": {
      const cluster = words.next() === "CLUSTER";
      const name = words.name();
      return cluster
        ? { kind: "truncateCluster", cluster: name }
        : {
            kind: "truncate",
            operation: "truncate",
            table: name,
            cascade: words.tokens.some(({ text }) => text === "CASCADE"),
          };
    }
    case "CREATE":
    case "ALTER":
    case "DROP":
      return readObject(verb, words);
    default:
      return OTHER;
  }
}

/**
 * Out of the recycle bin it comes with its rows, by another name maybe, or by the one it has there: then its own is not said. Back to an SCN the rows go one by
 * one, as changes in the redo.
 */
function flashedBack(words: DdlWords): DdlStatement {
  words.accept("TABLE");
  const table = words.name();
  if (!words.accept("TO", "BEFORE", "DROP")) return OTHER;
  const renamed = words.accept("RENAME", "TO") ? { schema: table.schema, name: words.name().name } : table;
  return { kind: "createTable", operation: "create", table: renamed, withRows: true };
}

/** With the recycle bin on, DROP TABLE first gives the table, its keys and indexes names there, each a statement of its own in the redo. */
function renamed(table: DdlName, to: string): DdlStatement {
  return isInRecycleBin(to) ? OTHER : { kind: "renameTable", operation: "rename", table, to };
}

export function isInRecycleBin(name: string): boolean {
  return name.startsWith("BIN$");
}

function readObject(verb: "CREATE" | "ALTER" | "DROP", words: DdlWords): DdlStatement {
  const modifiers = new Set<string>();
  for (let word = words.peek(); MODIFIERS.has(word); word = words.peek()) modifiers.add(words.next());
  const kind = words.next();
  const operation = verb === "CREATE" ? "create" : verb === "DROP" ? "drop" : "alter";
  if (verb === "ALTER" && words.tokens.some(({ kind: token, value }) => token === "quoted" && isInRecycleBin(value)))
    return OTHER;
  if (kind === "TABLE") return readTable(verb, modifiers, words);
  words.accept("IF", "NOT", "EXISTS");
  words.accept("IF", "EXISTS");
  if (kind === "INDEX") {
    if (verb !== "CREATE") return { kind: "index", operation: "index", table: undefined };
    words.name();
    words.next();
    return { kind: "index", operation: "index", table: words.name() };
  }
  if (kind === "MATERIALIZED") {
    // A log of a materialized view's table is storage of Oracle's own.
    words.accept("VIEW");
    return words.peek() === "LOG" ? OTHER : { kind: "object", operation: "view", object: "materializedView", name: words.name() };
  }
  const view = VIEWS[kind];
  if (view) return { kind: "object", operation: "view", object: view, name: words.name() };
  const routine = ROUTINES[kind];
  if (routine) {
    words.accept("BODY");
    return { kind: "object", operation: "routine", object: routine, name: words.name() };
  }
  return kind === "SEQUENCE" ? { kind: "object", operation, object: "sequence", name: words.name() } : OTHER;
}

function readTable(verb: "CREATE" | "ALTER" | "DROP", modifiers: ReadonlySet<string>, words: DdlWords): DdlStatement {
  if (modifiers.has("TEMPORARY")) return OTHER;
  words.accept("IF", "NOT", "EXISTS");
  words.accept("IF", "EXISTS");
  const table = words.name();
  if (isInRecycleBin(table.name)) return OTHER;
  if (verb === "CREATE") {
    return { kind: "createTable", operation: "create", table, withRows: words.tokens.some(({ text }) => text === "SELECT") };
  }
  if (verb === "DROP") return { kind: "dropTable", operation: "drop", table };
  if (words.accept("RENAME", "TO")) return renamed(table, words.name().name);
  if (words.peek() === "EXCHANGE") {
    while (!words.done && !words.accept("WITH", "TABLE")) words.next();
    return { kind: "exchange", table, with: words.name() };
  }
  const operation = words.peek() === "RENAME" ? "rename" : words.peek() === "TRUNCATE" ? "truncate" : "alter";
  return { kind: "alterTable", operation, table };
}

const MODIFIERS = new Set(
  "OR REPLACE GLOBAL PRIVATE TEMPORARY UNIQUE BITMAP FORCE NOFORCE NO EDITIONABLE NONEDITIONABLE EDITIONING PUBLIC IMMUTABLE BLOCKCHAIN SHARDED DUPLICATED".split(
    " ",
  ),
);
