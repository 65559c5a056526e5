import type { Declaration } from "../read/plsql.js";
import { settingName } from "./assignment.js";
import { initialOf } from "./blocks.js";
import type { Environment } from "./environment.js";
import { dollarQuote, indent, quoteNames, quoteText } from "./names.js";
import { castable, mapType } from "./types.js";
import { writeSql } from "./writeExpression.js";

export type Variable = Extract<Declaration, { kind: "variable" }>;

/**
 * Makes a package variable known and writes the function that reads it. The value lives as text in a setting of the session, which
 * is '' for NULL and missing until it is first set; a rollback takes a change back, which Oracle would keep. `first` are lines that run before
 * the value is read: the package's own initialization.
 */
export function writeState(declaration: Variable, env: Environment, first: readonly string[] = []): string[] {
  const home = env.home ?? "";
  const type = mapType(declaration.type, env, "variable");
  const name = quoteNames([home, declaration.name]);
  const setting = settingName(home, declaration.name);
  const initial = declaration.initial ? writeSql(declaration.initial, env) : (initialOf(type) ?? "NULL");
  env.scope.set(declaration.name, { kind: "state", read: `${name}()`, setting, type });
  const returns = type.sql.replace(/%ROWTYPE$/, "").replace(/^(varchar|char|numeric|timestamp|timestamptz)\([^)]*\)/, "$1");
  const target = castable(type);
  const cast = (sql: string) =>
    target && (type.family === "record" || type.family === "array" || type.family === "map") ? `CAST(${sql} AS ${target})` : sql;
  const value = `nullif(godwit_value, '')`;
  const body = declaration.constant
    ? ["BEGIN", `  RETURN ${cast(initial)};`, "END"]
    : [
        "DECLARE",
        "  godwit_value text;",
        "BEGIN",
        ...indent(first),
        `  godwit_value := current_setting(${quoteText(setting)}, true);`,
        `  IF godwit_value IS NULL THEN RETURN ${cast(initial)}; END IF;`,
        `  RETURN ${cast(value)};`,
        "END",
      ];
  return [
    `CREATE OR REPLACE FUNCTION ${name}() RETURNS ${returns} LANGUAGE plpgsql${first.length > 0 ? "" : " STABLE"} AS ${dollarQuote(body.join("\n"))}`,
  ];
}
