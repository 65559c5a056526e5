import { ident } from "../sql.js";
import type { SqlToken } from "./sqlTokens.js";

/** Dotted names in a row: `schema.table`, `alias.column`, `schema.table.column`. */
export interface NameChain {
  readonly names: readonly string[];
  /** The tokens around it, spaces left out. */
  readonly previous: SqlToken | undefined;
  readonly next: SqlToken | undefined;
  /** Index after the last token. */
  readonly end: number;
  /** The alias that follows, AS left out; undefined when there is none. */
  readonly alias: number | undefined;
  readonly aliasHasColumns: boolean;
}

export interface ChainRewriter {
  /** Called for every token that is no space and in no chain of two or more. */
  see?(token: SqlToken, next: SqlToken | undefined): void;
  /** The text to put in place of the chain; undefined leaves it. */
  chain(chain: NameChain): string | undefined;
  /** The text of what may be the alias of the chain before; undefined when the chain is nothing that has one. */
  alias?(chain: NameChain, token: SqlToken): string | undefined;
  operatorSchema(schema: string): string;
  string(token: SqlToken, next: SqlToken | undefined, afterNext: SqlToken | undefined): string;
}

/** Walks the tokens once and puts the rewritten text together. */
export function rewriteTokens(tokens: readonly SqlToken[], rewriter: ChainRewriter): string {
  const out: string[] = [];
  let aliased: NameChain | undefined;
  for (let at = 0; at < tokens.length; ) {
    const token = tokens[at];
    if (!token) break;
    if (token.kind === "space") {
      out.push(token.text);
      at += 1;
      continue;
    }
    const alias = aliased?.alias === at ? rewriter.alias?.(aliased, token) : undefined;
    if (alias !== undefined) {
      out.push(alias);
      at += 1;
      continue;
    }
    const chain = token.kind === "identifier" ? readChain(tokens, at) : undefined;
    if (chain && chain.names.length > 1) {
      const text = rewriter.chain(chain);
      out.push(
        text ??
          tokens
            .slice(at, chain.end)
            .map(({ text: part }) => part)
            .join(""),
      );
      aliased = chain;
      at = chain.end;
      continue;
    }
    const next = solidAfter(tokens, at);
    if (
      token.kind === "identifier" &&
      tokens[at + 1]?.text === "." &&
      tokens[at + 2]?.kind === "operator" &&
      qualifiesOperator(tokens, at)
    ) {
      out.push(ident(rewriter.operatorSchema(token.value)));
      at += 1;
      continue;
    }
    rewriter.see?.(token, next);
    out.push(
      token.kind === "string" ? rewriter.string(token, next, next && solidAfter(tokens, tokens.indexOf(next, at))) : token.text,
    );
    at += 1;
  }
  return out.join("");
}

/** In `FROM schema.table alias` the alias is a name, or a word that is no keyword of a FROM clause. */
export function readChain(tokens: readonly SqlToken[], start: number): NameChain | undefined {
  const first = tokens[start];
  if (first?.kind !== "identifier") return undefined;
  const names = [first.value];
  let end = start + 1;
  while (tokens[end]?.text === "." && tokens[end + 1]?.kind === "identifier") {
    names.push(tokens[end + 1]?.value ?? "");
    end += 2;
  }
  let aliasAt = solidIndex(tokens, end);
  const next = tokens[aliasAt];
  if (next?.bare && next.value === "as") aliasAt = solidIndex(tokens, aliasAt + 1);
  const alias = tokens[aliasAt];
  const isAlias = alias?.kind === "identifier" && !(alias.bare && AFTER_RELATION.has(alias.value));
  return {
    names,
    previous: solidBefore(tokens, start),
    next,
    end,
    alias: isAlias ? aliasAt : undefined,
    aliasHasColumns: isAlias && tokens[solidIndex(tokens, aliasAt + 1)]?.text === "(",
  };
}

const AFTER_RELATION: ReadonlySet<string> = new Set(
  (
    "where join left right full inner cross natural on using group having order limit offset fetch for union intersect except window " +
    "from tablesample set values select default returning with overriding do instead also into loop when then end begin if as"
  ).split(" "),
);

/** `OPERATOR(app.+)` or, where the server prints a regoperator, `app.+(`; `alias.*` is neither. */
function qualifiesOperator(tokens: readonly SqlToken[], at: number): boolean {
  const before = tokens[at - 1];
  return (
    (before?.text === "(" && tokens[at - 2]?.value === "operator") || tokens[at + 2]?.text !== "*" || tokens[at + 3]?.text === "("
  );
}

function solidIndex(tokens: readonly SqlToken[], from: number): number {
  let at = from;
  while (tokens[at]?.kind === "space") at += 1;
  return at;
}

function solidAfter(tokens: readonly SqlToken[], at: number): SqlToken | undefined {
  return tokens[solidIndex(tokens, at + 1)];
}

function solidBefore(tokens: readonly SqlToken[], at: number): SqlToken | undefined {
  for (let index = at - 1; index >= 0; index -= 1) if (tokens[index]?.kind !== "space") return tokens[index];
  return undefined;
}
