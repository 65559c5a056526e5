import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { generatedFiles } from "../../provider/contract/generatedTypes.js";

describe("the types made from schema.json", () => {
  it.each(generatedFiles())("$path is current; npm run generate makes it so", async ({ path, text }) => {
    expect(await readFile(join(__dirname, "../..", path), "utf8")).toBe(text);
  });
});
