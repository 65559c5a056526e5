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
  | "package"
  | "synonym";

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
  /** Unlogged tables have rows but no changes. */
  readonly unlogged: boolean;
  /** Estimates, from the source's statistics: for ordering and chunking only. */
  readonly estimatedRows: number;
  readonly bytes: number;
}
