import type { QualifiedName } from "../../../engine/models/catalog.js";
import type {
  ColumnStructure,
  ConstraintStructure,
  IndexStructure,
  RoutineStructure,
  SequenceStructure,
  Structure,
  TableStructure,
  TypeStructure,
  ViewStructure,
} from "./structure.js";
import { typeDifference } from "./typeDifference.js";

/** One step from what an object was to what it is; no database's words. Names are the source's, as they are at that step. */
export type Change =
  | { readonly kind: "createTable"; readonly table: TableStructure }
  | { readonly kind: "dropTable"; readonly table: TableStructure }
  | { readonly kind: "addColumn"; readonly column: ColumnStructure }
  | { readonly kind: "dropColumn"; readonly column: ColumnStructure }
  | { readonly kind: "renameColumn"; readonly from: string; readonly to: string; readonly column: ColumnStructure }
  | { readonly kind: "changeType"; readonly column: ColumnStructure; readonly before: ColumnStructure }
  | { readonly kind: "setDefault"; readonly column: ColumnStructure }
  | { readonly kind: "dropDefault"; readonly column: ColumnStructure }
  | { readonly kind: "dropExpression"; readonly column: ColumnStructure }
  | { readonly kind: "setNotNull"; readonly column: ColumnStructure }
  | { readonly kind: "dropNotNull"; readonly column: ColumnStructure }
  | { readonly kind: "setIdentity"; readonly column: ColumnStructure; readonly add: boolean }
  | { readonly kind: "dropIdentity"; readonly column: ColumnStructure }
  | { readonly kind: "addConstraint"; readonly constraint: ConstraintStructure }
  | { readonly kind: "dropConstraint"; readonly constraint: ConstraintStructure }
  | { readonly kind: "renameConstraint"; readonly from: string; readonly to: string; readonly constraint: ConstraintStructure }
  | { readonly kind: "alterConstraint"; readonly constraint: ConstraintStructure }
  | { readonly kind: "validateConstraint"; readonly constraint: ConstraintStructure }
  | { readonly kind: "createIndex"; readonly index: IndexStructure }
  | { readonly kind: "dropIndex"; readonly index: IndexStructure }
  | { readonly kind: "renameIndex"; readonly from: string; readonly to: string }
  | { readonly kind: "attach"; readonly parent: QualifiedName; readonly bound: string | null }
  | { readonly kind: "detach"; readonly parent: QualifiedName; readonly bound: string | null }
  | { readonly kind: "setLogged"; readonly unlogged: boolean }
  | { readonly kind: "setSchema"; readonly from: string; readonly to: string }
  | { readonly kind: "rename"; readonly from: string; readonly to: string }
  | { readonly kind: "createView"; readonly view: ViewStructure; readonly replaces: boolean }
  | { readonly kind: "dropView"; readonly view: ViewStructure }
  | { readonly kind: "createRoutine"; readonly routine: RoutineStructure }
  | { readonly kind: "dropRoutine"; readonly routine: RoutineStructure }
  | { readonly kind: "createSequence"; readonly sequence: SequenceStructure }
  | { readonly kind: "alterSequence"; readonly sequence: SequenceStructure }
  | { readonly kind: "dropSequence"; readonly sequence: SequenceStructure }
  | { readonly kind: "createSchema"; readonly name: string }
  | { readonly kind: "dropSchema"; readonly name: string }
  | { readonly kind: "createType"; readonly type: TypeStructure }
  | { readonly kind: "dropType"; readonly type: TypeStructure }
  | { readonly kind: "addLabel"; readonly label: string; readonly before: string | undefined }
  | { readonly kind: "renameLabel"; readonly from: string; readonly to: string }
  | { readonly kind: "addAttribute"; readonly name: string; readonly type: string }
  | { readonly kind: "dropAttribute"; readonly name: string }
  | { readonly kind: "renameAttribute"; readonly from: string; readonly to: string }
  | { readonly kind: "changeAttribute"; readonly name: string; readonly type: string }
  | { readonly kind: "alterDomain"; readonly clause: string };

/**
 * The steps from `before` to `after`, in an order in which they can run; undefined: there was, or is, no such object. Pure.
 * What the server works out again by itself (an index over a column of another type, a constraint's text after a rename) is no difference.
 */
export function difference(before: Structure | undefined, after: Structure | undefined): Change[] {
  if (!after) return before ? [dropped(before)] : [];
  // Only a materialized view and a view of one name could have changed places, and never under one oid.
  if (!before || (before.type !== after.type && !isType(after))) return created(after);
  switch (after.type) {
    case "table":
      return [...moved(before, after), ...tableDifference(before as TableStructure, after)];
    case "view":
    case "materializedView":
      return viewDifference(before as ViewStructure, after);
    case "function":
    case "procedure":
      return routineDifference(before as RoutineStructure, after);
    case "schema":
      return before.name === after.name ? [] : [{ kind: "rename", from: before.name, to: after.name }];
    case "sequence": {
      const was = before as SequenceStructure;
      const owner = JSON.stringify(was.owner) !== JSON.stringify(after.owner);
      return [
        ...moved(before, after),
        ...(was.options !== after.options || owner ? [{ kind: "alterSequence", sequence: after } as const] : []),
      ];
    }
    default:
      return [...moved(before, after), ...typeDifference(before as TypeStructure, after)];
  }
}

function isType({ type }: Structure): boolean {
  return type === "enum" || type === "domain" || type === "composite";
}

function created(after: Structure): Change[] {
  switch (after.type) {
    case "table":
      return [{ kind: "createTable", table: after }];
    case "view":
    case "materializedView":
      return [
        { kind: "createView", view: after, replaces: false },
        ...ownIndexes(after).map((index) => ({ kind: "createIndex", index }) as const),
      ];
    case "function":
    case "procedure":
      return [{ kind: "createRoutine", routine: after }];
    case "schema":
      return [{ kind: "createSchema", name: after.name }];
    case "sequence":
      return [{ kind: "createSequence", sequence: after }];
    default:
      return [{ kind: "createType", type: after }];
  }
}

function dropped(before: Structure): Change {
  switch (before.type) {
    case "table":
      return { kind: "dropTable", table: before };
    case "view":
    case "materializedView":
      return { kind: "dropView", view: before };
    case "function":
    case "procedure":
      return { kind: "dropRoutine", routine: before };
    case "schema":
      return { kind: "dropSchema", name: before.name };
    case "sequence":
      return { kind: "dropSequence", sequence: before };
    default:
      return { kind: "dropType", type: before };
  }
}

function moved(before: Structure, after: Structure): Change[] {
  return [
    ...(before.name === after.name ? [] : [{ kind: "rename", from: before.name, to: after.name } as const]),
    ...(before.schema === after.schema ? [] : [{ kind: "setSchema", from: before.schema, to: after.schema } as const]),
  ];
}

/** After the table's own name: what is taken away goes first, what needs something goes last. */
function tableDifference(before: TableStructure, after: TableStructure): Change[] {
  const was = new Map(before.columns.map((column) => [column.number, column]));
  const is = new Set(after.columns.map(({ number }) => number));
  const retyped = after.columns.some(({ number, type }) => was.has(number) && was.get(number)?.type !== type);
  const constraints = constraintDifference(before, after, retyped);
  const indexes = indexDifference(before, after, retyped);
  const has = (table: TableStructure, { schema, name }: QualifiedName) =>
    table.parents.some((parent) => parent.schema === schema && parent.name === name);
  const lost = before.parents.filter((name) => !has(after, name));
  const won = after.parents.filter((name) => !has(before, name));
  const kept = after.columns.flatMap((column) => {
    const old = was.get(column.number);
    return old ? [{ old, column }] : [];
  });
  return [
    ...lost.map((name) => ({ kind: "detach", parent: name, bound: before.bound }) as const),
    ...constraints.gone,
    ...indexes.gone,
    ...before.columns.filter(({ number }) => !is.has(number)).map((column) => ({ kind: "dropColumn", column }) as const),
    ...renames(kept),
    ...kept.flatMap(({ old, column }) => columnDifference(old, column)),
    ...after.columns.filter(({ number }) => !was.has(number)).map((column) => ({ kind: "addColumn", column }) as const),
    ...indexes.renamed,
    ...constraints.renamed,
    ...(before.unlogged === after.unlogged ? [] : [{ kind: "setLogged", unlogged: after.unlogged } as const]),
    ...indexes.made,
    ...constraints.made,
    ...won.map((name) => ({ kind: "attach", parent: name, bound: after.bound }) as const),
  ];
}

/** Two columns that swap their names go by way of a third. */
function renames(kept: readonly { readonly old: ColumnStructure; readonly column: ColumnStructure }[]): Change[] {
  const renamed = kept.filter(({ old, column }) => old.name !== column.name);
  const taken = new Set(renamed.map(({ old }) => old.name));
  const detours = renamed.filter(({ column }) => taken.has(column.name));
  const detour = (column: ColumnStructure): string => `godwit_${column.number}`;
  return [
    ...detours.map(({ old, column }) => ({ kind: "renameColumn", from: old.name, to: detour(column), column }) as const),
    ...renamed.map(({ old, column }) => {
      const from = taken.has(column.name) ? detour(column) : old.name;
      return { kind: "renameColumn", from, to: column.name, column } as const;
    }),
  ];
}

function columnDifference(old: ColumnStructure, column: ColumnStructure): Change[] {
  const changes: Change[] = [];
  const retyped = old.type !== column.type || old.collation !== column.collation;
  if (old.generated && !column.generated) changes.push({ kind: "dropExpression", column });
  if (old.identity && !column.identity) changes.push({ kind: "dropIdentity", column });
  // A default of the old type may have no cast to the new one.
  if (!old.generated && old.default !== null && (retyped || column.default === null) && !column.identity)
    changes.push({ kind: "dropDefault", column });
  if (old.notNull && !column.notNull) changes.push({ kind: "dropNotNull", column });
  if (retyped) changes.push({ kind: "changeType", column, before: old });
  if (!column.generated && column.default !== null && (retyped || old.default !== column.default || old.generated))
    changes.push({ kind: "setDefault", column });
  if (!old.notNull && column.notNull) changes.push({ kind: "setNotNull", column });
  if (column.identity && (old.identity !== column.identity || old.sequence?.options !== column.sequence?.options))
    changes.push({ kind: "setIdentity", column, add: !old.identity });
  return changes;
}

interface Parts {
  readonly gone: readonly Change[];
  readonly renamed: readonly Change[];
  readonly made: readonly Change[];
}

/** One that changed its oid under its name was made again by the server, for a column that changed its type. */
function constraintDifference(before: TableStructure, after: TableStructure, retyped: boolean): Parts {
  const byId = new Map(before.constraints.map((constraint) => [constraint.id, constraint]));
  const byName = new Map(before.constraints.map((constraint) => [constraint.name, constraint]));
  const remade = (constraint: ConstraintStructure): boolean => {
    const same = byName.get(constraint.name);
    return same !== undefined && same.kind === constraint.kind && (retyped || same.definition === constraint.definition);
  };
  const stays = new Set<ConstraintStructure>();
  const renamed: Change[] = [];
  const made: Change[] = [];
  for (const constraint of after.constraints) {
    const old = byId.get(constraint.id) ?? (remade(constraint) ? byName.get(constraint.name) : undefined);
    if (!old) {
      if (!constraint.inherited) made.push({ kind: "addConstraint", constraint });
      continue;
    }
    stays.add(old);
    if (old.name !== constraint.name) renamed.push({ kind: "renameConstraint", from: old.name, to: constraint.name, constraint });
    if (constraint.inherited) continue;
    if (!old.validated && constraint.validated) made.push({ kind: "validateConstraint", constraint });
    if (old.deferrable !== constraint.deferrable || old.deferred !== constraint.deferred)
      made.push({ kind: "alterConstraint", constraint });
  }
  const gone = before.constraints.filter((constraint) => !stays.has(constraint) && !constraint.inherited);
  // A foreign key needs a key that may be made by the same command.
  const last = (change: Change): number => (change.kind === "addConstraint" && change.constraint.kind === "f" ? 1 : 0);
  return {
    gone: gone.map((constraint) => ({ kind: "dropConstraint", constraint })),
    renamed,
    made: made.sort((a, b) => last(a) - last(b)),
  };
}

function indexDifference(before: TableStructure, after: TableStructure, retyped: boolean): Parts {
  const old = before.indexes.filter(({ constraint }) => !constraint);
  const byId = new Map(old.map((index) => [index.id, index]));
  const byName = new Map(old.map((index) => [index.name, index]));
  const stays = new Set<IndexStructure>();
  const renamed: Change[] = [];
  const made: Change[] = [];
  for (const index of after.indexes) {
    if (index.constraint) continue;
    const same = byName.get(index.name);
    const was = byId.get(index.id) ?? (same && (retyped || same.definition === index.definition) ? same : undefined);
    if (was) {
      stays.add(was);
      if (was.name !== index.name) renamed.push({ kind: "renameIndex", from: was.name, to: index.name });
    } else if (!index.inherited) made.push({ kind: "createIndex", index });
  }
  const gone = old.filter((index) => !stays.has(index) && !index.inherited);
  return { gone: gone.map((index) => ({ kind: "dropIndex", index })), renamed, made };
}

/** A view that only gained columns at its end is replaced in place; otherwise it is made again. */
function viewDifference(before: ViewStructure, after: ViewStructure): Change[] {
  const changes: Change[] = [...moved(before, after)];
  const sameStart = before.columns.every(
    ({ name, type }, at) => after.columns[at]?.name === name && after.columns[at]?.type === type,
  );
  if (before.query !== after.query || JSON.stringify(before.options) !== JSON.stringify(after.options) || !sameStart) {
    const replaces = sameStart && after.type === "view";
    if (!replaces) changes.push({ kind: "dropView", view: after });
    changes.push({ kind: "createView", view: after, replaces });
  }
  const had = new Set(before.indexes.map(({ id }) => id));
  const has = new Set(after.indexes.map(({ id }) => id));
  return [
    ...changes,
    ...before.indexes.filter(({ id }) => !has.has(id)).map((index) => ({ kind: "dropIndex", index }) as const),
    ...ownIndexes(after)
      .filter(({ id }) => !had.has(id))
      .map((index) => ({ kind: "createIndex", index }) as const),
  ];
}

function ownIndexes({ indexes }: ViewStructure): readonly IndexStructure[] {
  return indexes.filter(({ constraint }) => !constraint);
}

function routineDifference(before: RoutineStructure, after: RoutineStructure): Change[] {
  const changes = moved(before, after);
  // The definition holds the name: after a rename alone nothing else is to do.
  const text = ({ definition }: RoutineStructure) => definition.slice(definition.indexOf("("));
  return text(before) === text(after) ? changes : [...changes, { kind: "createRoutine", routine: after }];
}
