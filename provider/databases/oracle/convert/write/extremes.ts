import type { Expression } from "../read/expression.js";
import { unified } from "./coercion.js";
import type { FunctionWriter } from "./functions.js";
import { writeExpression } from "./writeExpression.js";

/** GREATEST and LEAST are NULL when one argument is; PostgreSQL's leave it out of the comparison. */
export function extreme(name: string): FunctionWriter {
  return (args, env) => {
    const { sql: written, type } = unified(
      args.map((arg) => writeExpression(arg, env)),
      env,
    );
    const call = `${name}(${written.join(", ")})`;
    const maybeNull = written.filter((_, index) => !isConstant(args[index]));
    if (maybeNull.length === 0) return { sql: call, type };
    return { sql: `CASE WHEN num_nulls(${maybeNull.join(", ")}) = 0 THEN ${call} END`, type };
  };
}

function isConstant(expression: Expression | undefined): boolean {
  return expression?.kind === "literal" && expression.type !== "null" && expression.value !== "";
}
