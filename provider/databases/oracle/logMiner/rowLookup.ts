import { columnText } from "../columnText.js";
import type { OracleBinds, OracleConnection, OracleValue } from "../driver.js";
import { oracleCode } from "../oracleErrors.js";
import type { RedoKind, RedoTable } from "../redo/redoTable.js";
import { quoted } from "../sql.js";
import { NO_ROW_ID } from "./contents.js";
import type { PackedValue } from "./tupleEdit.js";

/**
 * Values of a row that its redo does not hold, read from the table. By place; `rowGone` when the row is not there any more (its delete is still to
 * come, or was in the same transaction), `columnGone` when the column or the table has another name by now, or none.
 */
export type RowLookup = (
  table: RedoTable,
  places: readonly number[],
  row: { readonly rowId: string; readonly values: readonly PackedValue[] },
  commitScn: bigint,
) => Promise<ReadonlyMap<number, Buffer | null> | "rowGone" | "columnGone">;

/** No undo left for that SCN, or the table was moved, truncated or changed since: what it holds now is read instead, and later redo brings it up to date. */
const TOO_OLD = new Set(["ORA-01555", "ORA-08181", "ORA-01466", "ORA-08180", "ORA-30052", "ORA-22924"]);
/** The row id is of a place that the table does not have any more: it was moved. */
const MOVED = new Set(["ORA-01410", "ORA-08103"]);
/** The column or the table was renamed or dropped since: its value is nowhere any more under the name that redo gave it. */
const GONE = new Set(["ORA-00904", "ORA-00942"]);

interface Condition {
  readonly where: string;
  readonly binds: Readonly<Record<string, string | Buffer>>;
}

/**
 * Reads what redo leaves out: a LOB that was changed in place (redo holds the piece, not the rest), object types, what LogMiner prints as
 * Unsupported Type. As it was when the transaction committed, as long as the undo tablespace has it.
 *
 * As of the commit the row's id is the surest name: its key may have changed within the transaction. Once the table was moved or shrunk, or its undo is gone,
 * the id may be nobody's or another row's, so the key is asked for.
 */
export function rowLookup(connect: () => Promise<OracleConnection>): RowLookup {
  return async (table, places, row, commitScn) => {
    const byId =
      row.rowId === NO_ROW_ID || row.rowId === "" ? undefined : { where: "ROWID = :row_id", binds: { row_id: row.rowId } };
    const byKey = keyCondition(table, row.values);
    const list = places.map((place, index) => {
      const column = table.columns[place];
      if (!column) throw new RangeError(`no column has place ${place}`);
      return `${columnText(column)} AS V${index}`;
    });
    const select = `SELECT ${list.join(", ")} FROM ${quoted(table.owner)}.${quoted(table.name)}`;
    const connection = await connect();
    const conditions = [byId, byKey].flatMap((condition) => (condition ? [condition] : []));
    try {
      for (const condition of conditions) {
        const [found] = await readRow(connection, `${select} AS OF SCN :scn`, condition, { scn: commitScn });
        if (found) return valuesOf(found, places);
      }
      // Undo may be gone, or the table was moved: only by a key, where there is one.
      const last = byKey ?? byId;
      const [found] = last ? await readRow(connection, select, last, {}) : [];
      return found ? valuesOf(found, places) : "rowGone";
    } catch (cause) {
      if (GONE.has(oracleCode(cause) ?? "")) return "columnGone";
      throw cause;
    }
  };
}

function valuesOf(row: Record<string, OracleValue>, places: readonly number[]): ReadonlyMap<number, Buffer | null> {
  return new Map(places.map((place, index) => [place, asText(row[`V${index}`] ?? null)]));
}

/** None when the row can't be read this way. */
async function readRow(
  connection: OracleConnection,
  select: string,
  { where, binds }: Condition,
  more: OracleBinds,
): Promise<Record<string, OracleValue>[]> {
  try {
    return await connection.query(`${select} WHERE ${where}`, { ...binds, ...more });
  } catch (cause) {
    const code = oracleCode(cause) ?? "";
    if (TOO_OLD.has(code) || MOVED.has(code)) return [];
    throw cause;
  }
}

function keyCondition(table: RedoTable, values: readonly PackedValue[]): Condition | undefined {
  const parts: string[] = [];
  const binds: Record<string, string | Buffer> = {};
  for (const [place, { name, kind, partOfKey }] of table.columns.entries()) {
    if (!partOfKey) continue;
    const value = values[place];
    if (!value) return undefined;
    const bind = `k${parts.length}`;
    parts.push(`${quoted(name)} = :${bind}`);
    binds[bind] = bindable(kind, value.toString("utf8"));
  }
  return parts.length === 0 ? undefined : { where: parts.join(" AND "), binds };
}

/** PostgreSQL's text as the session's formats read it. */
function bindable(kind: RedoKind, text: string): string | Buffer {
  if (kind === "bytes") return Buffer.from(text.slice(2), "hex");
  const isDate = kind === "date" || kind.startsWith("timestamp");
  return isDate && text.endsWith(" BC") ? `-${text.slice(0, -3)}` : text;
}

function asText(value: OracleValue): Buffer | null {
  if (value === null) return null;
  if (Buffer.isBuffer(value)) return Buffer.from(`\\x${value.toString("hex")}`);
  return Buffer.from(String(value).replaceAll("\0", ""));
}
