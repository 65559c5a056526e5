import { isIPv6 } from "node:net";
import { ErrorCode, GodwitError } from "../../engine/errors.js";

/** What a block lets in. Names are plain: quoting is done here. */
export interface HbaRules {
  readonly cidrs: readonly string[];
  readonly databases: readonly string[];
  readonly usernames: readonly string[];
  readonly connectionType: string;
  readonly authMethod: string;
}

/**
 * pg_hba.conf as text, one character a byte (latin1): whatever encoding the file's comments have, what is not touched stays as it
 * is, byte for byte.
 */
export type HbaText = string & { readonly brand: "HbaText" };

export function hbaText(bytes: Buffer): HbaText {
  return bytes.toString("latin1") as HbaText;
}

export function hbaBytes(text: HbaText): Buffer {
  return Buffer.from(text, "latin1");
}

/** One line per address range. The first line that matches a client decides, so a block must not leave gaps for the lines below. */
export function hbaLines(rules: HbaRules): readonly string[] {
  const databases = rules.databases.map((name) => quoted(name, ["all", "replication"])).join(",");
  const usernames = rules.usernames.map((name) => quoted(name, ["all"])).join(",");
  return rules.cidrs.map((cidr) => [rules.connectionType, databases, usernames, withBits(cidr), rules.authMethod].join("\t"));
}

/** What lines let in that `hbaLines` made; undefined when they are others. */
export function hbaRules(lines: readonly string[]): HbaRules | undefined {
  const [first] = lines;
  const [connectionType, databases, usernames, , authMethod] = first?.split("\t") ?? [];
  if (!connectionType || !databases || !usernames || !authMethod) return undefined;
  const cidrs = lines.map((line) => line.split("\t")[3] ?? "");
  const rules = { cidrs, databases: unquoted(databases), usernames: unquoted(usernames), connectionType, authMethod };
  return hbaLines(rules).every((line, index) => line === lines[index]) ? rules : undefined;
}

/** The lines between a block's markers, or undefined when there is no block of this name. Errors: GW1803. */
export function readBlock(text: HbaText, name: string): readonly string[] | undefined {
  const found = locate(text, name);
  if (!found) return undefined;
  const inner = text.slice(found.innerStart, found.innerEnd);
  return inner === ""
    ? []
    : fromLatin1(inner)
        .replace(/\r?\n$/, "")
        .split(/\r?\n/);
}

/**
 * The text with the block holding these lines. A new block goes to the top: the first matching line decides, and below any
 * other line it might have no effect. Errors: GW1803.
 */
export function withBlock(text: HbaText, name: string, lines: readonly string[]): HbaText {
  const body = lines.map((line) => `${line}\n`).join("");
  const block = Buffer.from(`${begin(name)}\n${body}${end(name)}\n`, "utf8").toString("latin1");
  const found = locate(text, name);
  const [before, after] = found ? [text.slice(0, found.start), text.slice(found.end)] : ["", text];
  return `${before}${block}${after}` as HbaText;
}

/** The text without the block; the same text when there is none. Errors: GW1803. */
export function withoutBlock(text: HbaText, name: string): HbaText {
  const found = locate(text, name);
  return found ? (`${text.slice(0, found.start)}${text.slice(found.end)}` as HbaText) : text;
}

/** Line numbers, from 1, of the block's markers; lines of the file between them are the block's. */
export function blockLines(text: HbaText, name: string): { readonly first: number; readonly last: number } | undefined {
  const found = locate(text, name);
  if (!found) return undefined;
  const lineAt = (offset: number) => text.slice(0, offset).split("\n").length;
  return { first: lineAt(found.start), last: lineAt(found.innerEnd) };
}

function begin(name: string): string {
  return `# BEGIN godwit ${name}`;
}

function end(name: string): string {
  return `# END godwit ${name}`;
}

interface Location {
  readonly start: number;
  readonly innerStart: number;
  readonly innerEnd: number;
  readonly end: number;
}

function locate(text: string, name: string): Location | undefined {
  const begins: { start: number; end: number }[] = [];
  const ends: { start: number; end: number }[] = [];
  let start = 0;
  while (start < text.length) {
    const newline = text.indexOf("\n", start);
    const next = newline < 0 ? text.length : newline + 1;
    const line = text.slice(start, next).trimEnd();
    if (line === begin(name)) begins.push({ start, end: next });
    if (line === end(name)) ends.push({ start, end: next });
    start = next;
  }
  if (begins.length === 0 && ends.length === 0) return undefined;
  const [first, last] = [begins[0], ends[0]];
  if (begins.length !== 1 || ends.length !== 1 || !first || !last || last.start < first.end) {
    throw new GodwitError(
      ErrorCode.HbaBlockBroken,
      `found ${begins.length} BEGIN and ${ends.length} END lines of the block, not one pair`,
      {
        object: name,
        remedy: `in pg_hba.conf, leave one "${begin(name)}" above one "${end(name)}", or remove both`,
      },
    );
  }
  return { start: first.start, innerStart: first.end, innerEnd: last.start, end: last.end };
}

/** A quoted word loses what it would mean as a keyword, a +group, an @file; a quote in it is doubled. */
function quoted(name: string, keywords: readonly string[]): string {
  return keywords.includes(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** The names of a column: words, and quoted ones that may hold commas. */
function unquoted(column: string): readonly string[] {
  const words = column.match(/"(?:[^"]|"")*"|[^,]+/g) ?? [];
  return words.map((word) => (word.startsWith('"') ? word.slice(1, -1).replaceAll('""', '"') : word));
}

function withBits(cidr: string): string {
  return cidr.includes("/") ? cidr : `${cidr}/${isIPv6(cidr) ? 128 : 32}`;
}

function fromLatin1(text: string): string {
  return Buffer.from(text, "latin1").toString("utf8");
}
