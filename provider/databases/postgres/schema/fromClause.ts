import type { NameChain } from "./sqlChains.js";
import type { SqlToken } from "./sqlTokens.js";

/**
 * Where in a query a dotted name stands.
 * - `from`: an item of a FROM clause, which takes an alias.
 * - `target`: what INSERT, UPDATE or a rule's ON .. TO names.
 * - `object`: a function, type or collation.
 * - `column`: alias and column, not a reference to an object.
 */
export type Place = "from" | "target" | "object" | "column";

interface Level {
  /** FROM means a clause only at a level that holds a statement, not in EXTRACT(year FROM x). */
  statement: boolean;
  inFrom: boolean;
  expectsItem: boolean;
}

const ENDS_FROM = new Set([
  "where",
  "group",
  "order",
  "having",
  "limit",
  "union",
  "intersect",
  "except",
  "window",
  "returning",
  "set",
  "fetch",
  "offset",
  "for",
]);

/** Follows the parentheses and clauses of a query, token by token. */
export class FromClause {
  readonly #levels: Level[] = [{ statement: true, inFrom: false, expectsItem: false }];
  #previous: SqlToken | undefined;
  /** Whether the last dotted name was an item of a FROM clause. */
  lastWasFrom = false;

  see(token: SqlToken, next: SqlToken | undefined): void {
    const level = this.#level();
    const word = token.bare ? token.value : "";
    if (token.text === "(") {
      const query = next?.bare === true && ["select", "with", "values", "insert", "update", "delete"].includes(next.value);
      this.#levels.push({ statement: query, inFrom: !query && level.expectsItem, expectsItem: !query && level.expectsItem });
      level.expectsItem = false;
    } else if (token.text === ")") {
      if (this.#levels.length > 1) this.#levels.pop();
      this.#level().expectsItem = false;
    } else if (token.text === ",") level.expectsItem = level.inFrom;
    else if (token.text === ";") Object.assign(level, { statement: true, inFrom: false, expectsItem: false });
    else if (word === "select" || word === "delete") Object.assign(level, { statement: true, inFrom: false, expectsItem: false });
    else if (word === "from" && level.statement && this.#previous?.value !== "distinct")
      Object.assign(level, { inFrom: true, expectsItem: true });
    else if (word === "join") level.expectsItem = level.inFrom;
    else if (word !== "only" && word !== "lateral") {
      if (ENDS_FROM.has(word)) level.inFrom = false;
      level.expectsItem = false;
    }
    this.#previous = token;
  }

  place(chain: NameChain): Place {
    const before = chain.previous;
    const word = before?.bare ? before.value : "";
    if (chain.next?.text === "(" && word !== "into") return "object";
    if (before?.text === "::" || word === "collate" || word === "as") return "object";
    if (this.#level().expectsItem) return "from";
    if (word === "into" || (word === "update" && chain.names.length === 2)) return "target";
    if (word === "to") return "object";
    return "column";
  }

  /** A dotted name was read. */
  consumed(): void {
    this.lastWasFrom = this.#level().expectsItem;
    this.#level().expectsItem = false;
    this.#previous = undefined;
  }

  #level(): Level {
    const level = this.#levels.at(-1);
    if (!level) throw new RangeError("no level");
    return level;
  }
}
