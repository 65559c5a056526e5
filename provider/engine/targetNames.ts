import type { CatalogTable, NeutralCatalog, QualifiedName } from "./models/catalog.js";
import { nameKey, type SchemaSelection, type TableEntries, tableEntries } from "./selection.js";

/** What each source name is called on the target: explicit renames first, then the capitalization. */
export interface TargetNames {
  /** False when every name stays as it is. */
  readonly renames: boolean;
  schema(source: string): string;
  /** Tables may have a rename of their own; everything else only follows its schema. */
  relation(source: QualifiedName): QualifiedName;
  column(table: QualifiedName, source: string): string;
  excluded(table: QualifiedName, column: string): boolean;
  /** Whether any column of the relation has another name on the target, or is not there. */
  columnsDiffer(relation: QualifiedName): boolean;
}

export function resolveNames(
  catalog: NeutralCatalog,
  selections: readonly SchemaSelection[] | undefined,
  capitalization: "source" | "lower" | "upper",
): TargetNames {
  const spell = (name: string): string =>
    capitalization === "lower"
      ? name.toLowerCase()
      : capitalization === "upper"
        ? name.toUpperCase()
        : (catalog.naturalName?.(name) ?? name);
  const isTable = new Set(catalog.tables.map(nameKey));
  const entriesOf = tableEntries(catalog, selections);
  const schemas = new Map(catalog.schemas.map((schema) => [schema, spell(schema)]));
  const tableRenames = new Map<string, string>();
  for (const selection of selections ?? []) {
    if (selection.rename !== undefined) schemas.set(selection.schema, selection.rename);
    for (const table of selection.tables ?? []) {
      if (table.rename !== undefined) tableRenames.set(nameKey({ schema: selection.schema, name: table.name }), table.rename);
    }
  }
  const columnsOf = new Map<string, TableColumns>();
  for (const table of catalog.tables) {
    const columns = tableColumns(table, entriesOf(table), spell);
    if (columns.differ) columnsOf.set(nameKey(table), columns);
  }
  const schema = (source: string): string => schemas.get(source) ?? source;
  return {
    renames:
      columnsOf.size > 0 ||
      catalog.schemas.some((name) => schema(name) !== name) ||
      tableRenames.size > 0 ||
      catalog.tables.some(({ name }) => spell(name) !== name),
    schema,
    relation(source) {
      const key = nameKey(source);
      return {
        schema: schema(source.schema),
        name: tableRenames.get(key) ?? (isTable.has(key) ? spell(source.name) : source.name),
      };
    },
    column: (table, source) => columnsOf.get(nameKey(table))?.targets.get(source) ?? source,
    excluded: (table, column) => columnsOf.get(nameKey(table))?.excluded.has(column) ?? false,
    columnsDiffer: (relation) => columnsOf.has(nameKey(relation)),
  };
}

interface TableColumns {
  readonly targets: ReadonlyMap<string, string>;
  readonly excluded: ReadonlySet<string>;
  readonly differ: boolean;
}

/** A partition or an inheritance child must call a column what its parent calls it, so a parent's entry speaks for both. */
function tableColumns(table: CatalogTable, { own, inherited }: TableEntries, spell: (name: string) => string): TableColumns {
  const targets = new Map<string, string>();
  const excluded = new Set<string>();
  for (const { name } of table.columns) if (spell(name) !== name) targets.set(name, spell(name));
  for (const entry of [...(own ? [own] : []), ...inherited]) {
    for (const { name, rename } of entry.columns ?? []) if (rename !== undefined) targets.set(name, rename);
    for (const name of entry.excludeColumns ?? []) excluded.add(name);
  }
  return { targets, excluded, differ: targets.size > 0 || excluded.size > 0 };
}
