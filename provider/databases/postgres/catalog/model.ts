import type { NeutralCatalog, QualifiedName } from "../../../engine/models/catalog.js";

/**
 * A catalog object's address, as pg_depend spells it: `pg_class/16402`. Every object is known by it, so that dependencies
 * need no names.
 */
export type ObjectKey = string;

/** What a PostgreSQL source has, in the server's own deparsed words (all names in them schema-qualified). */
export interface PostgresCatalog extends NeutralCatalog {
  /** Major version of the server it was read from. */
  readonly version: number;
  readonly namespaces: readonly PgNamespace[];
  readonly extensions: readonly PgExtension[];
  readonly relations: readonly PgRelation[];
  readonly sequences: readonly PgSequence[];
  readonly types: readonly PgType[];
  readonly collations: readonly PgCollation[];
  readonly routines: readonly PgRoutine[];
  readonly aggregates: readonly PgAggregate[];
  readonly operators: readonly PgOperator[];
  readonly operatorFamilies: readonly PgOperatorFamily[];
  readonly operatorClasses: readonly PgOperatorClass[];
  readonly casts: readonly PgCast[];
  readonly constraints: readonly PgConstraint[];
  readonly indexes: readonly PgIndex[];
  readonly statistics: readonly PgStatistics[];
  readonly rules: readonly PgRule[];
  readonly triggers: readonly PgTrigger[];
  /** What each object needs, by key; automatic ones included, the server's own objects not. */
  readonly dependencies: ReadonlyMap<ObjectKey, readonly PgDependency[]>;
  /** COMMENT texts by `key` or, for a column, `key/number`. */
  readonly comments: ReadonlyMap<string, string>;
  /** Objects that cannot move, so what needs them cannot either. */
  readonly immovable: ReadonlyMap<ObjectKey, string>;
}

export interface PgDependency {
  readonly on: ObjectKey;
  /** The column of the relation `on` that is meant; 0 for the whole object. */
  readonly column: number;
}

export interface PgNamespace {
  readonly key: ObjectKey;
  readonly name: string;
}

export interface PgExtension extends QualifiedName {
  readonly key: ObjectKey;
}

/** pg_class.relkind of what is described here. */
export type RelationKind = "table" | "partitionedTable" | "view" | "materializedView" | "compositeType";

export interface PgRelation extends QualifiedName {
  readonly id: number;
  readonly key: ObjectKey;
  readonly kind: RelationKind;
  readonly rowType: ObjectKey;
  readonly unlogged: boolean;
  /** `name=value` pairs; those of the TOAST table start with `toast.`. */
  readonly options: readonly string[];
  readonly accessMethod: string | undefined;
  /** pg_get_partkeydef of a partitioned table. */
  readonly partitionKey: string | undefined;
  /** FOR VALUES .. or DEFAULT, of a partition. */
  readonly partitionBound: string | undefined;
  /** Parents in the order of INHERITS. */
  readonly parents: readonly number[];
  /** The composite type of CREATE TABLE .. OF. */
  readonly ofType: string | undefined;
  readonly replicaIdentity: "default" | "nothing" | "full" | "index";
  readonly populated: boolean;
  readonly rowSecurity: boolean;
  readonly hasOids: boolean;
  /** The SELECT of a view or materialized view. */
  readonly query: string | undefined;
  /** Key of the view's _RETURN rule: what dependencies on and of a view are recorded under. */
  readonly viewRule: ObjectKey | undefined;
  readonly estimatedRows: number;
  readonly bytes: number;
  readonly columns: readonly PgColumn[];
}

export interface PgColumn {
  readonly name: string;
  readonly number: number;
  readonly type: string;
  readonly typeId: number;
  readonly notNull: boolean;
  readonly identity: "" | "a" | "d";
  /** `s` stored, `v` virtual (PostgreSQL 18). */
  readonly generated: "" | "s" | "v";
  readonly expression: string | undefined;
  readonly expressionKey: ObjectKey | undefined;
  /** Qualified and quoted; only where it is not the type's own. */
  readonly collation: string | undefined;
  /** PLAIN, EXTERNAL, ..; only where it is not the type's own. */
  readonly storage: string | undefined;
  readonly compression: "pglz" | "lz4" | undefined;
  readonly statistics: number | undefined;
  readonly options: readonly string[];
  /** Declared on this table itself, not only inherited. */
  readonly local: boolean;
}

export interface PgSequence extends QualifiedName {
  readonly key: ObjectKey;
  readonly type: string;
  readonly start: string;
  readonly increment: string;
  readonly minimum: string;
  readonly maximum: string;
  readonly cache: string;
  readonly cycle: boolean;
  readonly unlogged: boolean;
  /** The column it belongs to. `identity`: it is part of the column and has no CREATE of its own. */
  readonly owner: { readonly relation: number; readonly column: number; readonly identity: boolean } | undefined;
}

export type PgType = QualifiedName & { readonly key: ObjectKey } & (
    | { readonly kind: "enum"; readonly labels: readonly string[] }
    | {
        readonly kind: "domain";
        readonly base: string;
        readonly notNull: boolean;
        readonly expression: string | undefined;
        readonly collation: string | undefined;
      }
    | {
        readonly kind: "range";
        readonly subtype: string;
        readonly operatorClass: string | undefined;
        readonly collation: string | undefined;
        readonly canonical: string | undefined;
        readonly difference: string | undefined;
        /** Quoted, unqualified name of its multirange (PostgreSQL 14). */
        readonly multirange: string | undefined;
      }
  );

export interface PgCollation extends QualifiedName {
  readonly key: ObjectKey;
  readonly provider: "c" | "i" | "b" | "d";
  readonly deterministic: boolean;
  readonly collate: string | undefined;
  readonly ctype: string | undefined;
  readonly locale: string | undefined;
  readonly rules: string | undefined;
}

export interface PgRoutine extends QualifiedName {
  readonly key: ObjectKey;
  readonly kind: "function" | "procedure";
  readonly language: string;
  /** As COMMENT ON FUNCTION wants them. */
  readonly signature: string;
  readonly definition: string;
  /** The SQL-standard body within `definition`, parsed by the server at CREATE. */
  readonly sqlBody: string | undefined;
}

export interface PgAggregate extends QualifiedName {
  readonly key: ObjectKey;
  readonly signature: string;
  /** The clauses of CREATE AGGREGATE, ready to be joined by commas. */
  readonly clauses: readonly string[];
}

export interface PgOperator extends QualifiedName {
  readonly key: ObjectKey;
  readonly left: string | undefined;
  readonly right: string | undefined;
  readonly clauses: readonly string[];
  /** COMMUTATOR and NEGATOR: they may name operators that come later, which CREATE OPERATOR takes as a promise. */
  readonly promises: readonly string[];
}

export interface PgOperatorFamily extends QualifiedName {
  readonly key: ObjectKey;
  readonly method: string;
}

export interface PgOperatorClass extends QualifiedName {
  readonly key: ObjectKey;
  readonly method: string;
  readonly isDefault: boolean;
  readonly type: string;
  readonly family: string;
  readonly storage: string | undefined;
  readonly items: readonly string[];
  /** Keys of the items, under which their own dependencies are recorded. */
  readonly itemKeys: readonly ObjectKey[];
}

export interface PgCast {
  readonly key: ObjectKey;
  readonly source: string;
  readonly target: string;
  readonly how: string;
  readonly context: string;
}

export interface PgConstraint {
  readonly key: ObjectKey;
  readonly name: string;
  readonly kind: "check" | "foreignKey" | "primaryKey" | "unique" | "exclusion" | "notNull";
  /** The table, or the domain's key. */
  readonly relation: number;
  readonly domain: ObjectKey | undefined;
  readonly definition: string;
  readonly validated: boolean;
  readonly deferrable: boolean;
  readonly enforced: boolean;
  readonly period: boolean;
  readonly local: boolean;
  readonly noInherit: boolean;
  /** The constraint of the partitioned parent that it was cloned from. */
  readonly parent: ObjectKey | undefined;
  readonly index: ObjectKey | undefined;
  readonly referenced: number;
  readonly columns: readonly number[];
}

export interface PgIndex extends QualifiedName {
  readonly key: ObjectKey;
  readonly relation: number;
  readonly definition: string;
  readonly primary: boolean;
  readonly valid: boolean;
  readonly immediate: boolean;
  readonly clustered: boolean;
  readonly replicaIdentity: boolean;
  readonly partitioned: boolean;
  /** The partitioned index it is attached to. */
  readonly parent: ObjectKey | undefined;
  /** The constraint it carries, which makes it. */
  readonly constraint: ObjectKey | undefined;
  readonly options: readonly string[];
  /** Column numbers of the key, without INCLUDEd ones; 0 stands for an expression. */
  readonly keyColumns: readonly number[];
  /** Statistics targets of its expression columns, by position. */
  readonly statistics: readonly { readonly position: number; readonly target: number }[];
  readonly nullsNotDistinct: boolean;
}

export interface PgStatistics extends QualifiedName {
  readonly key: ObjectKey;
  readonly relation: number;
  readonly definition: string;
  readonly target: number | undefined;
}

export interface PgRule {
  readonly key: ObjectKey;
  readonly name: string;
  readonly relation: number;
  readonly definition: string;
  readonly enabled: "O" | "D" | "R" | "A";
}

export interface PgTrigger {
  readonly key: ObjectKey;
  readonly name: string;
  readonly relation: number;
  readonly definition: string;
  readonly enabled: "O" | "D" | "R" | "A";
  /** Made on a partition by the trigger of its parent: only its enabled state is its own. */
  readonly cloned: boolean;
}
