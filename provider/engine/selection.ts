import { ErrorCode, GodwitError } from "./errors.js";
import type { CatalogObject, CatalogTable, NeutralCatalog, ObjectKind, QualifiedName } from "./models/catalog.js";
import type { TableOptions } from "./models/plan.js";

/** The contract's `objects`, `operations` and `capitalization`, as a program writes them. */
export interface SchemaSelection {
  readonly schema: string;
  readonly rename?: string;
  /** Object kinds to move; absent: all. */
  readonly kinds?: readonly string[];
  /** Absent: every table of the schema. */
  readonly tables?: readonly TableSelection[];
  /** Names of objects of the schema to leave behind, whatever their kind. */
  readonly exclude?: readonly string[];
}

export interface TableSelection extends TableOptions {
  readonly name: string;
  readonly rename?: string;
  readonly columns?: readonly { readonly name: string; readonly rename?: string }[];
  readonly excludeColumns?: readonly string[];
  /** A condition in the source's SQL. */
  readonly where?: string;
  readonly operations?: { readonly dml?: readonly string[]; readonly ddl?: readonly string[] };
}

/**
 * - `selected`: moves.
 * - `ifNeeded`: moves when something selected cannot be made without it (the type of a column, the function of a default).
 * - `excluded`: never moves; what depends on it stays behind with a reason.
 */
export type Picked = "selected" | "ifNeeded" | "excluded";

export interface ResolvedSelection {
  pick(object: CatalogObject): Picked;
}

/** Kinds that hold no rows and show none: they may follow what needs them out of a schema that was not selected. */
const FOLLOWS_NEED: ReadonlySet<ObjectKind> = new Set<ObjectKind>([
  "schema",
  "extension",
  "type",
  "domain",
  "sequence",
  "function",
  "procedure",
  "aggregate",
  "operator",
  "operatorFamily",
  "operatorClass",
  "collation",
  "cast",
  "package",
]);

/** Kinds that are part of their table: they go where it goes. */
const PART_OF_TABLE: ReadonlySet<ObjectKind> = new Set<ObjectKind>([
  "index",
  "constraint",
  "foreignKey",
  "statistics",
  "comment",
]);

/**
 * Turns the user's selection into an answer for every object of the catalog.
 * Errors: GW1302 for a name that the source does not have, GW1304 for one given twice.
 */
export function resolveSelection(catalog: NeutralCatalog, selections: readonly SchemaSelection[] | undefined): ResolvedSelection {
  if (!selections) return { pick: () => "selected" };
  const tables = new Map(catalog.tables.map((table) => [nameKey(table), table]));
  const bySchema = new Map<string, SchemaSelection>();
  for (const selection of selections) {
    checkNames(catalog, selection, tables);
    if (bySchema.has(selection.schema)) {
      throw new GodwitError(ErrorCode.SelectionUnusable, `the selection lists schema "${selection.schema}" twice`, {
        object: selection.schema,
        remedy: "put everything about one schema into one entry of `objects`",
      });
    }
    bySchema.set(selection.schema, selection);
  }
  const chosen = chosenTables(catalog, bySchema);
  const views = new Map(
    catalog.objects.filter(({ kind }) => kind === "view" || kind === "materializedView").map((view) => [nameKey(view), view]),
  );
  const needed = (kind: ObjectKind): Picked => (FOLLOWS_NEED.has(kind) ? "ifNeeded" : "excluded");
  const resolved: ResolvedSelection = {
    pick(object) {
      if (object.kind === "schema") return bySchema.has(object.name) ? "selected" : "ifNeeded";
      const selection = bySchema.get(object.schema);
      if (selection?.exclude?.includes(object.name)) return "excluded";
      if (object.kind === "table") return chosen.has(nameKey(object)) ? "selected" : "excluded";
      if (object.on) {
        const view = views.get(nameKey(object.on));
        if (view ? resolved.pick(view) !== "selected" : !chosen.has(nameKey(object.on))) return "excluded";
      }
      if (PART_OF_TABLE.has(object.kind)) return "selected";
      if (!selection) return needed(object.kind);
      if (selection.kinds) return namesKind(selection.kinds, object.kind) ? "selected" : needed(object.kind);
      return selection.tables ? needed(object.kind) : "selected";
    },
  };
  return resolved;
}

export function nameKey(object: QualifiedName): string {
  return JSON.stringify([object.schema, object.name]);
}

export function displayName(object: QualifiedName): string {
  return object.schema === "" ? object.name : `${object.schema}.${object.name}`;
}

/** The entries that speak for a table: its own, then those of its parents, nearest first. */
export interface TableEntries {
  readonly own: TableSelection | undefined;
  readonly inherited: readonly TableSelection[];
}

export function tableEntries(
  catalog: NeutralCatalog,
  selections: readonly SchemaSelection[] | undefined,
): (table: CatalogTable) => TableEntries {
  const tables = new Map(catalog.tables.map((table) => [nameKey(table), table]));
  const listed = new Map<string, TableSelection>();
  for (const { schema, tables: entries } of selections ?? []) {
    for (const entry of entries ?? []) listed.set(nameKey({ schema, name: entry.name }), entry);
  }
  return (table) => ({
    own: listed.get(nameKey(table)),
    inherited: ancestors(tables, table).flatMap((parent) => listed.get(nameKey(parent)) ?? []),
  });
}

/** What the table is a partition or an inheritance child of, nearest first. */
export function ancestors(tables: ReadonlyMap<string, CatalogTable>, table: CatalogTable): QualifiedName[] {
  const found: QualifiedName[] = [];
  const pending = [...(table.parents ?? [])];
  for (let parent = pending.shift(); parent; parent = pending.shift()) {
    found.push(parent);
    pending.push(...(tables.get(nameKey(parent))?.parents ?? []));
  }
  return found;
}

/** Kinds that a user would not list apart: `view` means materialized views, too. */
const COVERED_BY: Partial<Record<ObjectKind, string>> = {
  materializedView: "view",
  operatorFamily: "operator",
  operatorClass: "operator",
};

function namesKind(kinds: readonly string[], kind: ObjectKind): boolean {
  return kinds.includes(kind) || kinds.includes(COVERED_BY[kind] ?? kind);
}

/** Listed tables and, since a partitioned parent has no rows of its own, every partition below a listed one. */
function chosenTables(catalog: NeutralCatalog, bySchema: ReadonlyMap<string, SchemaSelection>): ReadonlySet<string> {
  const chosen = new Set<string>();
  const excluded = (table: QualifiedName): boolean => bySchema.get(table.schema)?.exclude?.includes(table.name) === true;
  const listed = new Set(
    [...bySchema.values()].flatMap(({ schema, tables }) => (tables ?? []).map(({ name }) => nameKey({ schema, name }))),
  );
  for (const table of catalog.tables) {
    const selection = bySchema.get(table.schema);
    if (!selection || excluded(table)) continue;
    if (selection.tables) {
      if (listed.has(nameKey(table))) chosen.add(nameKey(table));
    } else if (!selection.kinds || selection.kinds.includes("table")) chosen.add(nameKey(table));
  }
  for (let grew = true; grew; ) {
    grew = false;
    for (const table of catalog.tables) {
      if (!table.isPartition || chosen.has(nameKey(table)) || excluded(table)) continue;
      if (table.parents?.some((parent) => chosen.has(nameKey(parent)))) {
        chosen.add(nameKey(table));
        grew = true;
      }
    }
  }
  return chosen;
}

function checkNames(catalog: NeutralCatalog, selection: SchemaSelection, tables: ReadonlyMap<string, CatalogTable>): void {
  const missing = (what: string, object: string): GodwitError =>
    new GodwitError(ErrorCode.ObjectMissing, `the selection names ${what}, which the source does not have`, {
      object,
      remedy: "check the spelling (names are case-sensitive, without quotes) or take it out of `objects`",
    });
  const { schema } = selection;
  if (!catalog.schemas.includes(schema)) throw missing(`schema "${schema}"`, schema);
  const seen = new Set<string>();
  for (const listed of selection.tables ?? []) {
    const table = tables.get(nameKey({ schema, name: listed.name }));
    const object = `${schema}.${listed.name}`;
    if (!table) throw missing(`table "${listed.name}" in schema "${schema}"`, object);
    if (seen.has(listed.name)) {
      throw new GodwitError(ErrorCode.SelectionUnusable, `the selection lists table "${listed.name}" twice`, {
        object,
        remedy: "put everything about one table into one entry",
      });
    }
    seen.add(listed.name);
    const { columns = [], excludeColumns = [], primaryKey = [], distributedBy = [], partitionKey = [] } = listed;
    for (const column of [
      ...columns.map(({ name }) => name),
      ...excludeColumns,
      ...primaryKey,
      ...distributedBy,
      ...partitionKey,
    ]) {
      if (!table.columns.some(({ name }) => name === column))
        throw missing(`column "${column}" of table "${listed.name}"`, object);
    }
  }
  for (const name of selection.exclude ?? []) {
    const known =
      tables.has(nameKey({ schema, name })) ||
      catalog.objects.some((object) => object.schema === schema && object.name === name) ||
      catalog.unsupported.some((object) => object.schema === schema && object.name === name);
    if (!known) throw missing(`"${name}" under \`exclude\` of schema "${schema}"`, `${schema}.${name}`);
  }
}
