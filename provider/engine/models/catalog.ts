/**
 * The neutral catalog: what a source has, in terms that no database owns. Read once per task; everything after
 * works from the plan made of it.
 */

export type ObjectKind =
  | "schema"
  | "extension"
  | "type"
  | "domain"
  | "sequence"
  | "table"
  | "view"
  | "materializedView"
  | "function"
  | "procedure"
  | "aggregate"
  | "operator"
  | "rule"
  | "trigger"
  | "index"
  | "constraint"
  | "foreignKey"
  | "statistics"
  | "policy"
  | "comment"
  | "collation"
  | "cast"
  | "operatorFamily"
  | "operatorClass"
  | "package"
  | "synonym"
  | "topic";

export interface QualifiedName {
  readonly schema: string;
  readonly name: string;
}

export interface CatalogColumn {
  readonly name: string;
  /** The column's number in its table (PostgreSQL attnum); stable across renames. */
  readonly number: number;
  /** The type in the source's own words, with its modifiers, schema-qualified where it is not built in. */
  readonly type: string;
  readonly nullable: boolean;
  /** The server computes it: never copied, never applied. */
  readonly generated: boolean;
  readonly identity: "always" | "byDefault" | undefined;
  /**
   * Its binary form means the same on every server of the family. False for what carries object ids of its own
   * server (arrays and rows over user-defined types, reg* types) or has no binary form.
   */
  readonly binaryPortable: boolean;
  /** The source does not have it: an expression of the task makes it. `typeId` is the source's number of its type. */
  readonly derived?: { readonly typeId: number };
}

/** How changes of a table name the row they mean. `none`: only the whole row does. */
export interface CatalogKey {
  readonly source: "primaryKey" | "uniqueIndex" | "none";
  /** Column names in key order; empty for `none`. */
  readonly columns: readonly string[];
}

export interface CatalogTable extends QualifiedName {
  /** The source's own number for it (PostgreSQL oid); a rename keeps it. */
  readonly id: number;
  /** A partitioned parent has no rows of its own: its leaves are tables of the catalog themselves. */
  readonly kind: "table" | "partitionedTable";
  readonly columns: readonly CatalogColumn[];
  readonly key: CatalogKey;
  readonly replicaIdentity: "default" | "nothing" | "full" | "index";
  /**
   * False where the key exists but the identity in force does not publish it with a change (identity `nothing`, a primary
   * key that is deferrable). Absent: it does.
   */
  readonly keyPublished?: boolean;
  /** The tables it is a partition or an inheritance child of, nearest first; a selected parent brings its partitions. */
  readonly parents?: readonly QualifiedName[];
  /** Whether `parents` holds the one it is a partition of. */
  readonly isPartition?: boolean;
  /** Unlogged tables have rows but no changes. */
  readonly unlogged: boolean;
  /** Estimates, from the source's statistics: for ordering and chunking only. */
  readonly estimatedRows: number;
  readonly bytes: number;
}

/** Anything of the source a selection can pick or leave out, by the name a user would write. */
export interface CatalogObject extends QualifiedName {
  readonly kind: ObjectKind;
  /** Argument types, where the name alone does not tell two objects apart. */
  readonly signature?: string;
  /** The relation a trigger, rule, index or constraint belongs to. */
  readonly on?: QualifiedName;
}

/** What plan resolution reads of a source; a database's own catalog holds more. */
export interface NeutralCatalog {
  readonly schemas: readonly string[];
  readonly tables: readonly CatalogTable[];
  readonly objects: readonly CatalogObject[];
  /** What exists and can never be moved, with the reason. */
  readonly unsupported: readonly {
    readonly kind: string;
    readonly schema: string | undefined;
    readonly name: string;
    readonly reason: string;
  }[];
  /** How the target's family writes a name, where the source's folds names another way. Absent: as it is. */
  readonly naturalName?: (name: string) => string;
}
