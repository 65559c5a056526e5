import { describe, expect, it } from "vitest";
import { chunkCount } from "../../provider/engine/fullLoad.js";

const GB = 1024 ** 3;
const lanes = { tables: 4, chunksPerTable: 64 };

describe("splitting a table", () => {
  it("leaves tables whole that are no larger than a lane's share", () => {
    expect(chunkCount({ bytes: GB }, GB, "precheckAndReport", lanes)).toBe(1);
  });

  it("splits the one large table of a database over the lanes", () => {
    expect(chunkCount({ bytes: 10 * GB }, 2.5 * GB, "precheckAndReport", lanes)).toBe(16);
  });

  it("makes no chunk smaller than 64 MB", () => {
    expect(chunkCount({ bytes: 200 * 1024 ** 2 }, 50 * 1024 ** 2, "precheckAndReport", lanes)).toBe(3);
  });

  it("splits nothing where a crash could not tell its rows from the target's own", () => {
    expect(chunkCount({ bytes: 10 * GB }, GB, "ignoreAndProceed", lanes)).toBe(1);
  });

  it("keeps to chunksPerTable", () => {
    expect(chunkCount({ bytes: 100 * GB }, 25 * GB, "precheckAndReport", { tables: 4, chunksPerTable: 2 })).toBe(2);
  });
});
