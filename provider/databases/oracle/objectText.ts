import { kindOfType } from "./catalog/columns.js";
import type { TypeShapes } from "./catalog/typeShapes.js";
import { expressionText } from "./columnText.js";
import { quoted } from "./sql.js";

/** The alias that object columns are read under: their attributes can't be named without one. */
export const TABLE_ALIAS = "T";

const GEOMETRY = "MDSYS.SDO_GEOMETRY";

/**
 * The select expression of an object's, a VARRAY's or a geometry's text as PostgreSQL reads it (a row, an array, EWKT). Undefined: there is none, because
 * of nested tables, subtypes, arrays of objects, LOBs in bytes, references, BFILE and what else is of no user's type.
 */
export function objectText(column: string, type: string, shapes: TypeShapes): string | undefined {
  return textOf(`${TABLE_ALIAS}.${quoted(column)}`, type, shapes);
}

function textOf(path: string, type: string, shapes: TypeShapes): string | undefined {
  if (type === GEOMETRY) return geometryText(path);
  const kind = kindOfType(type);
  switch (kind) {
    case "number":
    case "float":
      return `TO_CHAR(${path})`;
    case "bytes":
      return `CASE WHEN ${path} IS NOT NULL THEN '\\x' || RAWTOHEX(${path}) END`;
    case "blob":
      return undefined;
    case "other":
      break;
    default:
      return expressionText(path, kind);
  }
  const shape = shapes.get(type);
  if (shape?.kind === "object") {
    const parts = shape.attributes.map((attribute) => textOf(`${path}.${quoted(attribute.name)}`, attribute.type, shapes));
    if (!parts.every((part) => part !== undefined)) return undefined;
    // A LOB from the beginning: what is joined may be longer than a VARCHAR2.
    return `CASE WHEN ${path} IS NOT NULL THEN TO_CLOB('(') || ${parts.map(field).join(" || ',' || ")} || ')' END`;
  }
  if (shape?.kind !== "varray" || shapes.has(shape.element)) return undefined;
  const element = textOf("E.COLUMN_VALUE", shape.element, shapes);
  if (element === undefined || kindOfType(shape.element) === "clob") return undefined;
  return (
    `CASE WHEN ${path} IS NOT NULL THEN (SELECT TO_CLOB('{') || LISTAGG(${item(element)}, ',') WITHIN GROUP (ORDER BY ROWNUM) || '}' ` +
    `FROM TABLE(${path}) E) END`
  );
}

/** NULL is nothing between two commas. */
function field(text: string): string {
  return `CASE WHEN (${text}) IS NOT NULL THEN '"' || REPLACE(REPLACE(${text}, '\\', '\\\\'), '"', '""') || '"' END`;
}

function item(text: string): string {
  return `CASE WHEN ${text} IS NULL THEN 'NULL' ELSE '"' || REPLACE(REPLACE(${text}, '\\', '\\\\'), '"', '\\"') || '"' END`;
}

/** EWKT, in two dimensions as Oracle's WKT is. 8307 is Oracle's own number of what the rest of the world calls 4326. */
function geometryText(path: string): string {
  const srid = `CASE ${path}."SDO_SRID" WHEN 8307 THEN 4326 ELSE NVL(${path}."SDO_SRID", 0) END`;
  return `CASE WHEN ${path} IS NOT NULL THEN TO_CLOB('SRID=') || ${srid} || ';' || SDO_UTIL.TO_WKTGEOMETRY(${path}) END`;
}
