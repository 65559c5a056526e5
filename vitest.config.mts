import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    // Every file starts servers of its own, and waits for them a third of the time: with two files at once, two cores were idle for 27 % of a run. More than
    // three only make each other time out.
    maxWorkers: 3,
    globalSetup: ["test/support/globalSetup.ts"],
    // For the slowest under three heavy neighbours; what a test waits for has limits of its own.
    testTimeout: 400_000,
    hookTimeout: 300_000,
    reporters: ["default", "./test/support/summaryReporter.ts"],
  },
});
