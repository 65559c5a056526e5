import { describe } from "vitest";
import { javaProblem } from "./mavenJars.js";

/**
 * `describe` for tests that need Kafka. Without Java or Maven they are left out here, with the reason in their name, and fail in CI.
 */
export function describeKafka(name: string, tests: () => void): void {
  const problem = javaProblem();
  if (problem && !process.env.CI) describe.skip(`${name} (left out: ${problem})`, tests);
  else describe(name, tests);
}
