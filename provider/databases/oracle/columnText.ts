import type { RedoKind } from "./redo/redoTable.js";
import { quoted } from "./sql.js";

/**
 * The select expression by which a column's value travels without loss, in the text form that PostgreSQL reads. The driver gives dates as
 * JavaScript's, which know milliseconds only and shift with the client's time zone, and intervals as objects: those go through TO_CHAR.
 */
export function columnText(column: { readonly name: string; readonly kind: RedoKind }): string {
  return expressionText(quoted(column.name), column.kind);
}

/** The same for any expression: `T."ADDRESS"."SINCE"`. */
export function expressionText(name: string, kind: RedoKind): string {
  switch (kind) {
    case "date":
      return `TO_CHAR(${name}, 'YYYY-MM-DD HH24:MI:SS BC')`;
    case "timestamp":
      return `TO_CHAR(${name}, 'YYYY-MM-DD HH24:MI:SS.FF9 BC')`;
    case "timestampTz":
      return `TO_CHAR(${name}, 'YYYY-MM-DD HH24:MI:SS.FF9 TZH:TZM BC')`;
    case "timestampLtz":
      // In the session's zone, which is UTC.
      return `TO_CHAR(${name}, 'YYYY-MM-DD HH24:MI:SS.FF9 BC')`;
    case "yearToMonth":
      return `CASE WHEN ${name} IS NOT NULL THEN EXTRACT(YEAR FROM ${name}) || ' years ' || EXTRACT(MONTH FROM ${name}) || ' mons' END`;
    case "dayToSecond":
      return (
        `CASE WHEN ${name} IS NOT NULL THEN EXTRACT(DAY FROM ${name}) || ' days ' || EXTRACT(HOUR FROM ${name}) || ' hours ' || ` +
        `EXTRACT(MINUTE FROM ${name}) || ' mins ' || EXTRACT(SECOND FROM ${name}) || ' secs' END`
      );
    case "xml":
      return `CASE WHEN ${name} IS NOT NULL THEN XMLSERIALIZE(CONTENT ${name} AS CLOB) END`;
    case "json":
      // The driver would make an object of it, with numbers of 15 digits.
      return `CASE WHEN ${name} IS NOT NULL THEN JSON_SERIALIZE(${name} RETURNING CLOB) END`;
    default:
      return name;
  }
}
