import type { Parameter, Routine } from "../read/plsql.js";
import type { Query } from "../read/query.js";
import type { Catalog } from "./catalog.js";
import type { Leanings } from "./leanings.js";
import { quoteName } from "./names.js";
import type { SupportFunction } from "./support.js";
import type { Type } from "./types.js";

export interface Warning {
  readonly message: string;
  readonly line: number;
}

/** A statement, or a routine as a whole, that was written as an error. */
export interface Unconverted {
  /** "statement" or the routine's kind. */
  readonly kind: string;
  readonly name: string;
  readonly reason: string;
  readonly line: number;
}

/** What writing one object leaves besides its SQL. */
export class Output {
  readonly warnings: Warning[] = [];
  readonly support = new Set<SupportFunction>();
  /** Statements that must run before the object's own: types of its own, hoisted routines. */
  readonly before: string[] = [];
  /** Statements of routines that raise an error in place of what has no counterpart. */
  readonly unconverted: Unconverted[] = [];

  warn(message: string, line: number): void {
    if (!this.warnings.some((warning) => warning.message === message)) this.warnings.push({ message, line });
  }

  /** A place to go back to when what is written from here on is given up. */
  mark(): () => void {
    const [warnings, before, unconverted] = [this.warnings.length, this.before.length, this.unconverted.length];
    return () => {
      this.warnings.length = warnings;
      this.before.length = before;
      this.unconverted.length = unconverted;
    };
  }

  use(name: SupportFunction): string {
    this.support.add(name);
    return `godwit_oracle.${name}`;
  }
}

/** What a name stands for. */
export type Entry =
  | { readonly kind: "variable"; readonly sql: string; readonly type: Type }
  /** Package state: read by a function of the variable's name, written to a setting of the session. */
  | { readonly kind: "state"; readonly read: string; readonly setting: string; readonly type: Type }
  | {
      readonly kind: "cursor";
      readonly sql: string;
      readonly parameters: readonly Parameter[];
      readonly query?: Query;
      /** Why its query is not here. */
      readonly problem?: string;
      readonly shared?: Scope;
    }
  | { readonly kind: "exception"; readonly state: string }
  | { readonly kind: "type"; readonly type: Type }
  | { readonly kind: "routine"; readonly sql: string; readonly routines: Routine[]; readonly captured: Captured[] }
  | { readonly kind: "table"; readonly sql: string; readonly columns: ReadonlyMap<string, Type> | undefined };

/** A variable of an outer routine that a routine inside it uses; PostgreSQL has no inner routines, so it travels as an argument. */
export interface Captured {
  readonly name: string;
  readonly type: Type;
}

/** Names visible at one place, innermost first. */
export class Scope {
  private readonly entries = new Map<string, Entry>();

  constructor(
    readonly parent?: Scope,
    /** Set on the outermost scope of a routine: names found beyond it that are variables belong to a routine around it. */
    readonly boundary?: { readonly capture: (name: string, entry: Entry) => Entry },
  ) {}

  set(name: string, entry: Entry): void {
    this.entries.set(name, entry);
  }

  own(name: string): Entry | undefined {
    return this.entries.get(name);
  }

  all(): Iterable<[string, Entry]> {
    return this.entries;
  }

  find(name: string): Entry | undefined {
    const own = this.entries.get(name);
    if (own) return own;
    const outer = this.parent?.find(name);
    return outer && this.boundary ? this.boundary.capture(name, outer) : outer;
  }

  /** Tables of the queries around a place, innermost first, up to the routine's edge. */
  *tables(): Generator<Extract<Entry, { kind: "table" }>> {
    for (const entry of this.entries.values()) if (entry.kind === "table") yield entry;
    if (this.parent && !this.boundary) yield* this.parent.tables();
  }

  type(name: readonly string[]): Type | undefined {
    const entry = name.length === 1 ? this.find(name[0] ?? "") : undefined;
    return entry?.kind === "type" ? entry.type : undefined;
  }

  cursor(name: readonly string[]): Extract<Entry, { kind: "cursor" }> | undefined {
    const entry = this.find(name.at(-1) ?? "");
    return entry?.kind === "cursor" ? entry : undefined;
  }

  typeOfPath(path: readonly string[]): Type | undefined {
    const entry = this.find(path[0] ?? "");
    if (entry?.kind !== "variable" && entry?.kind !== "state") return undefined;
    let type: Type | undefined = entry.type;
    for (const field of path.slice(1)) type = type?.fields?.get(field);
    return type;
  }
}

/** The PL/pgSQL routine being written. */
export class Unit {
  /** Variables that the conversion needs, by name. */
  readonly hidden = new Map<string, string>();
  /** Statements to run before the one being written. */
  before: string[] = [];
  /** Inside an exception handler, where SQLERRM and SQLSTATE exist. */
  handlers = 0;
  /** Variables that the routine opens or fetches from. */
  cursors: ReadonlySet<string> = new Set();
  usesRowCount = false;
  usesLabel = false;
  #next = 1;

  constructor(
    readonly kind: "function" | "procedure" | "trigger" | "block",
    readonly name: string,
    /** How RETURN without a value is written. */
    readonly leave: readonly string[],
    /** Prepares a value for RETURN; absent where none may stand. */
    readonly result?: (sql: string) => string[],
    readonly returns?: Type,
    /** Of a pipelined function: the variable that gathers the rows. */
    readonly pipe?: { readonly sql: string; readonly type: Type },
  ) {}

  hide(base: string, type: string): string {
    let name = `godwit_${base}`;
    while (this.hidden.has(name) && this.hidden.get(name) !== type) name = `godwit_${base}_${++this.#next}`;
    this.hidden.set(name, type);
    return quoteName(name);
  }

  /** A variable that no other place uses. */
  fresh(base: string, type: string): string {
    const name = this.hidden.has(`godwit_${base}`) ? `godwit_${base}_${++this.#next}` : `godwit_${base}`;
    this.hidden.set(name, type);
    return name;
  }
}

export interface Environment {
  readonly catalog: Catalog;
  readonly scope: Scope;
  readonly output: Output;
  /** Absent outside PL/SQL. */
  readonly unit?: Unit;
  /** query: inside an SQL statement. procedure: a PL/SQL expression. definition: a default, check, index or bound. */
  readonly place: "query" | "procedure" | "definition";
  /** Schema of the package or type that the object belongs to. */
  readonly home?: string;
  /** The type whose method this is. */
  readonly object?: string;
  /** The package's specification is not in this file, so its variables are not known. */
  readonly openHome?: boolean;
  /** A method of a type whose attributes are not all in this file: what is unknown is one of them. */
  readonly openSelf?: boolean;
  /** What :new, :old and other binds are called. */
  readonly binds?: ReadonlyMap<string, string>;
  /** Tables that WITH defines, with their columns where known. */
  readonly common?: ReadonlyMap<string, ReadonlyMap<string, Type> | undefined>;
  /** The block that a FORALL with saved exceptions leaves, and the variable that tells it did. */
  readonly bulk?: { readonly label: string; readonly flag: string };
  /** What columns of tables that are in no file hold, read from their uses. Absent in PL/SQL, whose bodies resolve their types when they run. */
  readonly leanings?: Leanings;
  /** The query that follows is a recursion's UNION ALL, whose two sides must be of the same types to the last digit. */
  readonly recursion?: boolean;
  /** The select list belongs to a UNION or the like, whose columns get one type when all are written: see setColumns.ts. */
  readonly marked?: boolean | "recursive";
  /** Labelled blocks around a place, whose variables may be named with the label in front. */
  readonly blocks?: ReadonlyMap<string, Scope>;
  /** A handler around waits for NO_DATA_FOUND, which an element that is not there raises. */
  readonly awaitsMissing?: boolean;
  /** The query takes from DUAL only, so that a name which is nothing else is a function without its brackets. */
  readonly tableless?: boolean;
  /** Special names of a query: ROWNUM and the columns of a hierarchy. */
  readonly pseudo?: ReadonlyMap<string, string>;
}

export function inQuery(env: Environment, scope: Scope): Environment {
  return { ...env, scope, place: "query" };
}
