import type { QualifiedName } from "../../../../engine/models/catalog.js";
import { nameKey, type SchemaSelection, type TableSelection } from "../../../../engine/selection.js";
import type { TargetNames } from "../../../../engine/targetNames.js";

export interface NamingRules {
  /** As in the program; undefined: every schema of the user's. */
  readonly objects?: readonly SchemaSelection[];
  readonly capitalization?: "source" | "lower" | "upper";
}

/** A table's names on the target, column by column; left out are columns that are not there. */
export interface FollowedTable {
  readonly target: QualifiedName;
  readonly columns: ReadonlyMap<string, string>;
  readonly excluded: ReadonlySet<string>;
}

/**
 * What source names are called on the target while the source's objects come, go and change their names: the rules of
 * `engine/targetNames.ts` for objects that the plan did not know.
 */
export class FollowedNames implements TargetNames {
  /** By the program; a change that is not carried over makes names differ as well. */
  private readonly given: boolean;
  private readonly tables = new Map<string, FollowedTable>();

  constructor(private readonly rules: NamingRules) {
    const { objects = [], capitalization = "source" } = rules;
    this.given =
      capitalization !== "source" ||
      objects.some(
        ({ rename, tables }) =>
          rename !== undefined ||
          tables?.some(
            (table) =>
              table.rename !== undefined || table.excludeColumns?.length || table.columns?.some((c) => c.rename !== undefined),
          ),
      );
  }

  get renames(): boolean {
    if (this.given) return true;
    for (const [key, { target }] of this.tables) if (key !== nameKey(target) || this.columnsDifferOf(key)) return true;
    return false;
  }

  set(source: QualifiedName, table: FollowedTable): void {
    this.tables.set(nameKey(source), table);
  }

  forget(source: QualifiedName): void {
    this.tables.delete(nameKey(source));
  }

  get known(): QualifiedName[] {
    return [...this.tables.keys()].map((key) => {
      const [schema = "", name = ""] = JSON.parse(key) as string[];
      return { schema, name };
    });
  }

  /** The program's entry for a table, else for what it is a partition of. */
  entry(
    source: QualifiedName,
    parents: readonly QualifiedName[] = [],
  ): { readonly own: boolean; readonly table: TableSelection } | undefined {
    for (const [at, place] of [source, ...parents].entries()) {
      const table = this.schemaEntry(place.schema)?.tables?.find(({ name }) => name === place.name);
      if (table) return { own: at === 0, table };
    }
    return undefined;
  }

  spell(name: string): string {
    const { capitalization } = this.rules;
    return capitalization === "lower" ? name.toLowerCase() : capitalization === "upper" ? name.toUpperCase() : name;
  }

  schema(source: string): string {
    return this.schemaEntry(source)?.rename ?? this.spell(source);
  }

  /** Of a table that is not followed yet. */
  newTable(source: QualifiedName): QualifiedName {
    return { schema: this.schema(source.schema), name: this.entry(source)?.table.rename ?? this.spell(source.name) };
  }

  relation(source: QualifiedName): QualifiedName {
    return this.tables.get(nameKey(source))?.target ?? { schema: this.schema(source.schema), name: source.name };
  }

  column(table: QualifiedName, source: string): string {
    return this.tables.get(nameKey(table))?.columns.get(source) ?? source;
  }

  excluded(table: QualifiedName, column: string): boolean {
    return this.tables.get(nameKey(table))?.excluded.has(column) ?? false;
  }

  columnsDiffer(relation: QualifiedName): boolean {
    return this.columnsDifferOf(nameKey(relation));
  }

  private columnsDifferOf(key: string): boolean {
    const table = this.tables.get(key);
    return table !== undefined && (table.excluded.size > 0 || [...table.columns].some(([source, target]) => source !== target));
  }

  /** Whether the selection takes an object that is new; a table's partitions go where it goes. */
  selects(kind: string, source: QualifiedName, parents: readonly QualifiedName[] = []): boolean {
    if (!this.rules.objects) return true;
    const entry = this.schemaEntry(source.schema);
    if (kind === "schema") return entry !== undefined;
    if (entry?.exclude?.includes(source.name)) return false;
    if (kind !== "table") return entry !== undefined && !entry.tables && (!entry.kinds || entry.kinds.includes(kind));
    const takes = ({ schema, name }: QualifiedName): boolean => {
      const selection = this.schemaEntry(schema);
      if (!selection || selection.exclude?.includes(name)) return false;
      if (selection.tables) return selection.tables.some((table) => table.name === name);
      return !selection.kinds || selection.kinds.includes("table");
    };
    return [source, ...parents].some(takes);
  }

  private schemaEntry(schema: string): SchemaSelection | undefined {
    return this.rules.objects?.find((entry) => entry.schema === schema);
  }
}
