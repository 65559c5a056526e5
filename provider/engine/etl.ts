import { ErrorCode, GodwitError } from "./errors.js";
import type { CatalogTable, NeutralCatalog } from "./models/catalog.js";
import { ancestors, displayName, nameKey, type SchemaSelection, type TableEntries, tableEntries } from "./selection.js";
import { suggestion } from "./suggestion.js";
import type { TargetNames } from "./targetNames.js";

/** An entry of the contract's `etl`, as a program writes it. */
export interface TableEtl {
  readonly schema: string;
  readonly table: string;
  readonly derive?: readonly DerivedColumn[];
  /** A condition in the source's SQL. */
  readonly drop?: string;
  readonly mask?: readonly MaskedColumn[];
}

export interface DerivedColumn {
  readonly column: string;
  readonly expression: string;
  /** Of a column that the table does not have. */
  readonly type?: string;
}

export interface MaskedColumn {
  readonly column: string;
  readonly method: "keep" | "constant" | "null" | "md5" | "sha256";
  readonly keepFirst?: number;
  readonly keepLast?: number;
  readonly replaceWith?: string;
  readonly value?: string;
}

/** The entry that speaks for a table: its own, else that of the nearest table that it is a partition or an inheritance child of. */
export function tableEtl(
  catalog: NeutralCatalog,
  entries: readonly TableEtl[] | undefined,
): (table: CatalogTable) => TableEtl | undefined {
  if (!entries) return () => undefined;
  const tables = new Map(catalog.tables.map((table) => [nameKey(table), table]));
  const listed = new Map(entries.map((entry) => [nameKey({ schema: entry.schema, name: entry.table }), entry]));
  return (table) => {
    const spoken = [table, ...ancestors(tables, table)].find((each) => listed.has(nameKey(each)));
    return spoken && listed.get(nameKey(spoken));
  };
}

/** Numbers of the tables whose rows `etl` or `where` speaks of; absent: there are none. Pure. */
export function ruledTables(
  catalog: NeutralCatalog,
  { etl, objects }: { readonly etl?: readonly TableEtl[]; readonly objects?: readonly SchemaSelection[] },
): { readonly ruled?: readonly number[] } {
  const etlOf = tableEtl(catalog, etl);
  const entriesOf = tableEntries(catalog, objects);
  const ruled = catalog.tables.filter((table) => {
    const { own, inherited } = entriesOf(table);
    return etlOf(table) !== undefined || [own, ...inherited].some((entry) => entry?.where !== undefined);
  });
  return ruled.length > 0 ? { ruled: ruled.map(({ id }) => id) } : {};
}

export interface EtlContext {
  /** Tables that move, partitioned ones among them. */
  readonly chosen: readonly CatalogTable[];
  readonly names: TargetNames;
  readonly entriesOf: (table: CatalogTable) => TableEntries;
}

/**
 * Whether the entries fit the tables that move. New columns are in the catalog by now, unless they lack a type. Pure.
 * Errors: GW1302 for a table or column that the source does not have, GW1304 for what can't be derived or masked.
 */
export function checkEtl(catalog: NeutralCatalog, entries: readonly TableEtl[] | undefined, context: EtlContext): void {
  const moving = new Set(context.chosen.map(nameKey));
  for (const entry of entries ?? []) {
    const name = { schema: entry.schema, name: entry.table };
    const table = catalog.tables.find((each) => nameKey(each) === nameKey(name));
    if (!table) throw tableMissing(catalog, entry);
    if (!moving.has(nameKey(name))) {
      throw unusable(table, "`etl` names a table that does not move", "take it into `objects`, or out of `etl`");
    }
  }
  const etlOf = tableEtl(catalog, entries);
  for (const table of context.chosen) {
    const etl = etlOf(table);
    if (etl) checkColumns(table, etl, context);
  }
}

function checkColumns(table: CatalogTable, etl: TableEtl, { names, entriesOf }: EtlContext): void {
  const isOwn = etl.schema === table.schema && etl.table === table.name;
  const keys = keyColumns(table, entriesOf(table));
  for (const { column, type } of etl.derive ?? []) {
    const found = table.columns.find(({ name }) => name === column);
    if (!found) {
      const near = nearest(column, table);
      throw unusable(
        table,
        `\`etl\` derives column "${column}", which the table does not have, and gives it no type`,
        `${near}a new column needs \`type\``,
      );
    }
    if (found.derived && table.isPartition && isOwn) {
      throw unusable(
        table,
        `\`etl\` gives a partition the new column "${column}"`,
        "derive it for the partitioned table: partitions have the columns of what they are partitions of",
      );
    }
    if (!found.derived && type !== undefined) {
      throw unusable(
        table,
        `\`etl\` gives column "${column}" a type, and the table has it already`,
        "leave `type` out: the values are cast to the column's own; or derive a column of another name",
      );
    }
  }
  const given = [...(etl.derive ?? []), ...(etl.mask ?? [])].map(({ column }) => column);
  for (const name of given) {
    const column = table.columns.find((each) => each.name === name);
    if (!column) {
      throw new GodwitError(ErrorCode.ObjectMissing, `\`etl\` masks column "${name}", which the source does not have`, {
        object: displayName(table),
        remedy: `${nearest(name, table)}check the spelling (names are case-sensitive, without quotes)`,
      });
    }
    const problem = keys.get(name) ?? (column.generated ? "is generated: the target computes it" : undefined);
    if (problem) throw unusable(table, `column "${name}" can't be derived or masked, it ${problem}`, "take it out of `etl`");
    if (names.excluded(table, name)) {
      throw unusable(table, `\`etl\` names column "${name}", which excludeColumns leaves out`, "take it out of one of the two");
    }
  }
}

/** Columns that say which row a change means, or where it goes: with other values it would be another row. */
function keyColumns(table: CatalogTable, { own, inherited }: TableEntries): ReadonlyMap<string, string> {
  const keys = new Map<string, string>();
  for (const entry of [own, ...inherited]) {
    for (const name of entry?.partitionKey ?? []) keys.set(name, "chooses the partition of the records (partitionKey)");
    for (const name of entry?.distributedBy ?? []) keys.set(name, "distributes the rows (distributedBy)");
    for (const name of entry?.primaryKey ?? []) keys.set(name, "is part of the primary key");
  }
  for (const name of table.key.columns) keys.set(name, "is part of the table's key");
  return keys;
}

function tableMissing(catalog: NeutralCatalog, { schema, table }: TableEtl): GodwitError {
  const near = suggestion(
    displayName({ schema, name: table }),
    catalog.tables.map((each) => displayName(each)),
  );
  return new GodwitError(ErrorCode.ObjectMissing, "`etl` names a table that the source does not have", {
    object: displayName({ schema, name: table }),
    remedy: `${near === undefined ? "" : `did you mean ${near}? `}check the spelling (names are case-sensitive, without quotes)`,
  });
}

function nearest(name: string, table: CatalogTable): string {
  const near = suggestion(
    name,
    table.columns.map((column) => column.name),
  );
  return near === undefined ? "" : `did you mean "${near}"? `;
}

function unusable(table: CatalogTable, message: string, remedy: string): GodwitError {
  return new GodwitError(ErrorCode.SelectionUnusable, message, { object: displayName(table), remedy });
}
