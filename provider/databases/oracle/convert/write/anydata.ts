import { Unconvertible } from "../read/cursor.js";
import type { Expression } from "../read/expression.js";
import type { Environment } from "./environment.js";
import { anydata } from "./types.js";
import { type Written, writeSql } from "./writeExpression.js";

/** What ANYDATA calls a type, and the type here, by the end of the names of the methods for it. */
const KINDS: Readonly<Record<string, readonly [string, string]>> = {
  number: ["SYS.NUMBER", "numeric"],
  varchar2: ["SYS.VARCHAR2", "varchar"],
  varchar: ["SYS.VARCHAR", "varchar"],
  char: ["SYS.CHAR", "varchar"],
  nchar: ["SYS.NCHAR", "varchar"],
  nvarchar2: ["SYS.NVARCHAR2", "varchar"],
  date: ["SYS.DATE", "timestamp(0)"],
  timestamp: ["SYS.TIMESTAMP", "timestamp"],
  timestamptz: ["SYS.TIMESTAMP_WITH_TIMEZONE", "timestamptz"],
  timestampltz: ["SYS.TIMESTAMP_WITH_LTZ", "timestamptz"],
  intervalds: ["SYS.INTERVAL_DAY_SECOND", "interval"],
  intervalym: ["SYS.INTERVAL_YEAR_MONTH", "interval"],
  raw: ["SYS.RAW", "bytea"],
  blob: ["SYS.BLOB", "bytea"],
  clob: ["SYS.CLOB", "text"],
  nclob: ["SYS.NCLOB", "text"],
  bfloat: ["SYS.BINARY_FLOAT", "real"],
  bdouble: ["SYS.BINARY_DOUBLE", "double precision"],
};

/** ANYDATA.CONVERTNUMBER(value) and the like; undefined for any other name. */
export function writeAnydataFunction(
  parts: readonly string[],
  args: readonly Expression[],
  env: Environment,
): Written | undefined {
  const [home, name = ""] = parts;
  const [value] = args;
  if (home !== "anydata" || parts.length !== 2 || !value || !name.startsWith("convert")) return undefined;
  const sql = writeSql(value, env);
  const kind = KINDS[name.slice("convert".length)];
  const named = /^convert(object|collection)$/.test(name);
  if (!kind && !named) return undefined;
  const typeName = kind ? `'${kind[0]}'` : `upper(pg_typeof(${sql})::text)`;
  const text = kind ? `CAST(${sql} AS ${kind[1]})` : `(${sql})`;
  return { sql: `CAST(ROW(${typeName}, ${text}::text) AS godwit_oracle.anydata)`, type: anydata(env) };
}

/** GETTYPENAME and ACCESS...; what fills an OUT argument (GET...) or builds a value piece by piece has no counterpart. */
export function writeAnydataMethod(value: string, name: string, env: Environment, line: number): Written {
  if (name === "gettypename") return { sql: `(${value}).type_name`, type: { sql: "text", family: "string" } };
  const kind = name.startsWith("access") ? KINDS[name.slice("access".length)] : undefined;
  if (!kind) throw new Unconvertible(`ANYDATA.${name.toUpperCase()}`, line);
  const text = `${env.output.use("anydata_value")}(${value}, '${kind[0]}')`;
  return { sql: `CAST(${text} AS ${kind[1]})`, type: { sql: kind[1], family: "unknown" } };
}
