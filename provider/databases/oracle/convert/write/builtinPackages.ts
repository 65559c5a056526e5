import { Unconvertible } from "../read/cursor.js";
import type { Argument, Expression, ExpressionOf } from "../read/expression.js";
import { writeAnydataFunction } from "./anydata.js";
import { writeAssignment } from "./assignment.js";
import type { Environment } from "./environment.js";
import { numberText } from "./numberText.js";
import { inPlace } from "./packageParameters.js";
import { isSystemPackage } from "./systemPackages.js";
import { BYTES, INTEGER, NUMERIC, TEXT, type Type } from "./types.js";
import { type Written, writeExpression, writeOperand, writeSql } from "./writeExpression.js";

type Values = readonly (Expression | undefined)[];
type FunctionOf = (args: Values, env: Environment) => string;

/** Functions of Oracle's packages as expressions. */
const FUNCTIONS: Readonly<Record<string, readonly [Type, FunctionOf]>> = {
  "dbms_lob.getlength": [INTEGER, ([lob], env) => `length(${sql(lob, env)})`],
  "dbms_lob.substr": [
    TEXT,
    ([lob, amount, start], env) =>
      `nullif(substr(${sql(lob, env)}, ${start ? integer(start, env) : "1"}, ${amount ? integer(amount, env) : "32767"}), '')`,
  ],
  "dbms_lob.instr": [
    INTEGER,
    ([lob, ...rest], env) => `${env.output.use("instr")}(${[lob, ...rest].map((arg) => sql(arg, env)).join(", ")})`,
  ],
  "dbms_lob.compare": [INTEGER, ([a, b], env) => `CASE WHEN ${sql(a, env)} = ${sql(b, env)} THEN 0 ELSE 1 END`],
  "dbms_lob.istemporary": [INTEGER, () => "1"],
  "dbms_lob.isopen": [INTEGER, () => "0"],
  "dbms_random.value": [
    NUMERIC,
    ([low, high], env) =>
      low && high
        ? `(${writeOperand(low, env).sql} + random()::numeric * (${sql(high, env)} - ${writeOperand(low, env).sql}))`
        : "random()::numeric",
  ],
  "dbms_random.normal": [NUMERIC, () => "(sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()))::numeric"],
  "dbms_random.random": [NUMERIC, () => "(floor(random() * 4294967296) - 2147483648)::numeric"],
  "dbms_random.string": [
    TEXT,
    ([kind, amount], env) => `${env.output.use("random_string")}(${sql(kind, env)}, ${sql(amount, env)})`,
  ],
  "dbms_utility.get_time": [INTEGER, () => "(extract(epoch FROM clock_timestamp()) * 100)::bigint"],
  "dbms_utility.get_cpu_time": [INTEGER, () => "(extract(epoch FROM clock_timestamp()) * 100)::bigint"],
  "dbms_utility.format_error_stack": [TEXT, (_, env) => (env.unit && env.unit.handlers > 0 ? "SQLERRM" : "NULL::text")],
  "dbms_utility.format_error_backtrace": [TEXT, diagnostics("PG_EXCEPTION_CONTEXT")],
  "dbms_utility.format_call_stack": [TEXT, callStack],
  "utl_call_stack.dynamic_depth": [INTEGER, (_, env) => `cardinality(string_to_array(${callStack([], env)}, chr(10)))`],
  "dbms_session.unique_session_id": [TEXT, () => "pg_backend_pid()::text"],
  "dbms_transaction.local_transaction_id": [TEXT, () => "pg_current_xact_id_if_assigned()::text"],
  "dbms_db_version.version": [INTEGER, () => "19"],
  "odciconst.success": [INTEGER, () => "0"],
  "odciconst.error": [INTEGER, () => "1"],
  "odciconst.warning": [INTEGER, () => "2"],
  "dbms_lob.lobmaxsize": [NUMERIC, () => "1073741823"],
  "utl_tcp.crlf": [TEXT, () => "E'\\r\\n'"],
  "dbms_crypto.hash_md5": [INTEGER, () => "2"],
  "dbms_crypto.hash_sh256": [INTEGER, () => "4"],
  "dbms_crypto.hash_sh384": [INTEGER, () => "5"],
  "dbms_crypto.hash_sh512": [INTEGER, () => "6"],
  "utl_raw.compare": [INTEGER, ([a, b], env) => `CASE WHEN ${sql(a, env)} IS NOT DISTINCT FROM ${sql(b, env)} THEN 0 ELSE 1 END`],
  "dbms_db_version.release": [INTEGER, () => "0"],
  "dbms_assert.enquote_literal": [TEXT, ([value], env) => `quote_literal(${sql(value, env)})`],
  "dbms_assert.enquote_name": [TEXT, ([value], env) => `quote_ident(lower(${sql(value, env)}))`],
  "dbms_assert.simple_sql_name": [TEXT, ([value], env) => sql(value, env)],
  "dbms_assert.qualified_sql_name": [TEXT, ([value], env) => sql(value, env)],
  "dbms_assert.schema_name": [TEXT, ([value], env) => `(${sql(value, env)})::regnamespace::text`],
  "dbms_assert.sql_object_name": [TEXT, ([value], env) => `(${sql(value, env)})::regclass::text`],
  "dbms_assert.noop": [TEXT, ([value], env) => sql(value, env)],
  "dbms_xmlgen.convert": [
    TEXT,
    ([value], env) => `replace(replace(replace(${sql(value, env)}, '&', '&amp;'), '<', '&lt;'), '>', '&gt;')`,
  ],
  "utl_raw.cast_to_raw": [BYTES, ([value], env) => `convert_to(${sql(value, env)}, 'UTF8')`],
  "utl_raw.cast_to_varchar2": [TEXT, ([value], env) => `convert_from(${sql(value, env)}, 'UTF8')`],
  "utl_raw.length": [INTEGER, ([value], env) => `octet_length(${sql(value, env)})`],
  "utl_raw.substr": [
    BYTES,
    ([value, ...rest], env) =>
      `substr(${[sql(value, env), ...rest.flatMap((arg) => (arg ? [integer(arg, env)] : []))].join(", ")})`,
  ],
  "utl_raw.concat": [BYTES, (args, env) => `(${args.map((arg) => sql(arg, env)).join(" || ")})`],
  "utl_encode.base64_encode": [BYTES, ([value], env) => `convert_to(encode(${sql(value, env)}, 'base64'), 'UTF8')`],
  "utl_encode.base64_decode": [BYTES, ([value], env) => `decode(convert_from(${sql(value, env)}, 'UTF8'), 'base64')`],
  "utl_i18n.string_to_raw": [BYTES, ([value], env) => `convert_to(${sql(value, env)}, 'UTF8')`],
  "utl_i18n.raw_to_char": [TEXT, ([value], env) => `convert_from(${sql(value, env)}, 'UTF8')`],
  "dbms_obfuscation_toolkit.md5": [TEXT, ([value], env) => `md5(${sql(value, env)})`],
  "dbms_lock.request": [
    INTEGER,
    ([key], env) => `CASE WHEN pg_try_advisory_lock(hashtext((${sql(key, env)})::text)) THEN 0 ELSE 1 END`,
  ],
};

type Procedure = (args: Values, env: Environment, line: number) => string[];

/** Procedures of Oracle's packages as statements. */
const PROCEDURES: Readonly<Record<string, Procedure>> = {
  "dbms_output.put_line": notice,
  "dbms_output.put": notice,
  "dbms_output.new_line": () => ["RAISE NOTICE '';"],
  "dbms_output.enable": nothing,
  "dbms_output.disable": nothing,
  "dbms_lock.sleep": ([seconds], env) => [`PERFORM pg_sleep(${sql(seconds, env)});`],
  "dbms_session.sleep": ([seconds], env) => [`PERFORM pg_sleep(${sql(seconds, env)});`],
  "dbms_random.seed": nothing,
  "dbms_random.initialize": nothing,
  "dbms_random.terminate": nothing,
  "dbms_application_info.set_module": ([name, action], env) => [
    `PERFORM set_config('application_name', ${sql(name, env)}, false);`,
    ...(action ? [writeSetting("userenv.action", action, env)] : []),
  ],
  "dbms_application_info.set_action": ([action], env) => [writeSetting("userenv.action", action, env)],
  "dbms_application_info.set_client_info": ([info], env) => [writeSetting("userenv.client_info", info, env)],
  "dbms_application_info.set_session_longops": nothing,
  "dbms_session.set_identifier": ([identifier], env) => [writeSetting("userenv.client_identifier", identifier, env)],
  "dbms_session.clear_identifier": (_, env) => [writeSetting("userenv.client_identifier", undefined, env)],
  "dbms_session.clear_context": ([space, , key], env, line) => {
    if (!key) throw new Unconvertible("DBMS_SESSION.CLEAR_CONTEXT of all attributes: a setting is cleared by its name", line);
    return [`PERFORM set_config(lower(concat(${sql(space, env)}, '.', ${sql(key, env)})), '', false);`];
  },
  "dbms_session.set_context": ([space, key, value], env) => [
    `PERFORM set_config(lower(concat(${sql(space, env)}, '.', ${sql(key, env)})), (${sql(value, env)})::text, false);`,
  ],
  "dbms_session.free_unused_user_memory": nothing,
  "dbms_session.modify_package_state": nothing,
  "dbms_lob.createtemporary": ([lob], env) => (lob ? writeAssignment(lob, "''", env) : []),
  "dbms_lob.freetemporary": nothing,
  "dbms_lob.open": nothing,
  "dbms_lob.close": nothing,
  "dbms_lob.append": ([lob, text], env) =>
    lob && text ? writeAssignment(lob, writeAppended(lob, sql(text, env), env), env) : [],
  "dbms_lob.writeappend": ([lob, amount, text], env) => {
    if (!lob || !text) return [];
    const buffer = sql(text, env);
    // LENGTH of the buffer is what most calls say; another amount is a part of it.
    const length = amount ? integer(amount, env) : undefined;
    const isWhole =
      length === undefined || [`length(${buffer})`, `octet_length(${buffer})`].includes(length.replace("::integer", ""));
    return writeAssignment(lob, writeAppended(lob, isWhole ? buffer : `substr(${buffer}, 1, ${length})`, env), env);
  },
  "dbms_lob.trim": ([lob, size], env) =>
    lob ? writeAssignment(lob, `left(${sql(lob, env)}, (${sql(size, env)})::integer)`, env) : [],
  "dbms_utility.exec_ddl_statement": ([command], env) => [`EXECUTE ${sql(command, env)};`],
  "dbms_stats.gather_table_stats": analyze,
  "dbms_stats.gather_schema_stats": () => ["ANALYZE;"],
  "dbms_mview.refresh": ([list], env) => [`EXECUTE format('REFRESH MATERIALIZED VIEW %s', ${sql(list, env)});`],
  "dbms_snapshot.refresh": ([list], env) => [`EXECUTE format('REFRESH MATERIALIZED VIEW %s', ${sql(list, env)});`],
  "dbms_alert.signal": ([name, message], env) => [`PERFORM pg_notify(${sql(name, env)}, ${sql(message, env)});`],
};

/** Writes a call of a function in one of Oracle's packages; undefined for any other name. */
export function writePackageFunction(parts: readonly string[], e: ExpressionOf<"call">, env: Environment): Written | undefined {
  const name = parts.join(".");
  const any = writeAnydataFunction(
    parts,
    e.args.map((arg) => arg.value),
    env,
  );
  if (any) return any;
  const known = FUNCTIONS[name];
  if (!known) {
    warnOfPackage(parts, env, e.line);
    return undefined;
  }
  return { sql: known[1](inPlace(name, e.args), env), type: known[0] };
}

/** The same for names without brackets (dbms_utility.get_time, dbms_db_version.version). */
export function writePackageName(parts: readonly string[], env: Environment): Written | undefined {
  const known = FUNCTIONS[parts.join(".")];
  return known && { sql: known[1]([], env), type: known[0] };
}

/** Writes a call of a procedure in one of Oracle's packages; undefined for any other name. */
export function writePackageProcedure(
  parts: readonly string[],
  args: readonly Argument[],
  env: Environment,
  line: number,
): string[] | undefined {
  const name = parts.join(".");
  const known = PROCEDURES[name];
  if (!known) warnOfPackage(parts, env, line);
  return known?.(inPlace(name, args), env, line);
}

/** A call that PostgreSQL has nothing for stays as it is written, for a schema of that name that someone may provide. */
function warnOfPackage(parts: readonly string[], env: Environment, line: number): void {
  const home = parts.at(-2) ?? "";
  if (parts.length < 2 || !isSystemPackage(home) || env.catalog.packages.has(home)) return;
  env.output.warn(
    `${parts.join(".").toUpperCase()}: PostgreSQL has no such package, the call fails unless the target is given one`,
    line,
  );
}

function sql(expression: Expression | undefined, env: Environment): string {
  return expression ? writeSql(expression, env) : "NULL";
}

/** An argument that PostgreSQL's function wants as an integer, which no numeric is by itself. */
function integer(expression: Expression, env: Environment): string {
  const written = writeOperand(expression, env);
  return written.type.family === "integer" ? written.sql : `${written.sql}::integer`;
}

/** A LOB with more behind it: bytes are no text to concat(). */
function writeAppended(lob: Expression, more: string, env: Environment): string {
  const written = writeOperand(lob, env);
  return written.type.family === "bytes" ? `coalesce(${written.sql}, '') || ${more}` : `concat(${written.sql}, ${more})`;
}

/** What SYS_CONTEXT reads again; a setting that was once made is empty, never NULL. */
function writeSetting(setting: string, value: Expression | undefined, env: Environment): string {
  return `PERFORM set_config('${setting}', ${value ? `coalesce((${sql(value, env)})::text, '')` : "''"}, false);`;
}

function nothing(): string[] {
  return ["NULL;"];
}

function notice([text]: Values, env: Environment): string[] {
  if (!text || (text.kind === "literal" && (text.type === "null" || text.value === ""))) return ["RAISE NOTICE '';"];
  const written = writeExpression(text, env);
  const shown = written.type.family === "number" ? numberText(written.sql, env) : written.sql;
  return [`RAISE NOTICE '%', ${shown};`];
}

function analyze([, table]: Values, env: Environment): string[] {
  return [`EXECUTE format('ANALYZE %s', ${sql(table, env)});`];
}

function diagnostics(item: string): FunctionOf {
  return (_, env) => {
    if (!env.unit || env.unit.handlers === 0) return "NULL::text";
    const name = env.unit.hide("context", "text");
    env.unit.before.push(`GET STACKED DIAGNOSTICS ${name} = ${item};`);
    return name;
  };
}

function callStack(_: Values, env: Environment): string {
  if (!env.unit) throw new Unconvertible("a call stack outside PL/SQL");
  const name = env.unit.hide("stack", "text");
  env.unit.before.push(`GET DIAGNOSTICS ${name} = PG_CONTEXT;`);
  return name;
}
