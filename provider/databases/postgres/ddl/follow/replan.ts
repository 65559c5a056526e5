import { ErrorCode, GodwitError } from "../../../../engine/errors.js";
import type { CatalogColumn, CatalogKey, CatalogTable, QualifiedName } from "../../../../engine/models/catalog.js";
import type { PlannedColumn, PlannedTable, RowFilter } from "../../../../engine/models/plan.js";
import { type PlanOptions, resolvePlan } from "../../../../engine/plan.js";
import type { ColumnStructure, TableStructure } from "../structure.js";
import type { FollowedNames } from "./followedNames.js";

/**
 * A table that was just made, planned by the program's rules as if it had been there at the start.
 * Undefined for a partitioned table, which has no rows of its own. Pure. Errors: GW1502 for one whose rows are filtered.
 */
export function planNewTable(table: TableStructure, options: PlanOptions, names: FollowedNames): PlannedTable | undefined {
  const entry = names.entry(table, table.parents);
  const selection = options.objects?.find(({ schema }) => schema === table.schema);
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
  if (planned?.filter) {
    if (selection?.exclude?.includes(table.name)) return undefined;
    // Its changes do not carry the whole old row, which says whether a row was among those that move.
    throw new GodwitError(ErrorCode.StructureChanged, "a partition was made of a table whose rows `where` filters", {
      object: `${table.schema}.${table.name}`,
      remedy: "name the partition under `exclude` of its schema and run pulumi up; give it a task of its own",
    });
  }
  return planned;
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
    return target === undefined ? [] : [{ ...described(column), source: column.name, target }];
  });
  const kept = new Set(columns.map(({ source }) => source));
  const { joined: _, ...rest } = planned;
  return {
    ...rest,
    // Of no table: what it is like from here on only the stream tells.
    ...(planned.shape === undefined ? {} : { shape: "" }),
    source: { schema: after.schema, name: after.name },
    target: rules.target,
    columns,
    leftOut: after.columns.map(({ name }) => name).filter((name) => !kept.has(name)),
    key: keyOf(after),
    replicaIdentity: { was: planned.replicaIdentity.was, needs: publishesKey(after) && !planned.filter ? "keep" : "full" },
    streamed: !after.unlogged,
    ...(planned.filter ? { filter: withPresentNames(planned.filter, before, after) } : {}),
  };
}

/** The condition stays as it was written; its columns are known by their numbers. */
export function withPresentNames(filter: RowFilter, before: TableStructure | undefined, after: TableStructure): RowFilter {
  const columns = filter.columns.map(({ name, source }) => {
    const number = before?.columns.find((column) => column.name === source)?.number;
    const now = after.columns.find((column) => column.number === number);
    return { name, source: now?.name ?? source };
  });
  return { ...filter, columns };
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
