import type { Declarations } from "./declarations.js";
import type { EmulatedTransaction } from "./emulatedTransaction.js";
import type { EmulatedTable, OracleEmulator } from "./emulator.js";
import type { TextRow } from "./redoText.js";

/** A key, no key, LOBs: what changes mean rows by. */
export const BUSY: Declarations = {
  tables: [
    {
      owner: "BUSY",
      name: "ORDERS",
      columns: [
        { name: "ID", type: "NUMBER(18,0)", notNull: true },
        { name: "NOTE", type: "VARCHAR2(4000 CHAR)" },
        { name: "AMOUNT", type: "NUMBER" },
        { name: "CREATED", type: "DATE" },
        { name: "CHANGED", type: "TIMESTAMP(6)" },
        { name: "TOKEN", type: "RAW(100)" },
      ],
      primaryKey: ["ID"],
    },
    {
      owner: "BUSY",
      name: "EVENTS",
      columns: [
        { name: "WHAT", type: "VARCHAR2(40 CHAR)" },
        { name: "HOW MUCH", type: "NUMBER(9,2)" },
      ],
    },
    {
      owner: "BUSY",
      name: "PAPERS",
      columns: [
        { name: "ID", type: "NUMBER(9,0)", notNull: true },
        { name: "TITLE", type: "NVARCHAR2(60)" },
        { name: "BODY", type: "CLOB" },
      ],
      primaryKey: ["ID"],
    },
  ],
};

export type Random = () => number;

/** Writes of many sessions at once, made up at random. Counts what it wrote. */
export class BusyShop {
  changes = 0;
  rollbacksToSavepoint = 0;
  sharedScns = 0;
  private readonly rowIds = new Map<string, string[]>();
  private readonly open: { readonly transaction: EmulatedTransaction; savepoint: number }[] = [];
  private nextId = 1;

  constructor(
    private readonly emulator: OracleEmulator,
    private readonly tables: readonly EmulatedTable[],
    private readonly random: Random,
  ) {
    for (const { name } of tables) this.rowIds.set(name, []);
  }

  /** Plays until so many more rows were changed; transactions may stay open. */
  play(changes: number): void {
    const goal = this.changes + changes;
    while (this.changes < goal) {
      const chance = this.random();
      const at = Math.floor(this.random() * this.open.length);
      const one = this.open[at];
      if (!one || (chance < 0.05 && this.open.length < 12)) this.open.push({ transaction: this.emulator.begin(), savepoint: 0 });
      else if (chance < 0.88) this.change(one.transaction);
      else if (chance < 0.91) one.savepoint = one.transaction.savepoint();
      else if (chance < 0.94) {
        this.rollbacksToSavepoint++;
        one.transaction.rollbackTo(Math.min(one.savepoint, one.transaction.savepoint()));
      } else if (chance < 0.985) this.end([at]);
      else if (chance < 0.993) this.end([at, (at + 1) % this.open.length]);
      else if (chance < 0.998) {
        one.transaction.rollback();
        this.open.splice(at, 1);
      } else this.emulator.switchLog();
    }
  }

  /** Commits whatever is open. */
  finish(): void {
    for (const { transaction } of this.open.splice(0)) transaction.commit();
  }

  private end(places: readonly number[]): void {
    const ending = [...new Set(places)].flatMap((place) => this.open[place] ?? []);
    for (const each of ending) this.open.splice(this.open.indexOf(each), 1);
    if (ending.length > 1) this.sharedScns++;
    this.emulator.commitTogether(...ending.map(({ transaction }) => transaction));
  }

  private change(transaction: EmulatedTransaction): void {
    const table = this.tables[Math.floor(this.random() * this.tables.length)];
    if (!table) return;
    this.changes++;
    const rowIds = this.rowIds.get(table.name) ?? [];
    const rowId = rowIds[Math.floor(this.random() * rowIds.length)];
    const free = rowId !== undefined && this.emulator.rows.has(rowId) && !this.emulator.isLocked(rowId, transaction);
    const chance = this.random();
    if (!free || chance < 0.35) rowIds.push(transaction.insert(table, this.values(table)));
    else if (chance < 0.5) transaction.delete(rowId);
    else if (table.name === "PAPERS" && chance < 0.6) transaction.writeLob(rowId, "BODY", 0, "overwritten");
    else {
      const { ID: _id, ...others } = this.values(table);
      transaction.update(rowId, this.random() < 0.05 && table.name !== "EVENTS" ? { ...others, ID: `${this.nextId++}` } : others);
    }
  }

  private values(table: EmulatedTable): TextRow {
    const number = Math.floor(this.random() * 1e6);
    const two = (limit: number) => String(1 + Math.floor(this.random() * limit)).padStart(2, "0");
    const date = `20${two(40)}-${two(12)}-${two(28)} ${two(23)}:${two(59)}:${two(59)}`;
    switch (table.name) {
      case "ORDERS":
        return {
          ID: `${this.nextId++}`,
          NOTE: number % 7 === 0 ? null : `it's "${number}", 漢字 \\ where a = ${two(99)}`,
          AMOUNT: number % 5 === 0 ? `-${number}.25` : `${number}000000000000000000001`,
          CREATED: date,
          CHANGED: `${date}.${String(number).padStart(6, "0")}`,
          TOKEN: `\\x00${String(number).padStart(6, "0")}ff`,
        };
      case "EVENTS":
        return { WHAT: `what ${number % 9}`, "HOW MUCH": `${number % 4}.50` };
      default:
        return { ID: `${this.nextId++}`, TITLE: `Ü${number}`, BODY: `body ${number} `.repeat(1 + (number % 300)) };
    }
  }
}
