import { convertUnit } from "./convertUnit.js";
import { splitScript } from "./read/splitScript.js";
import type { Environment } from "./write/environment.js";
import { Scope } from "./write/environment.js";
import { writeNotice } from "./write/notice.js";

/** A DDL statement inside a dynamic statement's text, converted; undefined when it cannot be or is not one statement. */
export function convertWithin(text: string, env: Environment): string | undefined {
  const [unit, ...others] = splitScript(text);
  if (!unit || others.length > 0) return undefined;
  const { statement, skipped, support } = convertUnit(unit, { catalog: env.catalog, scope: new Scope() });
  if (!statement || skipped.length > 0) return undefined;
  if (statement.sql.length === 0 && statement.nothing !== undefined) {
    env.output.warn(`a dynamic statement became a notice: ${statement.nothing}`, 0);
    return writeNotice(`${text.trim().slice(0, 60)}: nothing to do: ${statement.nothing}`);
  }
  for (const name of support) env.output.use(name);
  for (const warning of statement.warnings) env.output.warn(warning.message, warning.line);
  return statement.sql.join(";\n");
}
