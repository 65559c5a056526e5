import { unpack } from "../../../../provider/databases/oracle/logMiner/tupleEdit.js";
import type { ZeroBytes } from "../../../../provider/databases/oracle/redo/literals.js";
import { type RedoColumn, RedoTable, type RedoTableInputs } from "../../../../provider/databases/oracle/redo/redoTable.js";
import { RowOperation, RowScanner } from "../../../../provider/databases/oracle/redo/rowScanner.js";

export type ShownValue = string | null | "(unchanged)";

export interface Shown {
  readonly old: ShownValue[] | undefined;
  readonly new: ShownValue[] | undefined;
  /** Names of columns whose value is not in the redo. */
  readonly unknown: string[];
  readonly zeroBytes: number;
  readonly loneQuotes: number;
}

/** A table of these columns, written `NAME kind`; those before the `|` are its key. */
export function tableOf(columns: string, options: Partial<RedoTableInputs> = {}): RedoTable {
  const [key = "", rest] = columns.includes("|") ? columns.split("|") : ["", columns];
  const parse = (list: string | undefined, partOfKey: boolean): RedoColumn[] =>
    (list ?? "").split(",").flatMap((one) => {
      const [name, kind = "text"] = one.trim().split(":");
      return name ? [{ name, kind: kind as RedoColumn["kind"], partOfKey }] : [];
    });
  return new RedoTable({
    id: 1,
    owner: "S",
    name: "T",
    columns: [...parse(key, true), ...parse(rest, false)],
    fullIdentity: false,
    ...options,
  });
}

/** What the scanner makes of a statement; the operation is the statement's first word. */
export function scan(table: RedoTable, redo: string, zeroBytes: ZeroBytes = "remove"): Shown {
  const scanner = new RowScanner({ zeroBytes, decodeText: (bytes) => bytes.toString("utf8") });
  const word = redo.trim().split(" ")[0];
  const data = Buffer.from(`junk${redo}junk`);
  scanner.scan(table, RowOperation[word as keyof typeof RowOperation], data, 4, data.length - 4);
  const show = (tuple: number) =>
    tuple < 0
      ? undefined
      : unpack(scanner.tuples, tuple).map((value) => (value === undefined ? "(unchanged)" : (value?.toString("utf8") ?? null)));
  return {
    old: show(scanner.oldTuple),
    new: show(scanner.newTuple),
    unknown: scanner.unknown.map((place) => table.columns[place]?.name ?? ""),
    ...scanner.counts,
  };
}
