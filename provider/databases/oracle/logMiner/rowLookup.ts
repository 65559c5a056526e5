import { columnText } from "../columnText.js";
import type { OracleConnection, OracleValue } from "../driver.js";
import { oracleCode } from "../oracleErrors.js";
import type { RedoTable } from "../redo/redoTable.js";
import { quoted } from "../sql.js";
import { NO_ROW_ID } from "./contents.js";
import type { PackedValue } from "./tupleEdit.js";

/** Values of a row that its redo does not hold, read from the table. By place; undefined when the row is not there. */
export type RowLookup = (
  table: RedoTable,
  places: readonly number[],
  row: { readonly rowId: string; readonly values: readonly PackedValue[] },
  commitScn: bigint,
) => Promise<ReadonlyMap<number, Buffer | null> | undefined>;

/** No undo left for that SCN, or the table was changed since: what it holds now is read instead, and later redo brings it up to date. */
const TOO_OLD = new Set(["ORA-01555", "ORA-08181", "ORA-01466", "ORA-08180", "ORA-30052", "ORA-22924"]);

/**
 * Reads what redo leaves out: a LOB that was changed in place (redo holds the piece, not the rest), object types, what LogMiner prints as
 * Unsupported Type. As it was when the transaction committed, as long as the undo tablespace has it.
 */
export function rowLookup(connect: () => Promise<OracleConnection>): RowLookup {
  return async (table, places, row, commitScn) => {
    const key = table.columns.flatMap(({ name, partOfKey }, place) => (partOfKey ? [{ name, value: row.values[place] }] : []));
    const byRowId = row.rowId !== NO_ROW_ID && row.rowId !== "";
    if (!byRowId && (key.length === 0 || key.some(({ value }) => !value))) return undefined;
    const where = byRowId ? "ROWID = :row_id" : key.map(({ name }, index) => `${quoted(name)} = :k${index}`).join(" AND ");
    const binds: Record<string, string> = byRowId
      ? { row_id: row.rowId }
      : Object.fromEntries(key.map(({ value }, index) => [`k${index}`, value?.toString("utf8") ?? ""]));
    const list = places.map((place, index) => {
      const column = table.columns[place];
      if (!column) throw new RangeError(`no column has place ${place}`);
      return `${columnText(column)} AS V${index}`;
    });
    const select = `SELECT ${list.join(", ")} FROM ${quoted(table.owner)}.${quoted(table.name)}`;
    const connection = await connect();
    const found = await readAsOf(connection, select, where, binds, commitScn);
    const [first] = found;
    if (!first) return undefined;
    return new Map(places.map((place, index) => [place, asText(first[`V${index}`] ?? null)]));
  };
}

async function readAsOf(
  connection: OracleConnection,
  select: string,
  where: string,
  binds: Record<string, string>,
  scn: bigint,
): Promise<Record<string, OracleValue>[]> {
  try {
    return await connection.query(`${select} AS OF SCN :scn WHERE ${where}`, { ...binds, scn });
  } catch (cause) {
    if (GONE.has(oracleCode(cause) ?? "")) return [];
    if (!TOO_OLD.has(oracleCode(cause) ?? "")) throw cause;
  }
  try {
    return await connection.query(`${select} WHERE ${where}`, binds);
  } catch (cause) {
    if (GONE.has(oracleCode(cause) ?? "")) return [];
    throw cause;
  }
}

/** The column or the table was renamed or dropped since: its value is nowhere any more under the name that redo gave it. */
const GONE = new Set(["ORA-00904", "ORA-00942"]);

function asText(value: OracleValue): Buffer | null {
  if (value === null) return null;
  if (Buffer.isBuffer(value)) return Buffer.from(`\\x${value.toString("hex")}`);
  return Buffer.from(String(value).replaceAll("\0", ""));
}
