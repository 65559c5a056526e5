import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    // Every file starts servers of its own; more at once than two cores can carry only makes them time out.
    maxWorkers: 2,
    globalSetup: ["test/support/globalSetup.ts"],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    reporters: ["default", "./test/support/summaryReporter.ts"],
  },
});
