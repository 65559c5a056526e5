import type { Token } from "./lexer.js";

/** Source that has no PostgreSQL counterpart or that the converter cannot read; the object it stands in is left out whole. */
export class Unconvertible extends Error {
  constructor(
    readonly reason: string,
    /** Of the script; absent when the place is the object as a whole. */
    readonly line?: number,
  ) {
    super(reason);
  }
}

/** A position in the tokens of one unit. Words are compared in upper case, operators as they are. */
export class Cursor {
  #at = 0;
  readonly #end: Token;

  constructor(
    private readonly tokens: readonly Token[],
    /** The script, which tokens' offsets point into. */
    readonly script: string,
  ) {
    const last = tokens.at(-1);
    const at = { start: last?.end ?? 0, end: last?.end ?? 0, opensLine: true, alone: true, comments: [] };
    this.#end = { kind: "end", text: "", value: "", line: last?.line ?? 1, ...at };
  }

  get position(): number {
    return this.#at;
  }

  get line(): number {
    return this.peek().line;
  }

  get done(): boolean {
    return this.#at >= this.tokens.length;
  }

  peek(ahead = 0): Token {
    return this.tokens[this.#at + ahead] ?? this.#end;
  }

  next(): Token {
    const token = this.peek();
    this.#at++;
    return token;
  }

  /** The token before this one is that operator. */
  isBehind(operator: string): boolean {
    return this.tokens[this.#at - 1]?.text === operator;
  }

  goTo(position: number): void {
    this.#at = position;
  }

  /** The words and operators stand here in this order. */
  at(...texts: readonly string[]): boolean {
    return texts.every((text, index) => isText(this.peek(index), text));
  }

  atAny(...texts: readonly string[]): boolean {
    return texts.some((text) => isText(this.peek(), text));
  }

  atAhead(ahead: number, ...texts: readonly string[]): boolean {
    return texts.some((text) => isText(this.peek(ahead), text));
  }

  accept(...texts: readonly string[]): boolean {
    if (!this.at(...texts)) return false;
    this.#at += texts.length;
    return true;
  }

  /** Takes the first of these that stands here. */
  acceptAny(...texts: readonly string[]): string | undefined {
    if (!this.atAny(...texts)) return undefined;
    return this.next().text;
  }

  expect(...texts: readonly string[]): void {
    if (!this.accept(...texts)) this.fail(`expected ${texts.join(" ")}`);
  }

  fail(message: string): never {
    const found = this.peek();
    const shown = found.kind === "end" ? "the end" : JSON.stringify(this.script.slice(found.start, found.end).slice(0, 40));
    throw new Unconvertible(`${message}, found ${shown}`, found.line);
  }

  /** An unsupported construct that starts here. */
  refuse(reason: string): never {
    throw new Unconvertible(reason, this.line);
  }

  /** Tokens up to the matching bracket; the opening one must stand here. Both brackets are taken but not returned. */
  bracketed(): readonly Token[] {
    this.expect("(");
    const start = this.#at;
    for (let depth = 1; ; this.#at++) {
      if (this.done) this.fail("a bracket is not closed");
      if (this.at("(")) depth++;
      else if (this.at(")") && --depth === 0) break;
    }
    return this.tokens.slice(start, this.#at++);
  }

  /** Steps over one token, or over a whole bracketed group. */
  skip(): void {
    if (this.at("(")) this.bracketed();
    else this.#at++;
  }

  list<T>(item: () => T): T[] {
    const items = [item()];
    while (this.accept(",")) items.push(item());
    return items;
  }

  /** A bracketed list. */
  listed<T>(item: () => T): T[] {
    this.expect("(");
    const items = this.at(")") ? [] : this.list(item);
    this.expect(")");
    return items;
  }

  /** The source from a position up to here, blanks folded. */
  sourceSince(position: number): string {
    const first = this.tokens[position];
    const last = this.tokens[this.#at - 1];
    return first && last ? this.script.slice(first.start, last.end).replace(/\s+/g, " ") : "";
  }

  atName(): boolean {
    return this.peek().kind === "word" || this.peek().kind === "quoted";
  }

  /** One identifier in its PostgreSQL spelling, not quoted yet. */
  name(): string {
    const token = this.peek();
    if (!this.atName()) this.fail("expected a name");
    this.#at++;
    return foldName(token);
  }

  /** name, schema.name or database.schema.name. */
  names(): string[] {
    const names = [this.name()];
    while (this.at(".") && this.peek(1).kind !== "operator") {
      this.#at++;
      names.push(this.name());
    }
    return names;
  }
}

function isText(token: Token, text: string): boolean {
  return token.text === text && token.kind !== "bind";
}

/**
 * Oracle folds unquoted names up, PostgreSQL down. A quoted name that Oracle's own tools would have written for an unquoted
 * one ("SCOTT") is that unquoted name; any other quoted name keeps its spelling.
 */
function foldName(token: Token): string {
  if (token.kind === "word") return token.value.toLowerCase();
  return /^[\p{Lu}\p{Lo}][\p{Lu}\p{Lo}\p{N}_$#]*$/u.test(token.value) ? token.value.toLowerCase() : token.value;
}
