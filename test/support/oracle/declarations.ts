/** What a test declares of a schema: names as Oracle stores them, types and expressions in Oracle's words. */
export interface DeclaredTable {
  readonly owner: string;
  readonly name: string;
  readonly columns: readonly DeclaredColumn[];
  readonly primaryKey?: readonly string[];
  readonly unique?: readonly (readonly string[])[];
  readonly checks?: Readonly<Record<string, string>>;
  readonly foreignKeys?: readonly {
    readonly name: string;
    readonly columns: readonly string[];
    readonly table: string;
    readonly onDelete?: "CASCADE" | "SET NULL";
  }[];
  readonly indexes?: readonly DeclaredIndex[];
  readonly comment?: string;
  readonly partitioning?: {
    readonly type: "RANGE" | "LIST" | "HASH";
    readonly columns: readonly string[];
    /** HIGH_VALUE by partition. */
    readonly partitions: Readonly<Record<string, string | null>>;
  };
  readonly temporary?: "SYS$SESSION" | "SYS$TRANSACTION";
  /** An object table's type. */
  readonly rowType?: string;
  readonly blocks?: number;
  /** NUM_ROWS. */
  readonly rows?: number;
}

export interface DeclaredColumn {
  readonly name: string;
  /** Such as `VARCHAR2(20 CHAR)`, `NUMBER(10,2)`, `TIMESTAMP(6) WITH TIME ZONE`, `"HR"."ADDRESS"`. */
  readonly type: string;
  readonly notNull?: boolean;
  readonly default?: string;
  readonly virtual?: string;
  readonly invisible?: boolean;
  readonly identity?: "ALWAYS" | "BY DEFAULT";
  /** LAST_NUMBER of its sequence. */
  readonly identityLast?: number;
  readonly comment?: string;
}

export interface DeclaredIndex {
  readonly name: string;
  /** Columns, or expressions (what is no column's name). */
  readonly terms: readonly string[];
  readonly unique?: boolean;
  readonly type?: string;
}

export interface DeclaredSequence {
  readonly owner: string;
  readonly name: string;
  readonly last?: number;
  readonly increment?: number;
  readonly min?: string;
  readonly max?: string;
  readonly cycle?: boolean;
  readonly cache?: number;
}

/** A type, routine, package or trigger by what stands behind CREATE OR REPLACE: `PROCEDURE add_job (...) IS ...`. */
export interface DeclaredSource {
  readonly owner: string;
  readonly name: string;
  readonly type: "TYPE" | "TYPE BODY" | "FUNCTION" | "PROCEDURE" | "PACKAGE" | "PACKAGE BODY" | "TRIGGER";
  readonly text: string;
  /** A trigger's table. */
  readonly on?: string;
  readonly disabled?: boolean;
  /** OWNER.NAME of what it needs. */
  readonly needs?: readonly string[];
}

export interface Declarations {
  readonly tables?: readonly DeclaredTable[];
  readonly sequences?: readonly DeclaredSequence[];
  readonly views?: readonly {
    readonly owner: string;
    readonly name: string;
    readonly columns: readonly string[];
    readonly query: string;
    readonly materialized?: boolean;
    readonly readOnly?: boolean;
    readonly needs?: readonly string[];
  }[];
  readonly synonyms?: readonly { readonly owner: string; readonly name: string; readonly of: string; readonly link?: string }[];
  readonly sources?: readonly DeclaredSource[];
  /** By OBJECT_TYPE: what Godwit can't move. */
  readonly others?: readonly { readonly owner: string; readonly name: string; readonly type: string }[];
}
