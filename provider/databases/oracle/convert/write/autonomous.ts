import type { Routine } from "../read/plsql.js";
import type { Environment } from "./environment.js";
import { dollarQuote, quoteName, quoteText } from "./names.js";
import type { WrittenParameter } from "./routines.js";
import { castable, type Type } from "./types.js";

/** Where an autonomous routine connects to: the setting godwit.autonomous_connection, else the same database. */
const CONNECTION = "coalesce(current_setting('godwit.autonomous_connection', true), 'dbname=' || current_database())";

/**
 * PRAGMA AUTONOMOUS_TRANSACTION: the body becomes a routine of its own, which this one calls over a second connection, so that
 * what it commits stays when the caller rolls back. Undefined where OUT parameters would have to come back.
 */
export function writeAutonomous(
  routine: Routine,
  sql: string,
  parameters: readonly WrittenParameter[],
  returns: Type | undefined,
  env: Environment,
): { inner: string; sql: string } | undefined {
  if (parameters.some(({ mode }) => mode !== "IN") || returns?.sql === "record") return undefined;
  env.output.warn("AUTONOMOUS_TRANSACTION runs over a second connection: it needs the extension dblink", routine.line);
  const inner = sql.replace(/"?$/, (quote) => `_autonomous${quote}`);
  const isFunction = routine.kind === "function";
  const placeholders = parameters.map(({ type }) => `%L${castable(type) ? `::${castable(type)}` : ""}`).join(", ");
  const values = parameters.map(({ name }) => `, ${quoteName(name)}`).join("");
  const command = `format(${quoteText(`${isFunction ? "SELECT" : "CALL"} ${inner.replaceAll("%", "%%")}(${placeholders})`)}${values})`;
  const list = parameters.map(({ text }) => text).join(", ");
  const lines =
    isFunction && returns
      ? [
          `DECLARE\n  godwit_result ${returns.sql};`,
          "BEGIN",
          `  SELECT r INTO godwit_result FROM dblink(${CONNECTION}, ${command}) AS godwit_answer(r ${castable(returns) ?? "text"});`,
          "  RETURN godwit_result;",
          "END",
        ]
      : ["BEGIN", `  PERFORM dblink_exec(${CONNECTION}, ${command});`, "END"];
  const head = `CREATE OR REPLACE ${isFunction ? "FUNCTION" : "PROCEDURE"} ${sql}(${list})${isFunction && returns ? ` RETURNS ${returns.sql}` : ""}`;
  return { inner, sql: `${head} LANGUAGE plpgsql AS ${dollarQuote(lines.join("\n"))}` };
}
