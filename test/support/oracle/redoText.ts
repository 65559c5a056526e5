import type { RedoKind } from "../../../provider/databases/oracle/redo/redoTable.js";
import { internalBytes } from "./internalBytes.js";

/**
 * Redo as LogMiner writes it, for rows whose values are in PostgreSQL's text forms (what a target holds in the end): bytes as `\\x..`, dates as
 * `2020-02-01 10:00:00`. An empty string is NULL, as in Oracle.
 */
export interface TextColumn {
  readonly name: string;
  readonly kind: RedoKind;
  readonly national?: boolean;
  /** What the redo calls it, when that is not its name. */
  readonly shown?: string;
  /** Its values are printed as Oracle stores them. */
  readonly raw?: boolean;
}

/** A column as LogMiner shows it in redo from before a change of its table's structure: by place, raw. */
export function byPlace<T extends TextColumn>(column: T, all: readonly TextColumn[]): T {
  return { ...column, shown: `COL ${all.findIndex(({ name }) => name === column.name) + 1}`, raw: true };
}

function nameOf({ shown, name }: TextColumn): string {
  return `"${shown ?? name}"`;
}

export type TextRow = Readonly<Record<string, string | null>>;

export function insertRedo(owner: string, table: string, columns: readonly TextColumn[], row: TextRow): string {
  const names = columns.map(nameOf).join(",");
  return `insert into "${owner}"."${table}"(${names}) values (${columns.map((column) => literal(column, row[column.name] ?? null)).join(",")})`;
}

export function updateRedo(
  owner: string,
  table: string,
  set: readonly TextColumn[],
  row: TextRow,
  where: readonly TextColumn[],
  before: TextRow,
): string {
  const assignments = set.map((column) => `${nameOf(column)} = ${literal(column, row[column.name] ?? null)}`).join(", ");
  return `update "${owner}"."${table}" set ${assignments}${conditions(where, before)}`;
}

export function deleteRedo(owner: string, table: string, where: readonly TextColumn[], before: TextRow): string {
  return `delete from "${owner}"."${table}"${conditions(where, before)}`;
}

export function locatorRedo(owner: string, table: string, lob: TextColumn, where: readonly TextColumn[], row: TextRow): string {
  const locator = lob.kind === "blob" ? "loc_b" : "loc_c";
  return (
    "DECLARE \n loc_c CLOB; \n buf_c VARCHAR2(6174); \n loc_b BLOB; \n buf_b RAW(6174); \n loc_nc NCLOB; \n buf_nc NVARCHAR2(6174); \nBEGIN\n" +
    ` select "${lob.name}" into ${locator} from "${owner}"."${table}"${conditions(where, row)} for update;`
  );
}

/** `offset` from 1, in characters or bytes. */
export function lobWriteRedo(lob: TextColumn, piece: string, offset: number): string {
  if (lob.kind === "blob")
    return ` buf_b := HEXTORAW('${piece}'); \n  dbms_lob.write(loc_b, ${piece.length / 2}, ${offset}, buf_b);\n`;
  return ` buf_c := '${piece.replaceAll("'", "''")}'; \n  dbms_lob.write(loc_c, ${piece.length}, ${offset}, buf_c);\n`;
}

export function lobTrimRedo(lob: TextColumn, length: number): string {
  return ` dbms_lob.trim(${lob.kind === "blob" ? "loc_b" : "loc_c"}, ${length});\n`;
}

function conditions(where: readonly TextColumn[], row: TextRow): string {
  if (where.length === 0) return "";
  const all = where.map((column) => {
    const text = literal(column, row[column.name] ?? null);
    return text === "NULL" ? `${nameOf(column)} IS NULL` : `${nameOf(column)} = ${text}`;
  });
  return ` where ${all.join(" and ")}`;
}

function literal({ kind, national, raw }: TextColumn, value: string | null): string {
  if (value === null) return "NULL";
  if (raw && value !== "") return `HEXTORAW('${internalBytes(kind, national ?? false, value).toString("hex")}')`;
  if (kind === "clob" && value === "") return "EMPTY_CLOB()";
  if (kind === "blob" && value === "\\x") return "EMPTY_BLOB()";
  if (value === "") return "NULL";
  switch (kind) {
    case "date":
      return `TO_DATE(' ${value}', 'SYYYY-MM-DD HH24:MI:SS')`;
    case "timestamp":
    case "timestampLtz":
      return `TO_TIMESTAMP(' ${value.includes(".") ? value : `${value}.`}')`;
    case "timestampTz":
      return `TO_TIMESTAMP_TZ(' ${value}')`;
    case "yearToMonth":
      return `TO_YMINTERVAL('${yearToMonth(value)}')`;
    case "dayToSecond":
      return `TO_DSINTERVAL('${dayToSecond(value)}')`;
    case "bytes":
    case "blob":
      return `HEXTORAW('${value.slice(2)}')`;
    default:
      return national ? unistr(value) : `'${value.replaceAll("'", "''")}'`;
  }
}

/** `-3 years -2 mons` as `-03-02`. */
function yearToMonth(value: string): string {
  const part = (word: string) => Number(new RegExp(`(-?\\d+) ${word}`).exec(value)?.[1] ?? 0);
  const months = part("year") * 12 + part("mon");
  const two = (number: number) => String(number).padStart(2, "0");
  return `${months < 0 ? "-" : "+"}${two(Math.floor(Math.abs(months) / 12))}-${two(Math.abs(months) % 12)}`;
}

/** `12 days 03:04:05.678` as `+12 03:04:05.678`. */
function dayToSecond(value: string): string {
  const days = Number(/(-?\d+) day/.exec(value)?.[1] ?? 0);
  const [, sign = "", time = "00:00:00"] = /(-?)(\d+:\d+:\d+(?:\.\d+)?)/.exec(value) ?? [];
  return `${days < 0 || sign === "-" ? "-" : "+"}${String(Math.abs(days)).padStart(2, "0")} ${time}`;
}

function unistr(value: string): string {
  let text = "";
  for (let at = 0; at < value.length; at++) {
    const unit = value.charCodeAt(at);
    const char = value[at] ?? "";
    if (char === "\\") text += "\\\\";
    else if (char === "'") text += "''";
    else text += unit < 0x80 ? char : `\\${unit.toString(16).toUpperCase().padStart(4, "0")}`;
  }
  return `UNISTR('${text}')`;
}
