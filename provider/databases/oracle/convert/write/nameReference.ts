import { Unconvertible } from "../read/cursor.js";
import type { ExpressionOf } from "../read/expression.js";
import { writeAccess } from "./access.js";
import { writePackageName } from "./builtinPackages.js";
import type { Environment } from "./environment.js";
import { writeSqlCode } from "./exceptionStates.js";
import { quoteName, quoteNames, quoteText } from "./names.js";
import { DATE, INTEGER, NUMERIC, TEXT, TIMESTAMP, TIMESTAMPTZ, type Type, UNKNOWN } from "./types.js";
import type { Written } from "./writeExpression.js";

/** Writes a name: a variable, a column, a sequence's value, a function without brackets or one of Oracle's own. */
export function writeName(e: ExpressionOf<"name">, env: Environment): Written {
  if (e.outer) throw new Unconvertible("(+) at this place", e.line);
  if (e.link !== undefined) throw new Unconvertible(`the database link @${e.link}`, e.line);
  const [first = "", second] = e.parts;
  const access = writeAccess(e, env);
  if (access) return access;
  const pseudo = e.parts.length === 1 ? env.pseudo?.get(first) : undefined;
  if (pseudo !== undefined) return { sql: pseudo, type: first === "rownum" || first === "level" ? INTEGER : UNKNOWN };
  const own = e.parts.length === 1 ? ownName(first, env, e.line) : undefined;
  if (own) return own;
  const last = e.parts.at(-1);
  if (second !== undefined && (last === "nextval" || last === "currval")) {
    return { sql: `${last}(${quoteText(quoteNames(e.parts.slice(0, -1)))})`, type: NUMERIC };
  }
  const column = writeColumn(e, env);
  if (column) return column;
  return writePackageName(e.parts[0] === "sys" ? e.parts.slice(1) : e.parts, env) ?? writeBareCall(e, env);
}

function writeColumn(e: ExpressionOf<"name">, env: Environment): Written | undefined {
  const [first = "", second] = e.parts;
  if (e.parts.length === 1) {
    let type: Type | undefined;
    for (const table of env.scope.tables()) type ??= table.columns?.get(first);
    const routine = env.scope.find(first);
    if (!type && routine?.kind === "routine") return undefined;
    if (!type && env.tableless && env.place === "query" && env.scope.tables().next().done) return undefined;
    if (env.place === "procedure") return type ? { sql: quoteName(first), type } : undefined;
    return { sql: quoteName(first), type: type ?? unknownColumn(first, env) };
  }
  const entry = env.scope.find(first);
  if (entry?.kind === "table") {
    if (e.parts.length === 2 && second === "rowid" && !entry.columns?.has("rowid"))
      return { sql: `${entry.sql}.ctid`, type: UNKNOWN };
    const rest = e.parts.slice(1).map(quoteName);
    const type = e.parts.length === 2 ? entry.columns?.get(second ?? "") : undefined;
    // Attributes of an object column need the column in brackets.
    const sql = rest.length > 1 ? `(${entry.sql}.${rest[0]}).${rest.slice(1).join(".")}` : `${entry.sql}.${rest[0]}`;
    return { sql, type: type ?? unknownColumn(e.parts.at(-1) ?? "", env) };
  }
  if (e.parts.length === 3) {
    const table = env.scope.find(second ?? "");
    if (table?.kind === "table")
      return {
        sql: `${table.sql}.${quoteName(e.parts[2] ?? "")}`,
        type: table.columns?.get(e.parts[2] ?? "") ?? unknownColumn(e.parts[2] ?? "", env),
      };
  }
  if (env.place === "definition") return { sql: quoteName(e.parts.at(-1) ?? ""), type: unknownColumn(e.parts.at(-1) ?? "", env) };
  return undefined;
}

function unknownColumn(name: string, env: Environment): Type {
  const leaning = env.leanings?.of(name);
  return leaning === undefined ? UNKNOWN : { ...UNKNOWN, leaning };
}

/** What is no variable and no column can only be a function without arguments, or a package's variable, which is read by one. */
function writeBareCall(e: ExpressionOf<"name">, env: Environment): Written {
  const entry = env.scope.find(e.parts[0] ?? "");
  if (!entry && env.openSelf && e.parts.length === 1) return { sql: `self.${quoteName(e.parts[0] ?? "")}`, type: UNKNOWN };
  if (entry?.kind === "routine" && e.parts.length === 1) return { sql: `${entry.sql}()`, type: UNKNOWN };
  const state = env.catalog.packages.get(e.parts.at(-2) ?? "")?.own(e.parts.at(-1) ?? "");
  if (state?.kind === "state") return { sql: state.read, type: state.type };
  if (e.parts.length === 1 && env.openHome && env.home !== undefined)
    return { sql: `${quoteNames([env.home, ...e.parts])}()`, type: UNKNOWN };
  return { sql: `${quoteNames(e.parts)}()`, type: UNKNOWN };
}

function ownName(name: string, env: Environment, line: number): Written | undefined {
  // Inside PL/SQL the moment is that of the call; outside it is that of the statement, so that all its rows get one.
  const now = env.unit ? "clock_timestamp()" : "statement_timestamp()";
  switch (name) {
    case "sysdate":
    case "current_date":
      return { sql: `date_trunc('second', ${now})::timestamp(0)`, type: DATE };
    case "systimestamp":
    case "current_timestamp":
      return { sql: now, type: TIMESTAMPTZ };
    case "localtimestamp":
      return { sql: `${now}::timestamp`, type: TIMESTAMP };
    case "user":
      return { sql: "session_user", type: TEXT };
    case "uid":
      return { sql: "(SELECT oid::bigint FROM pg_roles WHERE rolname = session_user)", type: INTEGER };
    case "sessiontimezone":
    case "dbtimezone":
      return { sql: "current_setting('TimeZone')", type: TEXT };
    case "sqlerrm":
    case "sqlcode":
      return writeError(name, env, line);
    case "inserting":
    case "updating":
    case "deleting":
      if (env.unit?.kind !== "trigger") return undefined;
      return { sql: `(TG_OP = '${name === "inserting" ? "INSERT" : name === "updating" ? "UPDATE" : "DELETE"}')`, type: UNKNOWN };
    case "rowid":
      return { sql: "ctid", type: UNKNOWN };
    case "rownum":
      if (env.place === "query") throw new Unconvertible("ROWNUM at this place", line);
      return undefined;
    case "default":
      return { sql: "DEFAULT", type: UNKNOWN };
    case "ora_rowscn":
      throw new Unconvertible("ORA_ROWSCN", line);
    default:
      return FLOATING_CONSTANTS.get(name) ?? EVENT_ATTRIBUTES.get(name);
  }
}

/** PostgreSQL knows the error only in the handler itself; what a handler calls knows it in Oracle, too. */
function writeError(name: "sqlerrm" | "sqlcode", env: Environment, line: number): Written {
  const type = name === "sqlerrm" ? TEXT : INTEGER;
  if (env.unit && env.unit.handlers > 0)
    return { sql: name === "sqlerrm" ? `${env.output.use("sqlerrm")}(SQLSTATE, SQLERRM)` : writeSqlCode(), type };
  env.output.warn(
    `${name.toUpperCase()} outside of a handler says that there is no error: in Oracle it is that of the handler which calls the routine`,
    line,
  );
  return { sql: name === "sqlerrm" ? "'ORA-0000: normal, successful completion'" : "0", type };
}

/** What no number literal can say. */
const FLOATING_CONSTANTS = new Map<string, Written>(
  (["binary_double", "binary_float"] as const).flatMap((name): [string, Written][] => {
    const sql = name === "binary_double" ? "double precision" : "real";
    const type: Type = { sql, family: "float" };
    return [
      [`${name}_nan`, { sql: `'NaN'::${sql}`, type }],
      [`${name}_infinity`, { sql: `'Infinity'::${sql}`, type }],
    ];
  }),
);

/** Functions without arguments that triggers on DDL and logon use. */
const EVENT_ATTRIBUTES = new Map<string, Written>([
  ["ora_login_user", { sql: "session_user", type: TEXT }],
  ["ora_sysevent", { sql: "TG_TAG", type: TEXT }],
  ["ora_database_name", { sql: "current_database()", type: TEXT }],
  ["ora_client_ip_address", { sql: "host(inet_client_addr())", type: TEXT }],
  ["ora_dict_obj_name", { sql: "(SELECT min(object_identity) FROM pg_event_trigger_ddl_commands())", type: TEXT }],
  ["ora_dict_obj_owner", { sql: "(SELECT min(schema_name) FROM pg_event_trigger_ddl_commands())", type: TEXT }],
  ["ora_dict_obj_type", { sql: "(SELECT min(object_type) FROM pg_event_trigger_ddl_commands())", type: TEXT }],
]);
