import type { DdlOperations } from "../../../engine/models/plan.js";
import { Lexer, LexicalProblem, type Token } from "../convert/read/lexer.js";

/** A name as Oracle stores it; the schema is the session's where the statement names none. */
export interface DdlName {
  readonly schema: string | undefined;
  readonly name: string;
}

/**
 * What a DDL statement does, as far as following it needs to know. `table`: the table whose structure or index it is about.
 * `other`: nothing that is carried over (grants, users, storage, statistics).
 */
export type DdlStatement =
  | { readonly kind: "alterTable" | "dropTable"; readonly operation: keyof DdlOperations; readonly table: DdlName }
  | { readonly kind: "createTable"; readonly operation: "create"; readonly table: DdlName; readonly fromQuery: boolean }
  | { readonly kind: "renameTable"; readonly operation: "rename"; readonly table: DdlName; readonly to: string }
  | { readonly kind: "index"; readonly operation: "index"; readonly table: DdlName | undefined }
  | { readonly kind: "object"; readonly operation: keyof DdlOperations }
  | { readonly kind: "other" };

const OTHER: DdlStatement = { kind: "other" };
const VIEWS = new Set(["VIEW", "SYNONYM"]);
const ROUTINES = new Set(["FUNCTION", "PROCEDURE", "PACKAGE", "TRIGGER", "TYPE"]);

/** Reads the head of a statement. Pure; text that is no SQL is `other`. */
export function readDdlStatement(sql: string): DdlStatement {
  const tokens = tokensOf(sql);
  const words = new Words(tokens);
  const verb = words.next();
  switch (verb) {
    case "RENAME": {
      const table = words.name();
      words.next();
      return { kind: "renameTable", operation: "rename", table, to: words.name().name };
    }
    case "COMMENT":
      return { kind: "object", operation: "alter" };
    case "CREATE":
    case "ALTER":
    case "DROP":
      return readObject(verb, words, tokens);
    default:
      return OTHER;
  }
}

function readObject(verb: "CREATE" | "ALTER" | "DROP", words: Words, tokens: readonly Token[]): DdlStatement {
  const modifiers = new Set<string>();
  for (let word = words.peek(); MODIFIERS.has(word); word = words.peek()) modifiers.add(words.next());
  const kind = words.next();
  const operation = verb === "CREATE" ? "create" : verb === "DROP" ? "drop" : "alter";
  if (kind === "TABLE") {
    if (modifiers.has("TEMPORARY")) return OTHER;
    words.accept("IF", "NOT", "EXISTS");
    const table = words.name();
    if (verb === "CREATE") {
      return { kind: "createTable", operation: "create", table, fromQuery: tokens.some(({ text }) => text === "SELECT") };
    }
    if (verb === "DROP") return { kind: "dropTable", operation: "drop", table };
    if (words.peek() !== "RENAME") return { kind: "alterTable", operation: "alter", table };
    words.next();
    if (words.peek() !== "TO") return { kind: "alterTable", operation: "rename", table };
    words.next();
    return { kind: "renameTable", operation: "rename", table, to: words.name().name };
  }
  if (kind === "INDEX") {
    if (verb !== "CREATE") return { kind: "index", operation: "index", table: undefined };
    words.name();
    words.next();
    return { kind: "index", operation: "index", table: words.name() };
  }
  if (kind === "MATERIALIZED") {
    // A log of a materialized view's table is storage of Oracle's own.
    words.accept("VIEW");
    return words.peek() === "LOG" ? OTHER : { kind: "object", operation: "view" };
  }
  if (VIEWS.has(kind)) return { kind: "object", operation: "view" };
  if (ROUTINES.has(kind)) return { kind: "object", operation: "routine" };
  return kind === "SEQUENCE" ? { kind: "object", operation } : OTHER;
}

const MODIFIERS = new Set(
  "OR REPLACE GLOBAL PRIVATE TEMPORARY UNIQUE BITMAP FORCE NOFORCE NO EDITIONABLE NONEDITIONABLE EDITIONING PUBLIC IMMUTABLE BLOCKCHAIN SHARDED DUPLICATED".split(
    " ",
  ),
);

class Words {
  private at = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  peek(): string {
    return this.tokens[this.at]?.text ?? "";
  }

  next(): string {
    return this.tokens[this.at++]?.text ?? "";
  }

  accept(...words: readonly string[]): void {
    if (words.every((word, index) => this.tokens[this.at + index]?.text === word)) this.at += words.length;
  }

  name(): DdlName {
    const first = this.part();
    if (this.peek() !== ".") return { schema: undefined, name: first };
    this.at++;
    return { schema: first, name: this.part() };
  }

  private part(): string {
    const token = this.tokens[this.at++];
    return token === undefined ? "" : token.kind === "word" ? token.text : token.value;
  }
}

function tokensOf(sql: string): readonly Token[] {
  const tokens: Token[] = [];
  try {
    const lexer = new Lexer(sql);
    for (let token = lexer.next(); token.kind !== "end"; token = lexer.next()) tokens.push(token);
  } catch (cause) {
    if (!(cause instanceof LexicalProblem)) throw cause;
    return [];
  }
  return tokens;
}
