import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe } from "vitest";
import { cliFolder } from "./pulumi.js";

/** Tests of YAML programs: left out by name where the set-up could not have their language host; in CI they fail then. */
export function describeYaml(name: string, tests: () => void): void {
  const there = existsSync(join(cliFolder(), "bin/pulumi-language-yaml"));
  if (!there && !process.env.CI) describe.skip(`${name} (left out: there is no pulumi-language-yaml)`, tests);
  else describe(name, tests);
}
