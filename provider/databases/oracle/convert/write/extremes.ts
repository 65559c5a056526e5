import type { Expression } from "../read/expression.js";
import type { FunctionWriter } from "./functions.js";
import { UNKNOWN } from "./types.js";
import { writeExpression } from "./writeExpression.js";

/** GREATEST and LEAST are NULL when one argument is; PostgreSQL's leave it out of the comparison. */
export function extreme(name: string): FunctionWriter {
  return (args, env) => {
    const written = args.map((arg) => writeExpression(arg, env));
    const call = `${name}(${written.map(({ sql }) => sql).join(", ")})`;
    const type = written[0]?.type ?? UNKNOWN;
    const maybeNull = written.filter((_, index) => !isConstant(args[index])).map(({ sql }) => sql);
    if (maybeNull.length === 0) return { sql: call, type };
    return { sql: `CASE WHEN num_nulls(${maybeNull.join(", ")}) = 0 THEN ${call} END`, type };
  };
}

function isConstant(expression: Expression | undefined): boolean {
  return expression?.kind === "literal" && expression.type !== "null" && expression.value !== "";
}
