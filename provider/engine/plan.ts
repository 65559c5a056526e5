import { ErrorCode, GodwitError } from "./errors.js";
import { checkEtl, type TableEtl, tableEtl } from "./etl.js";
import type { CatalogObject, CatalogTable, NeutralCatalog, QualifiedName } from "./models/catalog.js";
import type {
  ColumnValue,
  DdlOperations,
  DmlOperations,
  PlannedColumn,
  PlannedTable,
  SkippedObject,
  TableOptions,
} from "./models/plan.js";
import {
  displayName,
  type ResolvedSelection,
  resolveSelection,
  type SchemaSelection,
  type TableEntries,
  tableEntries,
} from "./selection.js";
import { resolveNames, type TargetNames } from "./targetNames.js";

export interface PlanOptions {
  /** Absent: every user schema. */
  readonly objects?: readonly SchemaSelection[];
  readonly operations?: { readonly dml?: readonly string[]; readonly ddl?: readonly string[] };
  readonly capitalization?: "source" | "lower" | "upper";
  readonly etl?: readonly TableEtl[];
}

/** The part of a plan that no database's dialect enters; a target's schema planner adds the steps. */
export interface ResolvedPlan {
  /** Tables with rows of their own: partitioned parents are not among them, their leaves are. */
  readonly tables: readonly PlannedTable[];
  readonly names: TargetNames;
  readonly selection: ResolvedSelection;
  readonly skipped: readonly SkippedObject[];
}

/**
 * Resolves what the user selected against what the source has. Pure.
 * Errors: GW1302 for a name the source does not have, GW1303 for two objects that would share a name on the target,
 * GW1304 for a selection that contradicts itself.
 */
export function resolvePlan(catalog: NeutralCatalog, options: PlanOptions = {}): ResolvedPlan {
  const selection = resolveSelection(catalog, options.objects);
  const names = resolveNames(catalog, options.objects, options.capitalization ?? "source");
  const entriesOf = tableEntries(catalog, options.objects);
  const etlOf = tableEtl(catalog, options.etl);
  const chosen = catalog.tables.filter(
    (table) => selection.pick({ kind: "table", schema: table.schema, name: table.name }) === "selected",
  );
  const objects = catalog.objects.filter((object) => object.kind !== "table" && selection.pick(object) === "selected");
  checkTargetNames([...chosen.map((table): CatalogObject => ({ ...table, kind: "table" })), ...objects], names);
  checkColumnNames(chosen, names);
  checkEtl(catalog, options.etl, { chosen, names, entriesOf });
  const selectedSchemas = options.objects && new Set(options.objects.map(({ schema }) => schema));
  return {
    tables: chosen
      .filter((table) => table.kind === "table")
      .map((table) => planTable(table, names, { ...entriesOf(table), etl: etlOf(table) }, options.operations)),
    names,
    selection,
    skipped: catalog.unsupported
      .filter(({ schema }) => !selectedSchemas || schema === undefined || selectedSchemas.has(schema))
      .map(({ kind, schema, name, reason }) => ({ kind, name: displayName({ schema: schema ?? "", name }), reason })),
  };
}

function planTable(
  table: CatalogTable,
  names: TargetNames,
  entries: TableEntries & { readonly etl: TableEtl | undefined },
  taskOperations: PlanOptions["operations"],
): PlannedTable {
  const excludedKey = table.key.columns.find((column) => names.excluded(table, column));
  if (excludedKey !== undefined) {
    throw new GodwitError(
      ErrorCode.SelectionUnusable,
      `excludeColumns names "${excludedKey}", which is part of the table's key`,
      {
        object: displayName(table),
        remedy: "keep the key's columns: without them a change does not say which row it means",
      },
    );
  }
  const columns = table.columns
    .filter((column) => !column.generated && !names.excluded(table, column.name))
    .map(
      ({ name, ...rest }): PlannedColumn => ({
        ...rest,
        source: name,
        target: names.column(table, name),
        ...columnValue(name, entries.etl),
      }),
    );
  const operations = [entries.own?.operations, ...entries.inherited.map((entry) => entry.operations), taskOperations];
  const dml = operations.find((listed) => listed?.dml)?.dml;
  const ddl = operations.find((listed) => listed?.ddl)?.ddl;
  return {
    id: table.id,
    source: { schema: table.schema, name: table.name },
    target: names.relation(table),
    columns,
    leftOut: table.columns.filter(({ name, generated }) => generated || names.excluded(table, name)).map(({ name }) => name),
    key: table.key,
    replicaIdentity: { was: table.replicaIdentity, needs: needsFullIdentity(table) ? "full" : "keep" },
    streamed: !table.unlogged,
    operations: dmlOperations(dml, ddl, displayName(table)),
    ddl: ddlOperations(ddl, displayName(table)),
    ...rowFilter(entries),
    ...tableOptions(entries),
    estimatedRows: table.estimatedRows,
    bytes: table.bytes,
  };
}

/** Without a key that the identity in force publishes, only the whole old row names the row a change means. */
function needsFullIdentity(table: CatalogTable): boolean {
  if (table.replicaIdentity === "full") return false;
  return table.key.source === "none" || table.replicaIdentity === "nothing" || table.keyPublished === false;
}

function dmlOperations(dml: readonly string[] | undefined, ddl: readonly string[] | undefined, object: string): DmlOperations {
  const unknown = dml?.find((operation) => !["insert", "update", "delete"].includes(operation));
  if (unknown !== undefined) {
    throw new GodwitError(ErrorCode.SelectionUnusable, `"${unknown}" is no row operation`, {
      object,
      remedy: "operations.dml takes insert, update and delete",
    });
  }
  const has = (operation: string): boolean => dml === undefined || dml.includes(operation);
  // TRUNCATE empties a table, so it goes with delete unless operations.ddl, where the contract lists it, says otherwise.
  return {
    insert: has("insert"),
    update: has("update"),
    delete: has("delete"),
    truncate: ddl ? ddl.includes("truncate") : has("delete"),
  };
}

const DDL_OPERATIONS = ["create", "alter", "drop", "rename", "index", "view", "routine"] as const;

export function ddlOperations(ddl: readonly string[] | undefined, object: string): DdlOperations {
  const known: readonly string[] = DDL_OPERATIONS;
  const unknown = ddl?.find((operation) => operation !== "truncate" && !known.includes(operation));
  if (unknown !== undefined) {
    throw new GodwitError(ErrorCode.SelectionUnusable, `"${unknown}" is no change of structure`, {
      object,
      remedy: `operations.ddl takes truncate, ${known.join(", ")}`,
    });
  }
  const has = (operation: (typeof DDL_OPERATIONS)[number]): boolean => ddl === undefined || ddl.includes(operation);
  return {
    create: has("create"),
    alter: has("alter"),
    drop: has("drop"),
    rename: has("rename"),
    index: has("index"),
    view: has("view"),
    routine: has("routine"),
  };
}

/** Unread: the source says which columns it names, and how it understands it. */
function rowFilter({ own, inherited, etl }: TableEntries & { readonly etl: TableEtl | undefined }): Pick<PlannedTable, "filter"> {
  const where = [own, ...inherited].find((entry) => entry?.where !== undefined)?.where;
  const drop = etl?.drop;
  if (drop === undefined)
    return where === undefined ? {} : { filter: { given: where, condition: bracketed(where), columns: [] } };
  // As every source understands it: Oracle knows no IS NOT TRUE.
  const stays = { given: `(${drop}) IS NOT TRUE`, condition: `(CASE WHEN ${bracketed(drop)} THEN 1 ELSE 0 END = 0)` };
  if (where === undefined) return { filter: { ...stays, drop, columns: [] } };
  return {
    filter: {
      given: `(${where}) AND ${stays.given}`,
      drop,
      condition: `(${bracketed(where)} AND ${stays.condition})`,
      columns: [],
    },
  };
}

/** Unread, as the condition for rows is. */
function columnValue(name: string, etl: TableEtl | undefined): { value?: ColumnValue } {
  const derived = etl?.derive?.find(({ column }) => column === name);
  if (derived) return { value: { given: { expression: derived.expression }, expression: "", columns: [] } };
  const masked = etl?.mask?.find(({ column }) => column === name);
  if (!masked) return {};
  const { column: _, ...given } = masked;
  return { value: { given, expression: "", columns: [] } };
}

/** The line break ends a comment that the condition may end in. */
export function bracketed(condition: string): string {
  return `(${condition}\n)`;
}

/** The table's own entry wins over its parents', option by option. */
function tableOptions({ own, inherited }: TableEntries): Pick<PlannedTable, "options"> {
  const options: TableOptions = Object.assign(
    {},
    ...[...inherited]
      .reverse()
      .concat(own ?? [])
      .map(optionsOf),
  );
  return Object.keys(options).length > 0 ? { options } : {};
}

function optionsOf(given: TableOptions): TableOptions {
  const { primaryKey, distributedBy, topic, partitions, replicationFactor, partitionKey } = given;
  return {
    ...(primaryKey ? { primaryKey } : {}),
    ...(distributedBy ? { distributedBy } : {}),
    ...(topic === undefined ? {} : { topic }),
    ...(partitions === undefined ? {} : { partitions }),
    ...(replicationFactor === undefined ? {} : { replicationFactor }),
    ...(partitionKey ? { partitionKey } : {}),
  };
}

/** Tables, views, sequences, indexes and types share one namespace per schema (a table is also a row type). */
const RELATION_KINDS: ReadonlySet<string> = new Set(["table", "view", "materializedView", "sequence", "index", "type", "domain"]);
const ROUTINE_KINDS: ReadonlySet<string> = new Set(["function", "procedure", "aggregate"]);

function checkTargetNames(objects: readonly CatalogObject[], names: TargetNames): void {
  const taken = new Map<string, QualifiedName>();
  for (const object of objects) {
    // A trigger's or a rule's name only has to be unique on its own relation.
    if (object.on && object.kind !== "index" && object.kind !== "statistics") continue;
    const space = RELATION_KINDS.has(object.kind) ? "relation" : ROUTINE_KINDS.has(object.kind) ? "routine" : object.kind;
    const target = names.relation(object);
    const key = JSON.stringify([space, target.schema, target.name, object.signature ?? ""]);
    const other = taken.get(key);
    if (other)
      throw conflict(
        `${displayName(other)} and ${displayName(object)} would both become ${displayName(target)}`,
        displayName(target),
      );
    taken.set(key, object);
  }
}

function checkColumnNames(tables: readonly CatalogTable[], names: TargetNames): void {
  if (!names.renames) return;
  for (const table of tables) {
    const taken = new Map<string, string>();
    for (const { name } of table.columns) {
      if (names.excluded(table, name)) continue;
      const target = names.column(table, name);
      const other = taken.get(target);
      if (other !== undefined)
        throw conflict(`columns "${other}" and "${name}" would both become "${target}"`, displayName(table));
      taken.set(target, name);
    }
  }
}

function conflict(message: string, object: string): GodwitError {
  return new GodwitError(ErrorCode.NameConflict, message, {
    object,
    remedy: "give one of them a `rename` of its own, or exclude it",
  });
}
