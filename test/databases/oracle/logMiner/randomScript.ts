import type { EmulatedTransaction } from "../../../support/oracle/emulatedTransaction.js";
import type { EmulatedTable, OracleEmulator } from "../../../support/oracle/emulator.js";
import type { TextRow } from "../../../support/oracle/redoText.js";

export const ORDERS: EmulatedTable = {
  id: 1,
  owner: "SHOP",
  name: "ORDERS",
  fullIdentity: false,
  logged: "key",
  columns: [
    { name: "ID", kind: "number", partOfKey: true },
    { name: "NOTE", kind: "text", partOfKey: false },
    { name: "NATIONAL", kind: "text", partOfKey: false, national: true },
    { name: "AMOUNT", kind: "number", partOfKey: false },
    { name: "CREATED", kind: "date", partOfKey: false },
    { name: "CHANGED", kind: "timestamp", partOfKey: false },
    { name: "TOKEN", kind: "bytes", partOfKey: false },
  ],
};

/** No key: rows are known by all their values. */
export const EVENTS: EmulatedTable = {
  id: 2,
  owner: "SHOP",
  name: "EVENTS",
  fullIdentity: true,
  logged: "all",
  columns: [
    { name: "WHAT", kind: "text", partOfKey: false },
    { name: "HOW MUCH", kind: "number", partOfKey: false },
  ],
};

export const PAPERS: EmulatedTable = {
  id: 3,
  owner: "SHOP",
  name: "PAPERS",
  fullIdentity: false,
  logged: "key",
  columns: [
    { name: "ID", kind: "number", partOfKey: true },
    { name: "TITLE", kind: "text", partOfKey: false },
    { name: "BODY", kind: "clob", partOfKey: false },
    { name: "SCAN", kind: "blob", partOfKey: false },
  ],
};

export const TABLES = [ORDERS, EVENTS, PAPERS] as const;

export type Random = () => number;

/** Numbers from 0 to 1, the same for the same seed. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export interface ScriptOptions {
  readonly steps: number;
  readonly threads: number;
  /** Open at the same time, at most. */
  readonly atOnce: number;
}

/**
 * Plays a random history: interleaved transactions on three tables with changes of keys, LOBs in and out of line and changed in place, rollbacks to
 * savepoints and of whole transactions, commits that share an SCN, and log switches. Returns the transactions that are left open.
 */
export function playRandom(
  emulator: OracleEmulator,
  random: Random,
  { steps, threads, atOnce }: ScriptOptions,
): EmulatedTransaction[] {
  const open: { transaction: EmulatedTransaction; savepoint: number }[] = [];
  const below = (count: number) => Math.floor(random() * count);
  for (let step = 0; step < steps; step++) {
    const chance = random();
    if (open.length === 0 || (chance < 0.08 && open.length < atOnce)) {
      open.push({ transaction: emulator.begin(1 + below(threads)), savepoint: 0 });
      continue;
    }
    const index = below(open.length);
    const one = open[index];
    if (!one) continue;
    if (chance < 0.7) change(emulator, one.transaction, random);
    else if (chance < 0.76) one.savepoint = one.transaction.savepoint();
    else if (chance < 0.82) one.transaction.rollbackTo(Math.min(one.savepoint, one.transaction.savepoint()));
    else if (chance < 0.92) {
      open.splice(index, 1);
      one.transaction.commit();
    } else if (chance < 0.95) {
      const [other] = open.splice((index + 1) % open.length, 1);
      const at = open.indexOf(one);
      if (at >= 0) open.splice(at, 1);
      emulator.commitTogether(...new Set([one.transaction, other?.transaction ?? one.transaction]));
    } else if (chance < 0.97) {
      open.splice(index, 1);
      one.transaction.rollback();
    } else if (chance < 0.985) emulator.switchLog(1 + below(threads));
    else emulator.tick(1 + below(20));
  }
  return open.map(({ transaction }) => transaction);
}

let nextId = 1;

function change(emulator: OracleEmulator, transaction: EmulatedTransaction, random: Random): void {
  const table = TABLES[Math.floor(random() * TABLES.length)] ?? ORDERS;
  const free = transaction.free(table);
  const rowId = free[Math.floor(random() * free.length)];
  const chance = random();
  if (rowId === undefined || chance < 0.4) transaction.insert(table, values(table, random));
  else if (chance < 0.55) transaction.delete(rowId);
  else if (table.id === PAPERS.id && chance < 0.7) inPlace(emulator, transaction, rowId, random);
  else {
    const all = values(table, random);
    const kept = Object.entries(all).filter(([name]) => (name === "ID" ? random() < 0.1 : random() < 0.5));
    transaction.update(rowId, kept.length === 0 ? { [table.columns[1]?.name ?? ""]: "x" } : Object.fromEntries(kept));
  }
}

function inPlace(emulator: OracleEmulator, transaction: EmulatedTransaction, rowId: string, random: Random): void {
  const length = emulator.rows.get(rowId)?.values.BODY?.length ?? 0;
  const at = Math.floor(random() * (length + 1));
  if (length > 0 && random() < 0.3) transaction.trimLob(rowId, "BODY", Math.max(1, at));
  else transaction.writeLob(rowId, "BODY", at, text(random, 40) || "piece");
}

function values(table: EmulatedTable, random: Random): TextRow {
  return Object.fromEntries(
    table.columns.map(({ name, kind, partOfKey }) => {
      if (partOfKey) return [name, String(nextId++)];
      if (random() < 0.15) return [name, null];
      const number = Math.floor(random() * 1e6);
      const two = (limit: number) => String(1 + Math.floor(random() * limit)).padStart(2, "0");
      const date = `20${two(40)}-${two(12)}-${two(28)} ${two(23)}:${two(59)}:${two(59)}`;
      switch (kind) {
        case "number":
          return [name, random() < 0.5 ? String(number) : `-${number}.25`];
        case "date":
          return [name, date];
        case "timestamp":
          return [name, `${date}.${String(number).padStart(6, "0")}`];
        case "bytes":
          return [name, `\\x00${String(number).padStart(6, "0")}ff`];
        case "blob":
          return [name, `\\x${"0badcafe".repeat(Math.floor(random() * 900))}`];
        case "clob":
          return [name, text(random, random() < 0.3 ? 6000 : 60)];
        default:
          return [name, text(random, random() < 0.05 ? 5000 : 24)];
      }
    }),
  );
}

const PIECES = ["a", "Ü", "it's", ", ", '" = ', "where ", "漢字", "\\", "; ", " and ", ")", "''", "x1", "NULL", "\n"];

function text(random: Random, length: number): string {
  let made = "";
  while (made.length < length) made += PIECES[Math.floor(random() * PIECES.length)];
  return made;
}
