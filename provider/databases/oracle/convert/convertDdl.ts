import { convertUnit } from "./convertUnit.js";
import type { Token } from "./read/lexer.js";
import { type SourceUnit, splitScript } from "./read/splitScript.js";
import { Catalog } from "./write/catalog.js";
import { Scope, type Warning } from "./write/environment.js";
import { type SupportFunction, writeSupport } from "./write/support.js";

export interface ConvertOptions {
  /** The target has PostGIS, so SDO_GEOMETRY becomes geometry. Default false. */
  readonly postgis?: boolean;
  /** Without PostGIS SDO_GEOMETRY becomes a composite type of its attributes; else what has it is refused. Default false. */
  readonly geometryAsObject?: boolean;
  /** Only objects of this kind: table, view, index, package, type body ... */
  readonly kind?: string;
  /** Knowledge that calls share: objects of an earlier call are known in a later one. By default each call starts empty. */
  readonly context?: ConversionContext;
}

/** One statement of the source, converted. */
export interface ConvertedStatement {
  readonly kind: string;
  /** schema.name as PostgreSQL spells it; empty where the statement names no object. */
  readonly name: string;
  /** PostgreSQL statements in order, without semicolons. Empty when PostgreSQL needs nothing for it: `nothing` says why. */
  readonly sql: readonly string[];
  readonly nothing?: string;
  readonly warnings: readonly Warning[];
  readonly line: number;
}

/** A statement, or a routine of a package or type, that was not converted. */
export interface SkippedStatement {
  readonly kind: string;
  readonly name: string;
  readonly reason: string;
  readonly line: number;
  /** As it stands in the script. */
  readonly source: string;
}

export interface Conversion {
  /** Functions in the schema godwit_oracle that the statements call; to be run first. */
  readonly support: readonly string[];
  readonly statements: readonly ConvertedStatement[];
  readonly skipped: readonly SkippedStatement[];
}

/** What is known of the objects converted so far. */
export class ConversionContext {
  readonly catalog: Catalog;
  readonly scope = new Scope();

  constructor(options: { readonly postgis?: boolean; readonly geometryAsObject?: boolean } = {}) {
    this.catalog = new Catalog(options.postgis ?? false, options.geometryAsObject ?? false);
  }
}

/**
 * Converts a script of Oracle DDL and PL/SQL. Never throws for what the script holds: what cannot be converted is in `skipped`, and
 * nothing of it is in `statements`.
 */
export function convertDdl(text: string, options: ConvertOptions = {}): Conversion {
  const context = options.context ?? new ConversionContext(options);
  const statements: ConvertedStatement[] = [];
  const skipped: SkippedStatement[] = [];
  const support = new Set<SupportFunction>();
  const units = splitScript(text);
  for (let unit = units.shift(); unit; unit = units.shift()) {
    const result = convertUnit(unit, context);
    if (result.rest) units.unshift(...splitRest(unit, result.rest));
    if (options.kind !== undefined && !isOfKind(result.kind, options.kind)) continue;
    skipped.push(...result.skipped.map((each) => ({ ...each, source: sourceAt(unit, each.line) })));
    if (!result.statement) continue;
    statements.push(result.statement);
    for (const name of result.support) support.add(name);
  }
  return { support: writeSupport(support), statements, skipped };
}

/** The statements from that token on, with the lines they have in the script. */
function splitRest(unit: SourceUnit, { line, start }: Token): SourceUnit[] {
  return splitScript("\n".repeat(line - 1) + unit.script.slice(start, unit.tokens.at(-1)?.end));
}

/** package takes its body along, type body the type in front of it, mview is a short word for a materialized view. */
function isOfKind(kind: string, wanted: string): boolean {
  const normal = wanted
    .toLowerCase()
    .replaceAll("_", " ")
    .replace(/^mview$/, "materialized view");
  if (kind === normal) return true;
  if (normal === "package" || normal === "package body") return kind === "package" || kind === "package body";
  return normal === "type body" && kind === "type";
}

/** A whole unit, or of a package the part from the routine's line on. */
function sourceAt(unit: SourceUnit, line: number): string {
  const first = unit.tokens.find((token) => token.line >= line) ?? unit.tokens[0];
  return first ? unit.script.slice(first.start, unit.tokens.at(-1)?.end).trim() : unit.text;
}
