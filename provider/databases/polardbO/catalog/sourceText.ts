import type { QualifiedName } from "../../../engine/models/catalog.js";
import { type SqlToken, tokenize } from "../../postgres/schema/sqlTokens.js";

export type SourcedKind = "PACKAGE" | "PACKAGE BODY" | "TYPE" | "TYPE BODY";

/**
 * The statement that makes an object out of its lines in ALL_SOURCE. They begin with CREATE or with the kind, name the object as its author wrote
 * it, and may end with the `/` of a client; the statement names it with its schema, quoted, and ends with one semicolon.
 */
export function sourcedStatement(kind: SourcedKind, quotedName: string, text: string): string {
  const tokens = tokenize(text);
  const rest = tokens.slice(afterName(tokens, kind));
  const written = rest
    .map((token) => token.text)
    .join("")
    .replace(/[;\s]*(\n\s*\/)?\s*$/, "");
  return `CREATE OR REPLACE ${kind} ${quotedName}${/^\s/.test(written) ? "" : " "}${written};`;
}

/** Names in a source text: `schema.name`, and single ones as names of its own schema. Keywords are among them; no catalog has them. */
export function mentionedNames(text: string, schema: string): QualifiedName[] {
  const found: QualifiedName[] = [];
  const tokens = tokenize(text).filter(({ kind }) => kind !== "space");
  tokens.forEach((token, at) => {
    if (token.kind !== "identifier") return;
    const qualifies = tokens[at + 1]?.text === ".";
    const next = tokens[at + 2];
    if (tokens[at - 1]?.text === ".") return;
    if (qualifies && next?.kind === "identifier") found.push({ schema: token.value, name: next.value });
    found.push({ schema, name: token.value });
  });
  return found;
}

/** Index of the first token after `CREATE OR REPLACE <kind> schema.name`. */
function afterName(tokens: readonly SqlToken[], kind: SourcedKind): number {
  const words = new Set(["create", "or", "replace", "editionable", "noneditionable", "force", ...kind.toLowerCase().split(" ")]);
  let at = 0;
  const skipSpace = (): void => {
    while (tokens[at]?.kind === "space") at += 1;
  };
  for (skipSpace(); words.has(tokens[at]?.value ?? "") && tokens[at]?.bare; skipSpace()) at += 1;
  if (tokens[at]?.kind === "identifier") at += 1;
  for (let dot = nextSolid(tokens, at); tokens[dot]?.text === "."; dot = nextSolid(tokens, at))
    at = nextSolid(tokens, dot + 1) + 1;
  return at;
}

function nextSolid(tokens: readonly SqlToken[], from: number): number {
  let at = from;
  while (tokens[at]?.kind === "space") at += 1;
  return at;
}
