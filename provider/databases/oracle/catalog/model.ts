import type { NeutralCatalog } from "../../../engine/models/catalog.js";
import type { RedoKind } from "../redo/redoTable.js";
import type { TypeShapes } from "./typeShapes.js";

/** Everything Godwit knows of an Oracle database's objects: rows of its dictionary, not yet text. Names as Oracle stores them. */
export interface OracleCatalog extends NeutralCatalog {
  readonly details: ReadonlyMap<number, OracleTable>;
  readonly constraints: readonly OracleConstraint[];
  readonly indexes: readonly OracleIndex[];
  readonly sequences: readonly OracleSequence[];
  readonly views: readonly OracleView[];
  readonly synonyms: readonly OracleSynonym[];
  /** Types, routines, packages and triggers, as their authors wrote them. */
  readonly sources: readonly OracleSource[];
  readonly comments: readonly OracleComment[];
  readonly types: TypeShapes;
  /** What each object needs, by `SCHEMA.NAME`. */
  readonly needs: ReadonlyMap<string, readonly string[]>;
}

export interface OracleTable {
  /** OBJECT_ID. */
  readonly id: number;
  readonly schema: string;
  readonly name: string;
  /** Without hidden ones. */
  readonly columns: readonly OracleColumn[];
  /** Those that take place in a row, in the order of the rows. */
  readonly stored: readonly OracleColumn[];
  /** An object table: CREATE TABLE ... OF this type. */
  readonly rowType: { readonly schema: string; readonly name: string } | undefined;
  /** Rows live for a session or a transaction only: the structure moves, no rows. */
  readonly temporary: "session" | "transaction" | undefined;
  /** Its rows lie in the primary key's index: they have no row ids in redo. */
  readonly indexOrganized: boolean;
  /** PARTITION BY, in Oracle's words; empty for what has no partitions. */
  readonly partitioning: string;
  readonly partitionKey: readonly string[];
}

export interface OracleColumn {
  readonly name: string;
  /** As DDL has it: NUMBER(10,2), "HR"."ADDRESS". */
  readonly type: string;
  readonly kind: RedoKind;
  readonly national: boolean;
  readonly nullable: boolean;
  /** The default's, or for a virtual column the expression's text. */
  readonly expression: string | undefined;
  readonly virtual: boolean;
  /** The options of GENERATED ... AS IDENTITY; undefined for others. */
  readonly identity: string | undefined;
  /** Oracle's own, or set unused: only its place in the rows matters. */
  readonly hidden: boolean;
  /** SEGMENT_COLUMN_ID: where it lies in a row; undefined for what is computed. */
  readonly place: number | undefined;
}

export interface OracleConstraint {
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  readonly kind: "primaryKey" | "unique" | "check" | "foreignKey";
  readonly columns: readonly string[];
  /** Of a check. */
  readonly condition: string;
  readonly references: { readonly schema: string; readonly table: string; readonly columns: readonly string[] } | undefined;
  /** CASCADE or SET NULL; empty for neither. */
  readonly onDelete: string;
  readonly deferrable: boolean;
  readonly deferred: boolean;
  readonly enabled: boolean;
}

export interface OracleIndex {
  readonly schema: string;
  readonly name: string;
  readonly tableSchema: string;
  readonly table: string;
  readonly unique: boolean;
  readonly bitmap: boolean;
  /** What is no index on values: DOMAIN (text, spatial), CLUSTER. */
  readonly unsupported: string | undefined;
  /** `"COL" DESC` or an expression each. */
  readonly terms: readonly string[];
  /** The columns' names, where every term is one. */
  readonly columns: readonly string[] | undefined;
}

export interface OracleSequence {
  readonly schema: string;
  readonly name: string;
  readonly min: string;
  readonly max: string;
  readonly increment: string;
  readonly cycle: boolean;
  readonly cache: string;
  /** The next value that is not handed out to any instance's cache yet. */
  readonly lastNumber: string;
}

export interface OracleView {
  readonly schema: string;
  readonly name: string;
  readonly materialized: boolean;
  readonly columns: readonly string[];
  readonly query: string;
  readonly readOnly: boolean;
}

export interface OracleSynonym {
  readonly schema: string;
  readonly name: string;
  readonly target: { readonly schema: string; readonly name: string };
  readonly link: string | undefined;
}

export interface OracleSource {
  readonly schema: string;
  readonly name: string;
  readonly kind: "type" | "type body" | "function" | "procedure" | "package" | "package body" | "trigger";
  /** What follows CREATE OR REPLACE. */
  readonly text: string;
  readonly on: { readonly schema: string; readonly name: string } | undefined;
  readonly enabled: boolean;
}

export interface OracleComment {
  readonly schema: string;
  readonly relation: string;
  readonly column: string | undefined;
  readonly text: string;
}
