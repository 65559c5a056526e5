import { ErrorCode, GodwitError } from "../../../../engine/errors.js";
import type { CatalogColumn, CatalogKey, CatalogTable, QualifiedName } from "../../../../engine/models/catalog.js";
import type { PlannedColumn, PlannedTable, PresentName } from "../../../../engine/models/plan.js";
import { type PlanOptions, resolvePlan } from "../../../../engine/plan.js";
import { hasRules } from "../../etl/valueSql.js";
import type { ColumnStructure, TableStructure } from "../structure.js";
import type { FollowedNames } from "./followedNames.js";

/**
 * A table that was just made, planned by the program's rules as if it had been there at the start.
 * Undefined for a partitioned table, which has no rows of its own, and for one that is excluded. Pure. Errors: GW1502 for one whose rows the program has rules for.
 */
export function planNewTable(table: TableStructure, rules: NewTableRules, names: FollowedNames): PlannedTable | undefined {
  refuseRuled(table, rules);
  const { options } = rules;
  const entry = names.entry(table, table.parents);
  const selection = options.objects?.find(({ schema }) => schema === table.schema);
  if (selection?.exclude?.includes(table.name)) return undefined;
  const has = (column: string): boolean => table.columns.some(({ name }) => name === column);
  const columns = (listed: readonly string[] | undefined) => listed?.filter(has);
  const own = entry && {
    ...entry.table,
    name: table.name,
    columns: (entry.table.columns ?? []).filter(({ name }) => has(name)),
    excludeColumns: columns(entry.table.excludeColumns) ?? [],
    ...(entry.table.primaryKey ? { primaryKey: columns(entry.table.primaryKey) ?? [] } : {}),
    ...(entry.table.distributedBy ? { distributedBy: columns(entry.table.distributedBy) ?? [] } : {}),
    ...(entry.table.partitionKey ? { partitionKey: columns(entry.table.partitionKey) ?? [] } : {}),
  };
  // A rename of the parent is the parent's.
  const { rename, ...inherited } = own ?? { name: table.name };
  const listed = entry?.own && rename !== undefined ? { ...inherited, rename } : inherited;
  const objects = options.objects && [
    {
      schema: table.schema,
      ...(selection?.rename === undefined ? {} : { rename: selection.rename }),
      ...(own ? { tables: [listed] } : {}),
    },
  ];
  const catalog = { schemas: [table.schema], tables: [catalogTable(table)], objects: [], unsupported: [] };
  const [planned] = resolvePlan(catalog, {
    ...(objects ? { objects } : {}),
    ...(options.operations ? { operations: options.operations } : {}),
    ...(options.capitalization ? { capitalization: options.capitalization } : {}),
  }).tables;
  return planned;
}

export interface NewTableRules {
  /** The selection as the program writes it. */
  readonly options: PlanOptions;
  /** Numbers of the tables whose rows the program has rules for; absent: there are none. */
  readonly ruled?: readonly number[] | undefined;
}

/**
 * A table that was made under the name of one whose rows the program has rules for, or as a part of one. Its changes do not carry the whole old row, which
 * says whether a row was among those that move, and its rows must not move as they are. Errors: GW1502.
 */
export function refuseRuled(table: TableStructure, { options: { objects, etl }, ruled = [] }: NewTableRules): void {
  const selection = objects?.find(({ schema }) => schema === table.schema);
  if (selection?.exclude?.includes(table.name)) return;
  const isNamed = ({ schema, name }: QualifiedName): boolean =>
    etl?.some((entry) => entry.schema === schema && entry.table === name) === true ||
    objects?.find((entry) => entry.schema === schema)?.tables?.find((entry) => entry.name === name)?.where !== undefined;
  // By number, for what it is a part of may have another name by now; an older capture tells names only.
  const partOf = table.parents.find((parent) => (parent.id !== undefined && ruled.includes(parent.id)) || isNamed(parent));
  if (!isNamed(table) && !partOf) return;
  throw new GodwitError(
    ErrorCode.StructureChanged,
    partOf
      ? "a partition or child was made of a table whose rows `where` or `etl` speaks of"
      : "a table was made under the name of one whose rows `where` or `etl` speaks of",
    {
      object: `${table.schema}.${table.name}`,
      remedy: "name it under `exclude` of its schema and run pulumi up; give it a task of its own",
    },
  );
}

/** The same of parents that a followed table without rules has joined. */
export function refuseJoinedRuled(
  planned: PlannedTable,
  was: TableStructure | undefined,
  is: TableStructure,
  rules: NewTableRules,
): void {
  if (!was || hasRules(planned)) return;
  const joined = is.parents.filter(({ id }) => !was.parents.some((parent) => parent.id === id));
  if (joined.length > 0) refuseRuled({ ...is, parents: joined }, rules);
}

export interface TableRules {
  /** Renames at the source are carried over. */
  readonly renames: boolean;
  /** Target name of a column that is new. Undefined: it is not taken. */
  readonly newColumn: (column: ColumnStructure) => string | undefined;
  /** Names on the target that the program gave: they stay, whatever the source's become. */
  readonly givenColumn: (name: string) => boolean;
  readonly spell: (name: string) => string;
  /** The target name of the table under its new source name. */
  readonly target: QualifiedName;
}

/**
 * The plan of a table after a change of its structure: columns are known by their numbers, so a renamed one stays the same, and what
 * the program left out stays left out. Pure.
 */
export function replanTable(
  planned: PlannedTable,
  before: TableStructure | undefined,
  after: TableStructure,
  rules: TableRules,
): PlannedTable {
  const byNumber = new Map(planned.columns.map((column) => [column.number, column]));
  const leftOut = new Set(planned.leftOut);
  const was = new Map((before?.columns ?? []).map(({ number, name }) => [number, name]));
  const columns = after.columns.flatMap((column): PlannedColumn[] => {
    if (column.generated) return [];
    const known = byNumber.get(column.number);
    const oldName = known?.source ?? was.get(column.number);
    let target: string | undefined;
    if (known)
      target =
        column.name === known.source || !rules.renames || rules.givenColumn(known.source)
          ? known.target
          : rules.spell(column.name);
    else if (oldName === undefined || !leftOut.has(oldName)) target = rules.newColumn(column);
    if (target === undefined) return [];
    return [{ ...described(column), source: column.name, target, ...(known ? presentValue(known, planned, before, after) : {}) }];
  });
  for (const column of planned.columns)
    if (column.derived) columns.push({ ...column, ...presentValue(column, planned, before, after) });
  const kept = new Set(columns.map(({ source }) => source));
  const key = keyOf(after);
  refuseRewrittenKey(columns, key, after);
  const { joined: _, ...rest } = planned;
  return {
    ...rest,
    // Of no table: what it is like from here on only the stream tells.
    ...(planned.shape === undefined ? {} : { shape: "" }),
    source: { schema: after.schema, name: after.name },
    target: rules.target,
    columns,
    leftOut: after.columns.map(({ name }) => name).filter((name) => !kept.has(name)),
    key,
    replicaIdentity: { was: planned.replicaIdentity.was, needs: publishesKey(after) && !hasRules(planned) ? "keep" : "full" },
    streamed: !after.unlogged,
    ...presentFilter(planned, before, after),
  };
}

/** The key of a table that is followed became one of columns that have other values on the target. */
function refuseRewrittenKey(columns: readonly PlannedColumn[], key: CatalogKey, { schema, name }: TableStructure): void {
  const rewritten = columns.find(({ source, value }) => value && key.columns.includes(source));
  if (!rewritten) return;
  throw new GodwitError(
    ErrorCode.StructureChanged,
    `column "${rewritten.source}" became part of the table's key, and \`etl\` derives or masks it`,
    { object: `${schema}.${name}`, remedy: "give the table another key at the source; then run pulumi up" },
  );
}

/**
 * The table with what its rules name under present names; what else it is stays as it was. Errors: GW1502 when a column that is derived or masked goes: one that
 * takes its name would come as it is.
 */
export function withPresentRules(planned: PlannedTable, before: TableStructure | undefined, after: TableStructure): PlannedTable {
  const has = (structure: TableStructure | undefined, wanted: number) =>
    structure?.columns.some(({ number }) => number === wanted) === true;
  const lost = planned.columns.find(({ value, number }) => value && has(before, number) && !has(after, number));
  if (lost) {
    throw new GodwitError(ErrorCode.StructureChanged, `column "${lost.source}" was dropped, and \`etl\` derives or masks it`, {
      object: `${after.schema}.${after.name}`,
      remedy: "take the column out of `etl` and run pulumi up",
    });
  }
  const columns = planned.columns.map((column) => {
    const now = after.columns.find(({ number }) => number === column.number);
    return { ...column, ...presentValue(column, planned, before, after), ...(now ? { source: now.name, type: now.type } : {}) };
  });
  return { ...planned, columns, ...presentFilter(planned, before, after) };
}

function presentFilter(planned: PlannedTable, before: TableStructure | undefined, after: TableStructure) {
  const { filter } = planned;
  return filter ? { filter: { ...filter, columns: presentNames(filter.columns, planned, before, after) } } : {};
}

function presentValue(
  { value }: PlannedColumn,
  planned: PlannedTable,
  before: TableStructure | undefined,
  after: TableStructure,
): Pick<PlannedColumn, "value"> {
  return value ? { value: { ...value, columns: presentNames(value.columns, planned, before, after) } } : {};
}

/** No column is called so: one that is made later under the old name is another. */
const GONE = "";

/** The expression stays as it was written; its columns are known by their numbers. Those that do not move have theirs from the structure before. */
function presentNames(
  named: readonly PresentName[],
  { columns }: PlannedTable,
  before: TableStructure | undefined,
  after: TableStructure,
): PresentName[] {
  return named.map(({ name, source }) => {
    const was = before?.columns.find((column) => column.name === source)?.number;
    const number = columns.find((column) => column.source === source && !column.derived)?.number ?? was;
    const now = after.columns.find((column) => column.number === number);
    const isLost = !now && before?.columns.some((column) => column.number === number) === true;
    return { name, source: isLost ? GONE : (now?.name ?? source) };
  });
}

function catalogTable(table: TableStructure): CatalogTable {
  return {
    id: table.id,
    schema: table.schema,
    name: table.name,
    kind: table.partitioned ? "partitionedTable" : "table",
    columns: table.columns.map((column): CatalogColumn => ({ name: column.name, ...described(column) })),
    key: keyOf(table),
    replicaIdentity: ({ d: "default", n: "nothing", f: "full", i: "index" } as const)[table.identity],
    keyPublished: publishesKey(table),
    unlogged: table.unlogged,
    estimatedRows: 0,
    bytes: 0,
  };
}

function described(column: ColumnStructure): Omit<CatalogColumn, "name"> {
  return {
    number: column.number,
    type: column.type,
    nullable: !column.notNull,
    generated: column.generated !== "",
    identity: column.identity === "a" ? "always" : column.identity === "d" ? "byDefault" : undefined,
    binaryPortable: column.portable,
  };
}

function keyOf(table: TableStructure): CatalogKey {
  const names = (numbers: readonly number[]): string[] =>
    numbers.flatMap((number) => table.columns.find((column) => column.number === number)?.name ?? []);
  const index = table.identity === "i" ? table.indexes.find(({ identity }) => identity) : undefined;
  const primary = table.constraints.find(({ kind }) => kind === "p");
  if (index) return { source: primary?.index === index.name ? "primaryKey" : "uniqueIndex", columns: names(index.columns) };
  return primary ? { source: "primaryKey", columns: names(primary.columns) } : { source: "none", columns: [] };
}

/** Under `nothing`, and for a deferrable primary key under `default`, changes do not say which row they mean. */
function publishesKey(table: TableStructure): boolean {
  if (table.identity === "f" || table.identity === "i") return true;
  return table.identity === "d" && table.constraints.some(({ kind, deferrable }) => kind === "p" && !deferrable);
}
