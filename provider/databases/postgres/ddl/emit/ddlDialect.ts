import type { QualifiedName } from "../../../../engine/models/catalog.js";
import type { DdlOperations } from "../../../../engine/models/plan.js";
import type { SqlNames } from "../../schema/sqlNames.js";
import type { Change } from "../difference.js";
import type { TableStructure } from "../structure.js";

/** What a target of the PostgreSQL family says in its own way. Everything else is PostgreSQL's SQL. */
export interface DdlDialect {
  /** The target's major version, in PostgreSQL's counting. */
  readonly version: number;
  /** A column's type in the target's words; `type` is the source's. */
  type(type: string): string;
  /** What follows CREATE TABLE's parentheses: `DISTRIBUTED BY (..)`; empty for none. Column names are the target's. */
  tableSuffix(table: TableStructure, column: (source: string) => string): string;
  /** CREATE TABLE and what belongs to it, where that takes more than a suffix; absent: PostgreSQL's. */
  createTable?(created: TableStructure, table: EmitTable, context: EmitContext): string[];
  /** Why a step can't be taken on this target and is left out; undefined: it can. */
  refuses(change: Change): string | undefined;
  /** The same for a step on a table that is like `now`, or that points at one like `referenced`; absent: every step can. */
  refusesOn?(change: Change, on: StepPlace): string | undefined;
  /** A table's step in this target's own statements; undefined: PostgreSQL's. */
  tableStep?(change: Change, on: StepPlace, context: EmitContext): string[] | undefined;
  /** A default in the target's words; undefined: it is not kept. Absent: as it is. */
  default?(expression: string): string | undefined;
  /** False: the task's sequences are not on the target, so no column gives values of its own. */
  readonly sequences?: false;
  /** The query of a relation's structure where PostgreSQL's (capture/structureSql.ts) can't be asked. `id`: an expression for its oid. */
  readonly describe?: (id: string) => string;
}

/** Where a table's step is taken. */
export interface StepPlace {
  readonly table: EmitTable;
  readonly now: TableStructure;
  /** What a foreign key points at, as it is on the target, and the key's text in the target's names. */
  readonly referenced?: { readonly table: TableStructure; readonly definition: string };
}

export function postgresDdl(version: number): DdlDialect {
  return { version, type: (type) => type, tableSuffix: () => "", refuses: () => undefined };
}

/** Everything a step's SQL needs of its surroundings. */
export interface EmitContext {
  readonly dialect: DdlDialect;
  readonly sql: SqlNames;
  /** Target name of anything else. */
  readonly relation: (source: QualifiedName) => QualifiedName;
  readonly schema: (source: string) => string;
}

/** A table between two of its forms. */
export interface EmitTable {
  /** Source name after the change: what deparsed texts call it. */
  readonly source: QualifiedName;
  /** Target names before and after. */
  readonly from: QualifiedName;
  readonly to: QualifiedName;
  /** Target names of its columns by attnum before and after; undefined: not on the target. */
  readonly columnBefore: (number: number) => string | undefined;
  readonly columnAfter: (number: number) => string | undefined;
  /** Its rows are gone and will come anew, so values need no cast. */
  readonly empty: boolean;
  /** Parents that are on the target. */
  readonly hasParent: (source: QualifiedName) => boolean;
}

/** Which of the program's `operations.ddl` a step belongs to. */
export function operationOf(change: Change): keyof DdlOperations {
  switch (change.kind) {
    case "createTable":
    case "createSchema":
    case "createSequence":
    case "createType":
      return "create";
    case "dropTable":
    case "dropSchema":
    case "dropSequence":
    case "dropType":
      return "drop";
    case "rename":
    case "setSchema":
    case "renameColumn":
    case "renameConstraint":
    case "renameAttribute":
      return "rename";
    case "createIndex":
    case "dropIndex":
    case "renameIndex":
      return "index";
    case "createView":
    case "dropView":
      return "view";
    case "createRoutine":
    case "dropRoutine":
      return "routine";
    default:
      return "alter";
  }
}
