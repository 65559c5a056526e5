import { BYTES, DATE, INTEGER, NUMERIC, TEXT, TIMESTAMP, type Type } from "./types.js";

/** Packages that come with Oracle: those whose names say so, and the few others that code outside of Oracle calls. */
export function isSystemPackage(name: string): boolean {
  return /^(dbms|utl|owa|ctx|sdo|apex|wwv|htp$|htf$|xmldom$|xmlparser$|xslprocessor$|anydata$|anytype$|odciconst$)/.test(name);
}

/** Looked up when a type is mapped, since this module and that of the types need each other. */
const ELEMENTS = {
  text: () => TEXT,
  numeric: () => NUMERIC,
  integer: () => INTEGER,
  date: () => DATE,
  timestamp: () => TIMESTAMP,
  bytes: () => BYTES,
};

/** Collection types of Oracle's packages, by what they hold. All are indexed by an integer and start empty. */
const COLLECTIONS: Readonly<Record<string, keyof typeof ELEMENTS>> = {
  "dbms_sql.varchar2a": "text",
  "dbms_sql.varchar2s": "text",
  "dbms_sql.varchar2_table": "text",
  "dbms_sql.clob_table": "text",
  "dbms_sql.urowid_table": "text",
  "dbms_sql.number_table": "numeric",
  "dbms_sql.date_table": "date",
  "dbms_sql.timestamp_table": "timestamp",
  "dbms_sql.blob_table": "bytes",
  "dbms_output.chararr": "text",
  "dbms_utility.lname_array": "text",
  "dbms_utility.uncl_array": "text",
  "dbms_utility.name_array": "text",
  "dbms_utility.number_array": "numeric",
  "dbms_utility.index_table_type": "integer",
  "owa.vc_arr": "text",
  "owa_util.ident_arr": "text",
  "owa_util.vc_arr": "text",
  "apex_application_global.vc_arr2": "text",
  "apex_application_global.n_arr": "numeric",
  apex_t_varchar2: "text",
  apex_t_number: "numeric",
};

/** Handles that are numbers to those who hold them. */
const NUMBERS = new Set([
  "dbms_xmlgen.ctxhandle",
  "dbms_xmlgen.ctxtype",
  "dbms_xmlstore.ctxtype",
  "dbms_xmlsave.ctxtype",
  "dbms_xmlquery.ctxtype",
]);

/**
 * A type of one of Oracle's packages; undefined for any other name. Types of files, sockets, mail and dynamic cursors stand for
 * things that PostgreSQL's procedures do not reach: "opaque".
 */
export function systemType(name: readonly string[]): Type | "opaque" | undefined {
  const full = name.slice(-2).join(".");
  const kind = COLLECTIONS[full];
  const element = kind && ELEMENTS[kind]();
  if (element) return { sql: `${element.sql.replace(/\(.*\)/, "")}[]`, family: "array", element, sparse: true };
  if (NUMBERS.has(full)) return NUMERIC;
  return name.length < 2 || !isSystemPackage(name.at(-2) ?? "") || /^apex|^wwv/.test(name.at(-2) ?? "") ? undefined : "opaque";
}
