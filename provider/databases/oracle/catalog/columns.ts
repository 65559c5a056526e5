import type { RedoKind } from "../redo/redoTable.js";
import { quoted } from "../sql.js";
import type { Dictionary, DictionaryRow } from "./dictionary.js";
import type { OracleColumn } from "./model.js";

/** A row's table, for grouping. */
export interface ColumnRow {
  readonly schema: string;
  readonly table: string;
  readonly column: OracleColumn;
}

/**
 * Hidden columns (of function-based indexes, of object types' storage, set unused) are Oracle's own affair, but they take their place in a row.
 * What a user made INVISIBLE (from 12.1 on) is hidden as well, has no COLUMN_ID, and is a column like any other.
 */
const COLUMNS = `
SELECT c.owner AS "schema", c.table_name AS "table", c.column_name AS "name", c.data_type AS "type", c.data_type_owner AS "type_owner",
       c.data_length AS "length", c.char_length AS "char_length", c.char_used AS "char_used",
       c.data_precision AS "precision", c.data_scale AS "scale", c.nullable AS "nullable",
       c.virtual_column AS "virtual", c.data_default AS "expression", c.hidden_column AS "hidden", c.segment_column_id AS "place",
       {generated} AS "user_made"
  FROM {view}_tab_cols c
 WHERE c.owner {users} AND (c.column_id IS NOT NULL OR c.segment_column_id IS NOT NULL)
 ORDER BY c.owner, c.table_name, c.column_id, c.internal_column_id`;

/** What a column that was set unused is called from then on. */
const UNUSED = /^SYS_C\d+_\d+:\d+:\d+\$$/;

const IDENTITIES = `
SELECT i.owner AS "schema", i.table_name AS "table", i.column_name AS "name", i.generation_type AS "generation",
       i.identity_options AS "options", s.last_number AS "last"
  FROM {view}_tab_identity_cols i
  LEFT JOIN {view}_sequences s ON s.sequence_owner = i.owner AND s.sequence_name = i.sequence_name
 WHERE i.owner {users}`;

export async function readColumns(dictionary: Dictionary): Promise<readonly ColumnRow[]> {
  const identities = new Map<string, string>();
  const modern = Number.parseInt(dictionary.version, 10) >= 12;
  if (modern) {
    for (const row of await dictionary.read(IDENTITIES)) {
      identities.set(JSON.stringify([row.schema, row.table, row.name]), identityClause(row));
    }
  }
  const rows = await dictionary.read(COLUMNS.replace("{generated}", modern ? "c.user_generated" : "'NO'"));
  return rows.map((row) => {
    const [schema, table, name] = [row.schema ?? "", row.table ?? "", row.name ?? ""];
    const identity = identities.get(JSON.stringify([schema, table, name]));
    const expression = row.expression?.trim();
    // The dictionary calls XMLTYPE and object columns virtual as well, because hidden columns hold their values: those have no expression.
    const virtual = row.virtual === "YES" && Boolean(expression);
    return {
      schema,
      table,
      column: {
        name,
        type: typeText(row),
        kind: kindOfType(typeText(row)),
        national: /^N(CHAR|VARCHAR2|CLOB)$/.test(row.type ?? ""),
        nullable: row.nullable !== "N",
        // An identity's default is its sequence, which the clause brings along. DEFAULT NULL says nothing.
        expression: identity !== undefined || !expression || /^null$/i.test(expression) ? undefined : expression,
        virtual,
        identity,
        hidden: row.hidden === "YES" && (row.user_made !== "YES" || UNUSED.test(name)),
        place: row.place === null || row.place === undefined ? undefined : Number(row.place),
      },
    };
  });
}

/** The dictionary keeps them as `START WITH: 1, INCREMENT BY: 1, ...`. */
function identityClause(row: DictionaryRow): string {
  const options = new Map(
    (row.options ?? "").split(",").map((pair) => pair.split(":").map((part) => part.trim()) as [string, string]),
  );
  const parts = [
    // Where it is now, not where it began.
    ["START WITH", row.last ?? options.get("START WITH")],
    ["INCREMENT BY", options.get("INCREMENT BY")],
    ["MAXVALUE", options.get("MAX_VALUE")],
    ["MINVALUE", options.get("MIN_VALUE")],
  ].flatMap(([word, value]) => (value && /^-?\d+$/.test(value) ? [`${word} ${value}`] : []));
  if (options.get("CYCLE_FLAG") === "Y") parts.push("CYCLE");
  return `GENERATED ${row.generation === "ALWAYS" ? "ALWAYS" : "BY DEFAULT"} AS IDENTITY (${parts.join(" ")})`;
}

/** The type as a column definition has it. */
export function typeText(row: DictionaryRow): string {
  const type = row.type ?? "";
  switch (type) {
    case "NUMBER":
      if (row.precision === null || row.precision === undefined) return row.scale === null ? "NUMBER" : `NUMBER(*,${row.scale})`;
      return `NUMBER(${row.precision},${row.scale ?? "0"})`;
    case "FLOAT":
      return `FLOAT(${row.precision ?? "126"})`;
    case "VARCHAR2":
    case "CHAR":
      return row.char_used === "C" ? `${type}(${row.char_length} CHAR)` : `${type}(${row.length} BYTE)`;
    case "NVARCHAR2":
    case "NCHAR":
      return `${type}(${row.char_length})`;
    case "RAW":
    case "UROWID":
      return `${type}(${row.length})`;
    case "XMLTYPE":
      return "XMLTYPE";
    case "SDO_GEOMETRY":
      return "MDSYS.SDO_GEOMETRY";
    default:
      return row.type_owner ? `${quoted(row.type_owner)}.${quoted(type)}` : type;
  }
}

/** What values of a type as DDL has it look like: `NUMBER(10,2)`, `TIMESTAMP(6) WITH TIME ZONE`, `"HR"."ADDRESS"`. */
export function kindOfType(text: string): RedoKind {
  const type = text.replace(/\([^)]*\)/g, "");
  if (type === "XMLTYPE") return "xml";
  if (/^TIMESTAMP.*LOCAL TIME ZONE$/.test(type)) return "timestampLtz";
  if (/^TIMESTAMP.*TIME ZONE$/.test(type)) return "timestampTz";
  if (type.startsWith("TIMESTAMP")) return "timestamp";
  if (type.startsWith("INTERVAL YEAR")) return "yearToMonth";
  if (type.startsWith("INTERVAL DAY")) return "dayToSecond";
  return KINDS[type] ?? "other";
}

const KINDS: Readonly<Record<string, RedoKind>> = {
  NUMBER: "number",
  FLOAT: "number",
  BINARY_FLOAT: "float",
  BINARY_DOUBLE: "float",
  VARCHAR2: "text",
  NVARCHAR2: "text",
  CHAR: "text",
  NCHAR: "text",
  ROWID: "text",
  UROWID: "text",
  DATE: "date",
  RAW: "bytes",
  "LONG RAW": "bytes",
  LONG: "clob",
  CLOB: "clob",
  NCLOB: "clob",
  BLOB: "blob",
  JSON: "json",
};
