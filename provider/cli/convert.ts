import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { type Conversion, convertDdl } from "../databases/oracle/convert/convertDdl.js";
import { writeNotice } from "../databases/oracle/convert/write/notice.js";

/** How convertFile reaches the outside; the process's own streams by default. */
export interface ConvertStreams {
  readonly input: NodeJS.ReadableStream;
  readonly output: { write(text: string): unknown };
  readonly report: { write(text: string): unknown };
}

const USAGE = "usage: godwit convert [--kind KIND] [--postgis] FILE   (FILE - reads standard input)";

/**
 * `godwit convert [--kind KIND] [--postgis] FILE`: Oracle DDL in, PostgreSQL SQL on standard output, a report on standard error.
 * Returns the exit status: 0 when something was produced, 1 when nothing was, 2 for wrong arguments or an unreadable file.
 */
export async function convertFile(
  argv: readonly string[],
  streams: ConvertStreams = { input: process.stdin, output: process.stdout, report: process.stderr },
): Promise<number> {
  const options = parseArguments(argv);
  if (typeof options === "string") {
    const isHelp = options === USAGE;
    (isHelp ? streams.output : streams.report).write(isHelp ? `${USAGE}\n` : `${options}\n${USAGE}\n`);
    return isHelp ? 0 : 2;
  }
  let source: string;
  try {
    source = decode(options.file === "-" ? await buffer(streams.input) : await readFile(options.file));
  } catch (cause) {
    streams.report.write(`${options.file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}\n`);
    return 2;
  }
  const { file, ...rest } = options;
  const geometryAsObject = rest.postgis !== true;
  const ofKind = convertDdl(source, { ...rest, geometryAsObject });
  // A file with nothing of the kind is taken whole: the kind then only says what its caller calls the object.
  const { kind: _, ...whole } = rest;
  const conversion =
    ofKind.statements.length + ofKind.skipped.length > 0 ? ofKind : convertDdl(source, { ...whole, geometryAsObject });
  streams.output.write(renderSql(conversion));
  streams.report.write(renderReport(conversion, file));
  return conversion.statements.length > 0 ? 0 : 1;
}

/** Text by its byte order mark, else UTF-8, else what is no UTF-8 as Windows' Latin 1, in which many older scripts are written. */
function decode(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

interface Arguments {
  readonly file: string;
  readonly kind?: string;
  readonly postgis?: boolean;
}

function parseArguments(argv: readonly string[]): Arguments | string {
  let file: string | undefined;
  let kind: string | undefined;
  let postgis = false;
  for (let at = 0; at < argv.length; at++) {
    const argument = argv[at] ?? "";
    if (argument === "--help" || argument === "-h") return USAGE;
    if (argument === "--kind") {
      kind = argv[++at];
      if (kind === undefined) return "--kind needs a kind: table, view, package ...";
    } else if (argument.startsWith("--kind=")) kind = argument.slice("--kind=".length);
    else if (argument === "--postgis") postgis = true;
    else if (argument.startsWith("-") && argument !== "-") return `unknown option ${argument}`;
    else if (file !== undefined) return "one file at a time";
    else file = argument;
  }
  if (file === undefined) return "no file given";
  return { file, ...(kind === undefined ? {} : { kind }), ...(postgis ? { postgis } : {}) };
}

/**
 * A script for psql. Statements end with a semicolon; what PostgreSQL needs nothing for is a notice, so that who runs the script hears
 * of it too, and not only who converted it.
 */
export function renderSql({ support, statements }: Conversion): string {
  const blocks = support.map((sql) => `${sql};`);
  for (const { kind, name, sql, nothing } of statements) {
    if (sql.length > 0) blocks.push(sql.map((each) => `${each};`).join("\n\n"));
    else blocks.push(`${writeNotice(`${[kind, name].filter(Boolean).join(" ")}: nothing to do: ${nothing ?? ""}`)};`);
  }
  return blocks.length > 0 ? `${blocks.join("\n\n")}\n` : "";
}

function renderReport({ statements, skipped }: Conversion, file: string): string {
  const lines: string[] = [];
  for (const { kind, name, line, sql, nothing, warnings } of statements) {
    lines.push(
      `${sql.length > 0 ? "converted" : "nothing to do"}: ${[kind, name].filter(Boolean).join(" ")} (${file}:${line})${nothing === undefined ? "" : `: ${nothing}`}`,
    );
    for (const warning of warnings) lines.push(`  warning (line ${warning.line || line}): ${warning.message}`);
  }
  for (const { kind, name, line, reason, source } of skipped) {
    lines.push(`skipped: ${[kind, name].filter(Boolean).join(" ")} (${file}:${line}): ${reason}`);
    lines.push(
      ...source
        .split("\n")
        .slice(0, 5)
        .map((text) => `  | ${text}`),
    );
  }
  lines.push(`${statements.length} converted, ${skipped.length} skipped`);
  return `${lines.join("\n")}\n`;
}
