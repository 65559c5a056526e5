import type { CatalogObject, ObjectKind, QualifiedName } from "../../../engine/models/catalog.js";
import type { DdlStage, SkippedObject } from "../../../engine/models/plan.js";
import type { ResolvedPlan } from "../../../engine/plan.js";
import type { ObjectKey, PgConstraint, PgRelation, PgSequence, PostgresCatalog } from "../catalog/model.js";
import { ident, literal, qualified } from "../sql.js";
import type { SchemaDialect } from "./schemaDialect.js";
import { type SqlNames, sqlNames } from "./sqlNames.js";

/** A step that may become part of the plan: still in terms of the catalog's keys, before selection and ordering. */
export interface Draft {
  readonly id: string;
  readonly stage: DdlStage;
  readonly kind: ObjectKind;
  /** Target name as a user would write it. */
  readonly name: string;
  /** What the selection is asked about: the object itself, or the table it is part of. */
  readonly subject: CatalogObject;
  readonly provides: readonly ObjectKey[];
  /** Keys whose dependencies this step has. */
  readonly uses: readonly ObjectKey[];
  /** Keys or step ids it needs beyond those. */
  readonly requires: readonly string[];
  /** Dependencies to leave out: what is set in a step of its own. */
  readonly ignores?: (key: ObjectKey) => boolean;
  readonly sql: readonly string[];
  readonly weight?: number;
  /** Makes something with the same name and shape first, where a cycle leaves no other way. */
  readonly shell?: {
    readonly sql: readonly string[];
    readonly needs: (key: ObjectKey) => boolean;
    readonly uses: readonly ObjectKey[];
  };
  /** Why it cannot be made on this target. */
  readonly blocked?: string | undefined;
}

/** What all step makers share. */
export interface SchemaContext {
  readonly catalog: PostgresCatalog;
  readonly resolved: ResolvedPlan;
  readonly sql: SqlNames;
  /** A deparsed type in the target's words, names rewritten. */
  readonly type: (type: string) => string;
  /** Major version of the target. */
  readonly target: number;
  /** Extensions the target offers; undefined: not asked. */
  readonly offered: ReadonlySet<string> | undefined;
  readonly relations: ReadonlyMap<number, PgRelation>;
  /** Sequences of identity columns by `relation/column`. */
  readonly identities: ReadonlyMap<string, PgSequence>;
  /** Not-null constraints of each table; only PostgreSQL 18 has them as constraints. */
  readonly notNulls: ReadonlyMap<number, readonly PgConstraint[]>;
  /** Check constraints of each table. */
  readonly checks: ReadonlyMap<number, readonly PgConstraint[]>;
  readonly skipped: SkippedObject[];
  /** Quoted target name. */
  readonly name: (source: QualifiedName) => string;
  /** COMMENT ON, where the object has one. */
  readonly comment: (key: string, what: string) => string[];
}

export function schemaContext(
  catalog: PostgresCatalog,
  resolved: ResolvedPlan,
  target: number,
  offered: ReadonlySet<string> | undefined,
  dialect: SchemaDialect = {},
): SchemaContext {
  const identities = new Map<string, PgSequence>();
  for (const sequence of catalog.sequences) {
    if (sequence.owner?.identity) identities.set(`${sequence.owner.relation}/${sequence.owner.column}`, sequence);
  }
  const names = sqlNames(catalog, resolved.names);
  return {
    catalog,
    resolved,
    sql: dialect.sql?.(names) ?? names,
    type: (type) => names.definition(dialect.type?.(type) ?? type),
    target,
    offered,
    relations: new Map(catalog.relations.map((relation) => [relation.id, relation])),
    identities,
    notNulls: byTable(catalog.constraints.filter(({ kind }) => kind === "notNull")),
    checks: byTable(catalog.constraints.filter(({ kind }) => kind === "check")),
    skipped: [],
    name: (source) => qualified(resolved.names.relation(source)),
    comment(key, what) {
      const text = catalog.comments.get(key);
      return text === undefined ? [] : [`COMMENT ON ${what} IS ${literal(text)}`];
    },
  };
}

/** `schema.name` of the target, as a user would write it: in quotes only where a dot would make it ambiguous. */
export function shown(context: SchemaContext, source: QualifiedName): string {
  return shownTarget(context.resolved.names.relation(source));
}

export function shownTarget({ schema, name }: QualifiedName): string {
  return [schema, name].map((part) => (/[."]/.test(part) ? ident(part) : part)).join(".");
}

export function schemaStep(context: SchemaContext, source: string): string {
  return `schema:${context.resolved.names.schema(source)}`;
}

/** `WITH (a = 'x')` or nothing. Options are kept in the catalog as `name=value`. */
export function withOptions(options: readonly string[]): string {
  return options.length === 0 ? "" : ` WITH (${optionList(options)})`;
}

export function optionList(options: readonly string[]): string {
  return options
    .map((option) => {
      const at = option.indexOf("=");
      const name = option.slice(0, at).split(".").map(ident).join(".");
      return `${name} = ${literal(option.slice(at + 1)).trim()}`;
    })
    .join(", ");
}

function byTable(constraints: readonly PgConstraint[]): ReadonlyMap<number, readonly PgConstraint[]> {
  const found = new Map<number, PgConstraint[]>();
  for (const constraint of constraints) {
    const list = found.get(constraint.relation);
    if (list) list.push(constraint);
    else found.set(constraint.relation, [constraint]);
  }
  return found;
}
