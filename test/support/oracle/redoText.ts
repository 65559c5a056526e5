import type { RedoKind } from "../../../provider/databases/oracle/redo/redoTable.js";

/**
 * Redo as LogMiner writes it, for rows whose values are in PostgreSQL's text forms (what a target holds in the end): bytes as `\\x..`, dates as
 * `2020-02-01 10:00:00`. An empty string is NULL, as in Oracle.
 */
export interface TextColumn {
  readonly name: string;
  readonly kind: RedoKind;
  readonly national?: boolean;
}

export type TextRow = Readonly<Record<string, string | null>>;

export function insertRedo(owner: string, table: string, columns: readonly TextColumn[], row: TextRow): string {
  const names = columns.map(({ name }) => `"${name}"`).join(",");
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
  const assignments = set.map((column) => `"${column.name}" = ${literal(column, row[column.name] ?? null)}`).join(", ");
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
    return text === "NULL" ? `"${column.name}" IS NULL` : `"${column.name}" = ${text}`;
  });
  return ` where ${all.join(" and ")}`;
}

function literal({ kind, national }: TextColumn, value: string | null): string {
  if (value === null) return "NULL";
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
    case "bytes":
    case "blob":
      return `HEXTORAW('${value.slice(2)}')`;
    default:
      return national ? unistr(value) : `'${value.replaceAll("'", "''")}'`;
  }
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
