import { Lexer, LexicalProblem, type Token } from "../convert/read/lexer.js";

/** A name as Oracle stores it; the schema is the session's where the statement names none. */
export interface DdlName {
  readonly schema: string | undefined;
  readonly name: string;
}

/** The tokens of a statement, for reading its head. */
export class DdlWords {
  at = 0;

  constructor(readonly tokens: readonly Token[]) {}

  /** The word at hand in capitals, or the operator; empty for a quoted name, and at the end. */
  peek(ahead = 0): string {
    return this.tokens[this.at + ahead]?.text ?? "";
  }

  get done(): boolean {
    return this.at >= this.tokens.length;
  }

  next(): string {
    return this.tokens[this.at++]?.text ?? "";
  }

  /** Steps over these words when all of them come next. */
  accept(...words: readonly string[]): boolean {
    const come = words.every((word, index) => this.peek(index) === word);
    if (come) this.at += words.length;
    return come;
  }

  name(): DdlName {
    const first = this.part();
    if (this.peek() !== ".") return { schema: undefined, name: first };
    this.at++;
    return { schema: first, name: this.part() };
  }

  part(): string {
    const token = this.tokens[this.at++];
    return token === undefined ? "" : nameOf(token);
  }

  /** Past whatever comes up to a comma, bracket or one of these words that is none of an inner pair's. */
  skipElement(ends: ReadonlySet<string>): void {
    let depth = 0;
    for (; !this.done; this.at++) {
      const text = this.peek();
      if (depth === 0 && (text === "," || text === ")" || ends.has(text))) return;
      if (text === "(") depth++;
      if (text === ")") depth--;
    }
  }
}

/** As Oracle stores the name that a token is. */
export function nameOf(token: Token): string {
  return token.kind === "word" ? token.text : token.value;
}

/** The statement's tokens; none when it can't be read. */
export function tokensOf(sql: string): readonly Token[] {
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
