import type { Environment } from "./environment.js";

/** Oracle shows a number without trailing zeros and without a zero in front of the point. */
export function numberText(sql: string, env: Environment): string {
  return `${env.output.use("number_text")}(${sql})`;
}
