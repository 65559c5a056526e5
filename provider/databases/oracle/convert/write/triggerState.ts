import type { Declaration } from "../read/plsql.js";
import { registerExceptions } from "./blocks.js";
import type { Environment } from "./environment.js";
import { hoistRoutines } from "./innerRoutines.js";
import { quoteText } from "./names.js";
import { writeState } from "./packageState.js";
import { declareType } from "./typeDeclarations.js";
import { writeSql as writeInitial } from "./writeExpression.js";

/**
 * Variables of a compound trigger that its sections share. They are kept as a package's are; the lines in `reset` put them back to
 * unset, which reads as their initial values, at the start of each statement.
 */
export function writePackageless(
  declarations: readonly Declaration[],
  env: Environment,
): { statements: string[]; reset: string[] } {
  const statements: string[] = [];
  const reset: string[] = [];
  registerExceptions(declarations, env);
  for (const declaration of declarations) {
    if (declaration.kind === "type")
      env.scope.set(declaration.name, {
        kind: "type",
        type: declareType(declaration.name, declaration.definition, [env.home], env, declaration.line),
      });
    else if (declaration.kind === "cursor") {
      const { name, parameters, query } = declaration;
      env.scope.set(name, { kind: "cursor", sql: name, parameters, ...(query ? { query } : {}), shared: env.scope });
    } else if (declaration.kind === "variable") {
      statements.push(...writeState(declaration, env));
      const entry = env.scope.own(declaration.name);
      if (entry?.kind === "state" && !declaration.constant)
        reset.push(
          `PERFORM set_config(${quoteText(entry.setting)}, coalesce((${initialText(declaration, env)})::text, ''), false);`,
        );
    }
  }
  hoistRoutines(
    declarations.flatMap((declaration) => (declaration.kind === "routine" ? [declaration.routine] : [])),
    env,
  );
  return { statements, reset };
}

function initialText(declaration: Extract<Declaration, { kind: "variable" }>, env: Environment): string {
  return declaration.initial ? writeInitial(declaration.initial, env) : "NULL";
}
