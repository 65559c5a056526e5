import { Unconvertible } from "../read/cursor.js";
import type { DataType } from "../read/dataType.js";
import type { Environment } from "./environment.js";
import { geometryType } from "./geometry.js";
import type { Leaning } from "./leanings.js";
import { quoteName, quoteNames } from "./names.js";
import { systemType } from "./systemPackages.js";

export type Family =
  | "integer"
  | "number"
  | "float"
  | "string"
  | "date"
  | "timestamp"
  | "timestamptz"
  | "interval"
  | "boolean"
  | "bytes"
  | "xml"
  | "json"
  | "record"
  | "array"
  | "map"
  | "cursor"
  | "unknown";

/** A type of the target as far as it is known: enough to choose operators, read elements and declare variables. */
export interface Type {
  /** As it is declared; may end in %TYPE or %ROWTYPE, which no cast can name. */
  readonly sql: string;
  readonly family: Family;
  /** Of arrays, and of maps (associative arrays by a string, kept as jsonb). */
  readonly element?: Type;
  readonly fields?: ReadonlyMap<string, Type>;
  /** Has fields beyond these: those of a supertype that is not in this file. */
  readonly open?: boolean;
  /** Defaults of a record's fields, as SQL. */
  readonly defaults?: ReadonlyMap<string, string>;
  /** A type of Oracle's that nothing here stands for, by its name: a value can be declared and handed on, not looked into. */
  readonly opaque?: string;
  /** Of the family unknown: what the uses of the column say. */
  readonly leaning?: Leaning;
  /** An array that Oracle indexes freely (INDEX BY): it needs no constructor and may have gaps. */
  readonly sparse?: boolean;
}

export const UNKNOWN: Type = { sql: "text", family: "unknown" };
export const NUMERIC: Type = { sql: "numeric", family: "number" };
export const INTEGER: Type = { sql: "integer", family: "integer" };
export const TEXT: Type = { sql: "text", family: "string" };
export const BOOLEAN: Type = { sql: "boolean", family: "boolean" };
export const DATE: Type = { sql: "timestamp(0)", family: "date" };
export const TIMESTAMP: Type = { sql: "timestamp", family: "timestamp" };
export const TIMESTAMPTZ: Type = { sql: "timestamptz", family: "timestamptz" };
export const INTERVAL: Type = { sql: "interval", family: "interval" };
export const BYTES: Type = { sql: "bytea", family: "bytes" };
export const RECORD: Type = { sql: "record", family: "record" };
export const CURSOR: Type = { sql: "refcursor", family: "cursor" };

/** Where a type stands decides how a length and an anchor are written. */
export type TypePlace = "column" | "variable" | "parameter";

/** The PostgreSQL type for an Oracle type, by the table in the documentation of the route. */
export function mapType(type: DataType, env: Environment, place: TypePlace): Type {
  const mapped = type.anchor ? anchored(type, env, place) : type.ref ? reference(type, env) : named(type, env, place);
  // PostgreSQL drops lengths from parameters and results, so they are not written there.
  return place === "parameter" ? { ...mapped, sql: mapped.sql.replace(/\(\d+(,-?\d+)?\)/, "") } : mapped;
}

/**
 * The type of a routine's parameter. Oracle passes any number to any number; PostgreSQL finds no routine for a numeric where an
 * integer is declared, but one for an integer where a numeric is, so integers are declared as that.
 */
export function mapParameterType(type: DataType, env: Environment): Type {
  const mapped = mapType(type, env, "parameter");
  return mapped.family === "integer" && !mapped.sql.includes(".") && type.exact !== true ? NUMERIC : mapped;
}

function reference(type: DataType, env: Environment): Type {
  env.output.warn(`REF ${type.name.join(".")} became text: PostgreSQL has no references to rows`, type.line);
  return TEXT;
}

function named(type: DataType, env: Environment, place: TypePlace): Type {
  const local = env.scope.type(type.name) ?? env.catalog.type(type.name);
  if (local) return local;
  const own = type.name.filter((part, index) => !(index === 0 && (part === "sys" || part === "standard" || part === "public")));
  const name = own.join(".");
  const built = own.length === 1 || own[0] === "mdsys" ? builtIn(name, type, env, place) : undefined;
  if (built) return built;
  const spatial = geometryType(own, type.line, env);
  if (spatial) return spatial;
  const system = systemType(own);
  if (system === "opaque") return opaque(own.join("."), type.line, env);
  if (system) return system;
  // Package types live in the package's schema, so of owner.package.type the last two parts are left.
  return { sql: quoteNames(own), family: "unknown" };
}

function builtIn(name: string, type: DataType, env: Environment, place: TypePlace): Type | undefined {
  switch (name) {
    case "number":
      return number(type);
    case "numeric":
    case "decimal":
    case "dec":
      return number(
        type.precision !== undefined && type.scale === undefined ? { ...type, scale: 0 } : type,
        type.precision === undefined,
      );
    case "integer":
    case "int":
    case "smallint":
      return { sql: place === "column" || place === "variable" ? "numeric(38)" : "numeric", family: "number" };
    case "pls_integer":
    case "binary_integer":
    case "natural":
    case "naturaln":
    case "positive":
    case "positiven":
    case "signtype":
    case "simple_integer":
      return INTEGER;
    case "float":
      return typeof type.precision === "number" && type.precision <= 53 ? { sql: "double precision", family: "float" } : NUMERIC;
    case "real":
    case "double precision":
      // FLOAT(63) and FLOAT(126): more digits than a double holds.
      return NUMERIC;
    case "binary_float":
    case "simple_float":
      return { sql: "real", family: "float" };
    case "binary_double":
    case "simple_double":
      return { sql: "double precision", family: "float" };
    case "boolean":
      return BOOLEAN;
    case "varchar2":
    case "nvarchar2":
    case "varchar":
    case "string":
    case "character varying":
    case "char varying":
    case "nchar varying":
    case "national char varying":
    case "national character varying":
      return typeof type.precision === "number"
        ? { sql: `varchar(${type.precision})`, family: "string" }
        : { sql: "varchar", family: "string" };
    case "char":
    case "nchar":
    case "character":
    case "national char":
    case "national character":
      return place === "parameter"
        ? { sql: "char", family: "string" }
        : { sql: `char(${type.precision ?? 1})`, family: "string" };
    case "clob":
    case "nclob":
    case "long":
    case "long varchar":
      return TEXT;
    case "raw":
    case "long raw":
    case "blob":
      return BYTES;
    case "bfile":
    case "rowid":
    case "urowid":
      env.output.warn(`${name.toUpperCase()} became text`, type.line);
      return TEXT;
    case "table":
      // Of a polymorphic table function: the table that it is called with.
      return TEXT;
    case "odcivarchar2list":
    case "odcinumberlist":
    case "odcidatelist":
    case "odcirawlist":
    case "dbms_debug_vc2coll":
    case "ora_mining_number_nt":
    case "ora_mining_varchar2_nt":
    case "ku$_vcnt":
      return listType(name);
    case "uritype":
    case "httpuritype":
    case "dburitype":
      return TEXT;
    case "xmltype":
      return { sql: "xml", family: "xml" };
    case "json":
    case "json_object_t":
    case "json_array_t":
    case "json_element_t":
      return { sql: "jsonb", family: "json" };
    case "sys_refcursor":
    case "refcursor":
    case "ref cursor":
      return CURSOR;
    case "interval":
    case "yminterval_unconstrained":
    case "dsinterval_unconstrained":
      return INTERVAL;
    case "date":
      return place === "parameter" ? { sql: "timestamp", family: "date" } : DATE;
    case "timestamp_unconstrained":
      return TIMESTAMP;
    case "timestamp_tz_unconstrained":
    case "timestamp_ltz_unconstrained":
      return TIMESTAMPTZ;
    case "timestamp":
      return timestamp(type, env);
    case "mdsys.sdo_geometry":
    case "sdo_geometry":
      if (env.catalog.postgis) return { sql: "geometry", family: "unknown" };
      if (env.catalog.geometryAsObject) return undefined;
      throw new Unconvertible("SDO_GEOMETRY needs PostGIS on the target", type.line);
    case "anydata":
      return anydata(env);
    case "anytype":
    case "anydataset":
      return place === "column" && env.place === "definition" && env.object === undefined
        ? refuse(name, type.line)
        : opaque(name, type.line, env);
    case "bfilename":
    case "vector":
      return refuse(name, type.line);
    default:
      return undefined;
  }
}

function refuse(name: string, line: number): never {
  throw new Unconvertible(`PostgreSQL has no type for ${name.toUpperCase()}`, line);
}

/** A handle of a file, a socket, a document ...: text, for the routine that only hands it on or never comes to use it. */
function opaque(name: string, line: number, env: Environment): Type {
  env.output.warn(`PostgreSQL has no type for ${name.toUpperCase()}: it became text`, line);
  return { sql: "text", family: "unknown", opaque: name.toUpperCase() };
}

/** ANYDATA: a value's text beside the name that Oracle gives its type. */
export function anydata(env: Environment): Type {
  env.output.use("anydata");
  return { sql: "godwit_oracle.anydata", family: "record" };
}

export function isAnydata(type: Type): boolean {
  return type.sql === "godwit_oracle.anydata";
}

/** Collection types that Oracle brings along in SYS, as plain arrays. */
function listType(name: string): Type {
  const element = /number/.test(name) ? NUMERIC : /date/.test(name) ? DATE : /raw/.test(name) ? BYTES : TEXT;
  return { sql: `${element.sql.replace(/\(.*\)/, "")}[]`, family: "array", element };
}

/** A NUMBER never becomes a float or, without a precision, an integer: values would be lost. */
function number({ precision, scale }: DataType, bareInteger = false): Type {
  if (bareInteger) return { sql: "numeric(38)", family: "number" };
  if (typeof precision !== "number") return NUMERIC;
  if (scale !== undefined && scale !== 0) return { sql: `numeric(${precision},${scale})`, family: "number" };
  if (precision <= 4) return { sql: "smallint", family: "integer" };
  if (precision <= 9) return { sql: "integer", family: "integer" };
  if (precision <= 18) return { sql: "bigint", family: "integer" };
  return { sql: `numeric(${precision})`, family: "number" };
}

function timestamp({ precision, withTimeZone, line }: DataType, env: Environment): Type {
  const digits = typeof precision === "number" ? `(${Math.min(precision, 6)})` : "";
  if (typeof precision === "number" && precision > 6)
    env.output.warn(`TIMESTAMP(${precision}): digits beyond microseconds are lost`, line);
  if (!withTimeZone) return { sql: `timestamp${digits}`, family: "timestamp" };
  if (withTimeZone === "zone") env.output.warn("WITH TIME ZONE: the moment is kept, the name of its zone is not", line);
  return { sql: `timestamptz${digits}`, family: "timestamptz" };
}

function anchored(type: DataType, env: Environment, place: TypePlace): Type {
  if (type.anchor === "ROWTYPE") return rowType(type, env, place);
  const variable = env.scope.typeOfPath(type.name);
  if (variable) return variable;
  const table = type.name.slice(0, -1);
  const column = type.name.at(-1) ?? "";
  const known = env.catalog.columns(table)?.get(column) ?? env.catalog.packageVariable(type.name);
  if (known && (place === "column" || (place === "parameter" && known.family === "integer") || !env.catalog.columns(table)))
    return known;
  if (table.length === 0) throw new Unconvertible(`${column}%TYPE: nothing in this file is called ${column}`, type.line);
  const sql = `${quoteNames(table)}.${quoteName(column)}%TYPE`;
  return { ...(known ?? UNKNOWN), sql };
}

function rowType(type: DataType, env: Environment, place: TypePlace): Type {
  if (env.scope.cursor(type.name)) return RECORD;
  const variable = env.scope.typeOfPath(type.name);
  if (variable) return variable;
  const columns = env.catalog.columns(type.name);
  const sql = place === "variable" ? `${quoteNames(type.name)}%ROWTYPE` : quoteNames(type.name);
  return { sql, family: "record", ...(columns ? { fields: columns } : {}) };
}

/** The type as a cast can name it; undefined for anchored and pseudo types. */
export function castable(type: Type): string | undefined {
  if (type.sql === "record" || type.sql.endsWith("%TYPE")) return undefined;
  return type.sql.replace(/%ROWTYPE$/, "");
}

/** An array of the type, as it is declared. */
export function arrayOf(element: Type): string {
  return `${(castable(element) ?? element.sql).replace(/^record$/, "text")}[]`;
}

export function isNumeric(type: Type): boolean {
  return type.family === "integer" || type.family === "number" || type.family === "float";
}

export function isMoment(type: Type): boolean {
  return type.family === "date" || type.family === "timestamp" || type.family === "timestamptz";
}
