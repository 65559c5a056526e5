import { writeFileSync } from "node:fs";
import type { Reporter, TestCase, TestModule } from "vitest/node";

/**
 * Ends a run with one plain line, `N passed, N failed`, on the standard output or, where a script wants to print
 * more before it, in the file named by GODWIT_SUMMARY. A test file that could not be loaded and an error outside of any test count as failed.
 * With CI=true a skipped test fails the run by name: nothing is left out in silence.
 */
export default class SummaryReporter implements Reporter {
  /** At once, not only at the end: a run that is cut off would keep to itself what failed. */
  onTestCaseResult(test: TestCase): void {
    const { state, errors } = test.result();
    if (state !== "failed") return;
    const texts = errors.map(({ stack, message, diff }) => [stack ?? message, diff].filter(Boolean).join("\n"));
    console.error(`failed: ${test.module.relativeModuleId} > ${test.fullName}\n${texts.join("\n")}`);
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: "passed" | "failed" | "skipped") => tests.filter((test) => test.result().state === state).length;
    const broken = modules.filter((module) => module.state() === "failed" && module.errors().length > 0).length;
    const failed = count("failed") + broken + unhandledErrors.length;
    const skipped = tests.filter((test) => test.result().state === "skipped");
    if (skipped.length > 0 && process.env.CI === "true") {
      console.error(
        `CI forbids skipped tests:\n${skipped.map((test) => `  ${test.module.moduleId} > ${test.fullName}`).join("\n")}`,
      );
      process.exitCode = 1;
    }
    const line = `${count("passed")} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ""}`;
    const file = process.env.GODWIT_SUMMARY;
    if (file) writeFileSync(file, `${line}\n`);
    // After the default reporter's own summary, which is printed when the event loop comes around.
    else setImmediate(() => console.log(line));
  }
}
