import type { QualifiedName } from "../../../engine/models/catalog.js";

/**
 * What an object is like, as the capture at the source writes it and as the target is asked for it (capture/structureSql.ts). Plain JSON, in the
 * server's own deparsed words, every name qualified.
 */
export type Structure = TableStructure | ViewStructure | SequenceStructure | RoutineStructure | TypeStructure | SchemaStructure;

interface Named extends QualifiedName {
  /** The oid: a rename keeps it. */
  readonly id: number;
}

interface RelationStructure extends Named {
  readonly columns: readonly ColumnStructure[];
  readonly indexes: readonly IndexStructure[];
  readonly options: readonly string[];
}

export interface TableStructure extends RelationStructure {
  readonly type: "table";
  /** It has partitions, and no rows of its own. */
  readonly partitioned: boolean;
  readonly unlogged: boolean;
  readonly identity: "d" | "n" | "f" | "i";
  /** `RANGE (day)`. */
  readonly partitionKey: string | null;
  /** `FOR VALUES ..` or `DEFAULT`, of a partition. */
  readonly bound: string | null;
  /** `id` is the server's number of it; absent in what an older capture wrote down. */
  readonly parents: readonly (QualifiedName & { readonly id?: number })[];
  readonly constraints: readonly ConstraintStructure[];
  /** On a segmented target: names of the columns that rows are distributed by, none for rows at random; absent for replicated tables. */
  readonly distributed?: readonly string[] | null;
  /** There as well: foreign keys that point at it, its own among them. */
  readonly pointing?: readonly { readonly table: QualifiedName; readonly name: string; readonly definition: string }[];
}

export interface ViewStructure extends RelationStructure {
  readonly type: "view" | "materializedView";
  readonly query: string;
  readonly populated: boolean;
}

export interface ColumnStructure {
  /** attnum: a rename keeps it, and a column that takes a dropped one's name has another. */
  readonly number: number;
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  readonly identity: "" | "a" | "d";
  readonly generated: "" | "s" | "v";
  /** The default, or a generated column's expression. */
  readonly default: string | null;
  readonly collation: string | null;
  /** What rows older than the column show for it (PostgreSQL 11 and up), in the type's text form. */
  readonly missing: string | null;
  /** The sequence it owns: an identity's, or a serial's. */
  readonly sequence: (QualifiedName & { readonly options: string }) | null;
  /** The binary form of its values means the same on every server. */
  readonly portable: boolean;
}

export interface ConstraintStructure {
  readonly id: number;
  readonly name: string;
  /** check, foreign key, primary key, unique, exclusion */
  readonly kind: "c" | "f" | "p" | "u" | "x";
  readonly definition: string;
  readonly validated: boolean;
  readonly deferrable: boolean;
  readonly deferred: boolean;
  /** A parent's, that came with it. */
  readonly inherited: boolean;
  /** The name of a key's index. */
  readonly index: string | null;
  readonly columns: readonly number[];
  readonly referenced: QualifiedName | null;
}

export interface IndexStructure {
  readonly id: number;
  readonly name: string;
  readonly definition: string;
  readonly valid: boolean;
  /** The replica identity. */
  readonly identity: boolean;
  /** A key's own: it comes and goes with the constraint. */
  readonly constraint: boolean;
  /** A partitioned parent's, that came with it. */
  readonly inherited: boolean;
  readonly immediate: boolean;
  /** On a segmented target: every value is there once. */
  readonly unique?: boolean;
  readonly columns: readonly number[];
}

/** `schema` and `name` are both its name. */
export interface SchemaStructure extends Named {
  readonly type: "schema";
}

/** One that stands by itself or is owned by a column that calls it in its default. */
export interface SequenceStructure extends Named {
  readonly type: "sequence";
  readonly options: string;
  readonly owner: (QualifiedName & { readonly column: string }) | null;
}

export interface RoutineStructure extends Named {
  readonly type: "function" | "procedure";
  /** Argument types as DROP FUNCTION takes them. */
  readonly signature: string;
  readonly result: string | null;
  readonly definition: string;
  /** The SQL-standard body within `definition`. */
  readonly body: string | null;
}

export interface TypeStructure extends Named {
  readonly type: "enum" | "domain" | "composite";
  readonly labels: readonly { readonly id: number; readonly label: string }[] | null;
  readonly base: string | null;
  readonly default: string | null;
  readonly notNull: boolean;
  readonly constraints: readonly { readonly name: string; readonly definition: string }[];
  readonly attributes: readonly { readonly number: number; readonly name: string; readonly type: string }[] | null;
}
