import { RedoTable, type RedoTableInputs } from "../redo/redoTable.js";

/**
 * The tables whose redo is read, by owner and name. Each keeps its place for good: that is how buffered redo names it, so that a change read
 * before a DDL statement and applied after it has the table's newest structure.
 */
export class RedoTables {
  private readonly tables: RedoTable[] = [];
  private readonly places = new Map<string, number>();
  private readonly byId = new Map<number, number>();

  constructor(inputs: readonly RedoTableInputs[]) {
    for (const table of inputs) this.set(table);
  }

  /**
   * The table's place, -1 for one that is not read. By its OBJECT_ID where the redo says it: the name that LogMiner shows is the one of now, which
   * a table that was renamed or dropped since had not when the redo was written ("BIN$...", "UNKNOWN"."OBJ# 4711").
   */
  place(owner: string, name: string, objectId?: number): number {
    const known = objectId === undefined ? undefined : this.byId.get(objectId);
    return known ?? this.places.get(key(owner, name)) ?? -1;
  }

  ids(): readonly number[] {
    return [...this.byId.keys()];
  }

  at(place: number): RedoTable {
    const table = this.tables[place];
    if (!table) throw new RangeError(`no table has place ${place}`);
    return table;
  }

  /** Adds a table, or gives the one of this id another structure or name. */
  set(inputs: RedoTableInputs): RedoTable {
    const table = new RedoTable(inputs);
    const place = this.byId.get(inputs.id) ?? this.tables.length;
    this.tables[place] = table;
    this.byId.set(inputs.id, place);
    // A former name stays known: redo from before the renaming carries it, as long as no other table has it.
    this.places.set(key(inputs.owner, inputs.name), place);
    return table;
  }

  /** What comes under this name from here on is another table's. Redo that is buffered keeps its place. */
  forget({ schema, name }: { readonly schema: string; readonly name: string }): void {
    this.places.delete(key(schema, name));
  }

  /** Owners and names by which redo may speak of them. */
  names(): { readonly owner: string; readonly name: string }[] {
    return [...this.places.keys()].map((known) => {
      const [owner = "", name = ""] = known.split("\u0000");
      return { owner, name };
    });
  }

  all(): readonly RedoTable[] {
    return this.tables;
  }
}

function key(owner: string, name: string): string {
  return `${owner}\u0000${name}`;
}
