import type { RowReader, Snapshot } from "../../../engine/database.js";
import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { PlannedColumn, PlannedTable } from "../../../engine/models/plan.js";
import type { TypeShapes } from "../catalog/typeShapes.js";
import { columnText } from "../columnText.js";
import type { OracleConnection } from "../driver.js";
import { objectText, TABLE_ALIAS } from "../objectText.js";
import { oracleCode } from "../oracleErrors.js";
import type { RedoKind } from "../redo/redoTable.js";
import { quoted } from "../sql.js";
import { copyTextFrame, type TakenOut } from "./copyText.js";

/** Rows fetched at once; fewer where a row may hold LOBs, which come whole. */
const BATCH_ROWS = 2000;
const LOB_BATCH_ROWS = 50;
/** Values of any size. LONG is among the CLOBs; LONG RAW, up to 2 GB, is of the kind of RAW. */
const LARGE: ReadonlySet<RedoKind> = new Set<RedoKind>(["other", "clob", "blob", "xml", "json"]);

/** `snapshot.id` is the SCN. */
export interface OracleReaderOptions {
  readonly snapshot: Snapshot;
  /** What kind of value a column of a table holds. */
  readonly kindOf: (table: PlannedTable, column: string) => RedoKind;
  readonly takenOut: TakenOut;
  /** What the users' types are made of; asked when a table has a column of one. Default: none is known. */
  readonly shapes?: () => Promise<TypeShapes>;
}

/** Reads rows as they were at the snapshot's SCN (flashback query: from undo, without locks). `close` ends the connection. */
export function openOracleReader(connection: OracleConnection, options: OracleReaderOptions): RowReader {
  const { snapshot, kindOf, takenOut } = options;
  return {
    async read(table, chunk, _format, sink) {
      const kinds = table.columns.map(({ source }) => kindOf(table, source));
      const objects = kinds.includes("other");
      const shapes = (objects && (await options.shapes?.())) || new Map();
      const list = table.columns.map(({ source, type }, index) => {
        const kind = kinds[index] ?? "text";
        return (kind === "other" && objectText(source, type, shapes)) || columnText({ name: source, kind });
      });
      const name = `${quoted(table.source.schema)}.${quoted(table.source.name)} AS OF SCN ${snapshot.id}`;
      const alias = objects ? ` ${TABLE_ALIAS}` : "";
      const conditions = [chunk.condition && `(${chunk.condition})`, table.filter?.condition].filter((one) => one !== undefined);
      const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
      const large = kinds.some((kind) => LARGE.has(kind)) || table.columns.some(({ type }) => type === "LONG RAW");
      const batchRows = large ? LOB_BATCH_ROWS : BATCH_ROWS;
      let rows = 0;
      try {
        // A table of nothing but computed columns has rows all the same.
        const from = table.columns.some(({ value }) => value)
          ? `(SELECT ${table.columns.map(named).join(", ")} FROM ${name}${where}) ${TABLE_ALIAS}`
          : `${name}${alias}${where}`;
        const sql = `SELECT ${list.length > 0 ? list.join(", ") : "NULL"} FROM ${from}`;
        for await (const batch of connection.stream(sql, {}, { batchRows })) {
          if (batch.length === 0) continue;
          rows += batch.length;
          await sink.write(copyTextFrame(list.length > 0 ? batch : batch.map(() => []), takenOut), batch.length);
        }
        return rows;
      } catch (cause) {
        throw unreadable(cause, table, snapshot);
      }
    },
    close: () => connection.close(),
  };
}

/** Under the column's own name: what makes text of a value need not know where it comes from. */
function named({ source, value }: PlannedColumn): string {
  return value ? `${value.expression} AS ${quoted(source)}` : quoted(source);
}

function unreadable(cause: unknown, table: PlannedTable, snapshot: Snapshot): unknown {
  const code = oracleCode(cause);
  if (cause instanceof GodwitError || code === undefined) return cause;
  const name = `${table.source.schema}.${table.source.name}`;
  const remedies: Readonly<Record<string, string>> = {
    "ORA-01555":
      "raise UNDO_RETENTION above the time the load takes (and the undo tablespace's size, RETENTION GUARANTEE); the load begins anew",
    "ORA-30052": "raise UNDO_RETENTION above the time the load takes; the load begins anew",
    "ORA-08180": "raise UNDO_RETENTION above the time the load takes; the load begins anew",
    "ORA-01466": "the table's structure changed while it was read; the load begins anew",
    "ORA-01489":
      "a VARRAY's text is longer than LISTAGG gives (4000 bytes, 32767 with MAX_STRING_SIZE=EXTENDED): name the column in excludeColumns",
    "ORA-22924": "raise the LOB's RETENTION or PCTVERSION; the load begins anew",
    "ORA-01031": `GRANT FLASHBACK ON ${name} TO the endpoint's user`,
    "ORA-00942": `GRANT SELECT, FLASHBACK ON ${name} TO the endpoint's user`,
  };
  const masked = table.columns.some(({ value }) => value);
  const message = cause instanceof Error ? cause.message : String(cause);
  return new GodwitError(
    ErrorCode.RowsUnreadable,
    masked ? `${code} (the message is withheld, for it may quote a value)` : message,
    {
      object: name,
      position: `SCN ${snapshot.id}`,
      remedy: remedies[code] ?? "mend what Oracle objects to, or leave the table out; the load is tried again",
      ...(masked ? {} : { cause }),
    },
  );
}
