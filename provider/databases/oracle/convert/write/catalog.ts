import type { Routine } from "../read/plsql.js";
import type { Environment, Scope } from "./environment.js";
import type { Variable } from "./packageState.js";
import type { Type } from "./types.js";

export interface KnownIndex {
  readonly table: string;
  readonly columns: readonly string[];
  readonly unique: boolean;
}

/**
 * What the statements converted so far have made, by PostgreSQL name. Conversion uses it where it has it (a DATE column's type
 * chooses the arithmetic, a unique index serves the key that is declared on it) and must do without it where not.
 */
export class Catalog {
  readonly relations = new Map<
    string,
    { readonly kind: "table" | "view" | "materialized view"; readonly columns?: ReadonlyMap<string, Type> }
  >();
  readonly types = new Map<string, Type>();
  readonly indexes = new Map<string, KnownIndex>();
  readonly routines = new Map<string, Routine[]>();
  readonly packages = new Map<string, Scope>();
  /** Variables of packages' specifications, which their bodies may have to write again. */
  readonly packageVariables = new Map<string, { readonly variables: readonly Variable[]; readonly env: Environment }>();
  readonly sequences = new Set<string>();
  readonly schemas = new Set<string>();
  /** The columns of a table's partition key. */
  readonly partitioned = new Map<string, readonly string[]>();

  /**
   * postgis: the target has the extension, so that SDO_GEOMETRY has a type to become. geometryAsObject: without it, it becomes a composite
   * type of its attributes; else what has it is refused.
   */
  constructor(
    readonly postgis: boolean,
    readonly geometryAsObject: boolean,
  ) {}

  columns(name: readonly string[]): ReadonlyMap<string, Type> | undefined {
    return found(this.relations, name)?.columns;
  }

  type(name: readonly string[]): Type | undefined {
    const known = found(this.types, name);
    if (known || name.length < 2) return known;
    const scope = this.packages.get(name.at(-2) ?? "");
    return scope?.type([name.at(-1) ?? ""]);
  }

  packageVariable(name: readonly string[]): Type | undefined {
    if (name.length < 2) return undefined;
    const entry = this.packages.get(name.at(-2) ?? "")?.own(name.at(-1) ?? "");
    return entry?.kind === "state" ? entry.type : undefined;
  }
}

/** By full name, else by the last part: a file seldom names one object both with and without its owner by accident. */
function found<T>(map: ReadonlyMap<string, T>, name: readonly string[]): T | undefined {
  return map.get(name.slice(-2).join(".")) ?? (name.length === 1 ? undefined : map.get(name.at(-1) ?? ""));
}
