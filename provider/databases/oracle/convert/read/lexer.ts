export type TokenKind = "word" | "quoted" | "string" | "number" | "operator" | "bind" | "directive" | "end";

export interface Token {
  readonly kind: TokenKind;
  /** Upper-case word, operator or directive to compare with; empty for quoted names and strings. */
  readonly text: string;
  /** The word as written, or the decoded content of a string or quoted name. */
  readonly value: string;
  readonly line: number;
  readonly start: number;
  readonly end: number;
  /** A substitution variable of SQL*Plus that no DEFINE gives a value: the word is its name. */
  readonly substituted?: true;
  /** First token of its line. */
  readonly opensLine: boolean;
  /** Alone on its line: SQL*Plus runs a PL/SQL unit at such a slash. */
  readonly alone: boolean;
  /** Comments since the token before, with their delimiters; optimizer hints are left out. */
  readonly comments: readonly string[];
}

/** A character that no Oracle token starts with, or a string, name or comment without its end. */
export class LexicalProblem extends Error {
  constructor(
    message: string,
    readonly line: number,
  ) {
    super(message);
  }
}

const WORD = /[\p{L}_][\p{L}\p{N}\p{M}_$#]*/uy;
const NUMBER = /(?:\d+(?:\.(?!\.)\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?:[fFdD](?![\p{L}\p{N}_]))?/uy;
/** &name or &&name; a dot behind it ends the name. */
const VARIABLE = /&&?[\p{L}\p{N}_$#]+\.?/uy;
const OPERATORS = ["||", ":=", "=>", "..", "**", "<>", "!=", "^=", "~=", "<=", ">=", "<<", ">>"];
const SINGLE = new Set([..."()+-*/=<>,;.:@%?[]{}|!^~&\\"]);
const CLOSERS: Readonly<Record<string, string>> = { "[": "]", "{": "}", "(": ")", "<": ">" };

/** Reads Oracle SQL and PL/SQL one token at a time, so that SQL*Plus lines (which are no SQL) can be stepped over between. */
export class Lexer {
  #at = 0;
  #line = 1;
  #comments: string[] = [];
  #opensLine = true;

  constructor(private readonly text: string) {}

  next(): Token {
    this.#skipBlanks();
    const start = this.#at;
    const first = this.text[start];
    if (first === undefined) return this.#token("end", "", "", start);
    const second = this.text[start + 1] ?? "";
    if (first === "'") return this.#string(start, start);
    if (/[nN]/.test(first) && second === "'") return this.#string(start, start + 1);
    if (/[qQ]/.test(first) && second === "'") return this.#alternativeString(start, start + 1);
    if (/[nN]/.test(first) && /[qQ]/.test(second) && this.text[start + 2] === "'")
      return this.#alternativeString(start, start + 2);
    if (first === '"') return this.#quoted(start);
    const number = this.#match(NUMBER);
    if (number !== undefined) return this.#token("number", "", number, start);
    const word = this.#match(WORD);
    if (word !== undefined)
      return this.text[this.#at] === "&" ? this.#substituted(word, start) : this.#token("word", word.toUpperCase(), word, start);
    if (first === "$") return this.#directive(start);
    if (first === "&" && /[\p{L}\p{N}_$#&]/u.test(second)) return this.#substituted("", start);
    if (first === ":" && second !== "=") return this.#bind(start);
    const operator = OPERATORS.find((each) => this.text.startsWith(each, start)) ?? (SINGLE.has(first) ? first : undefined);
    if (operator === undefined) throw new LexicalProblem(`unexpected character ${JSON.stringify(first)}`, this.#line);
    this.#at += operator.length;
    return this.#token("operator", operator, operator, start);
  }

  /** Steps over the rest of the current line. */
  skipLine(): void {
    const end = this.text.indexOf("\n", this.#at);
    this.#at = end < 0 ? this.text.length : end;
  }

  /** Continues behind a token read before. */
  rewind(to: Token): void {
    this.#at = to.end;
    this.#line = to.line + newlines(this.text.slice(to.start, to.end));
    this.#comments = [];
  }

  #skipBlanks(): void {
    for (;;) {
      const at = this.text[this.#at];
      if (at === "\n") {
        this.#line++;
        this.#opensLine = true;
        this.#at++;
      } else if (at !== undefined && /\s/.test(at)) this.#at++;
      else if (at === "\u0000" || at === "\uFEFF") this.#at++;
      else if (this.text.startsWith("--", this.#at)) this.#comment(this.text.indexOf("\n", this.#at), 0);
      else if (this.text.startsWith("/*", this.#at)) this.#comment(this.text.indexOf("*/", this.#at + 2), 2);
      else return;
    }
  }

  #comment(found: number, closer: number): void {
    if (found < 0 && closer > 0) throw new LexicalProblem("a comment is not closed", this.#line);
    const end = found < 0 ? this.text.length : found + closer;
    const comment = this.text.slice(this.#at, end);
    // PostgreSQL's comments nest, Oracle's do not.
    const kept = closer > 0 ? `/*${comment.slice(2).replaceAll("/*", "/ *")}` : comment.trimEnd();
    if (!/^(--|\/\*)\+/.test(comment)) this.#comments.push(kept);
    this.#line += newlines(comment);
    this.#at = end;
  }

  #string(start: number, quote: number): Token {
    let end = quote + 1;
    for (; ; end++) {
      if (end >= this.text.length) throw new LexicalProblem("a string is not closed", this.#line);
      if (this.text[end] !== "'") continue;
      if (this.text[end + 1] !== "'") break;
      end++;
    }
    this.#at = end + 1;
    return this.#token("string", "", this.text.slice(quote + 1, end).replaceAll("''", "'"), start);
  }

  #alternativeString(start: number, quote: number): Token {
    const opener = this.text[quote + 1] ?? "";
    const closer = `${CLOSERS[opener] ?? opener}'`;
    const end = this.text.indexOf(closer, quote + 2);
    if (end < 0) throw new LexicalProblem("a string is not closed", this.#line);
    this.#at = end + 2;
    return this.#token("string", "", this.text.slice(quote + 2, end), start);
  }

  #quoted(start: number): Token {
    const end = this.text.indexOf('"', start + 1);
    if (end < 0) throw new LexicalProblem("a quoted name is not closed", this.#line);
    this.#at = end + 1;
    return this.#token("quoted", "", this.text.slice(start + 1, end), start);
  }

  #directive(start: number): Token {
    this.#at += this.text[start + 1] === "$" ? 2 : 1;
    const word = this.#match(WORD);
    if (word === undefined) throw new LexicalProblem("unexpected character $", this.#line);
    return this.#token("directive", this.text.slice(start, this.#at).toUpperCase(), word, start);
  }

  /** A word that holds variables. One at its front whose dot a word follows is a schema: two names cannot stand side by side. */
  #substituted(head: string, start: number): Token {
    let name = head;
    for (;;) {
      const variable = this.#match(VARIABLE);
      if (variable !== undefined) {
        name += variable.replace(/^&+|\.$/g, "").replace(/^\d/, "parameter_$&");
        const isSchema = head === "" && variable.endsWith(".") && /[\p{L}_]/u.test(this.text[this.#at] ?? "");
        if (isSchema) this.#at--;
        if (!isSchema) continue;
      }
      const word = variable === undefined ? this.#match(/[\p{L}\p{N}\p{M}_$#]+/uy) : undefined;
      if (word === undefined) break;
      name += word;
    }
    const token = this.#token("word", name.toUpperCase(), name, start);
    return name === head ? token : { ...token, substituted: true };
  }

  #bind(start: number): Token {
    this.#at++;
    while (/[ \t]/.test(this.text[this.#at] ?? "")) this.#at++;
    const name = this.#match(WORD) ?? this.#match(/\d+/y);
    if (name === undefined) {
      this.#at = start + 1;
      return this.#token("operator", ":", ":", start);
    }
    return this.#token("bind", name.toUpperCase(), name, start);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #token(kind: TokenKind, text: string, value: string, start: number): Token {
    const opensLine = this.#opensLine;
    const alone = opensLine && /^[ \t]*(\r?\n|$)/.test(this.text.slice(this.#at, this.#at + 200));
    const token = { kind, text, value, line: this.#line, start, end: this.#at, opensLine, alone, comments: this.#comments };
    if (kind === "string" || kind === "quoted" || kind === "bind") this.#line += newlines(this.text.slice(start, this.#at));
    this.#comments = [];
    this.#opensLine = false;
    return token;
  }
}

function newlines(text: string): number {
  return text.split("\n").length - 1;
}
