import { describe, expect, it } from "vitest";
import type { Cells } from "../../../provider/engine/validation/comparison.js";
import { settle } from "../../../provider/engine/validation/settle.js";

const cells = (digests: Readonly<Record<string, string>>): Cells =>
  new Map(Object.entries(digests).map(([name, digest]) => [name, { rows: 1, digest }]));

/** Each round's reads of either side, in order; the last goes on. */
async function settled(rounds: readonly (readonly [Record<string, string>, Record<string, string>])[], most = 8, still = false) {
  const order: string[] = [];
  let round = -1;
  const side = (index: 0 | 1, name: string) => async () => {
    if (index === 0) round++;
    order.push(name);
    return cells(rounds[Math.min(round, rounds.length - 1)]?.[index] ?? {});
  };
  const { different, moving } = await settle({
    source: side(0, "source"),
    target: side(1, "target"),
    arrived: async () => void order.push("arrived"),
    pause: async () => undefined,
    rounds: most,
    still,
  });
  return { different: [...different.keys()], moving: [...moving], order };
}

describe("rows that differ at first sight", () => {
  it("are equal when the target has caught up", async () => {
    expect(
      await settled([
        [{ a: "2" }, { a: "1" }],
        [{ a: "2" }, { a: "2" }],
      ]),
    ).toMatchObject({ different: [], moving: [] });
  });

  it("differ when they are the same difference again, and not before", async () => {
    const found = await settled([
      [
        { a: "1", b: "x" },
        { a: "2", b: "x" },
      ],
    ]);
    expect(found).toMatchObject({ different: ["a"], moving: [] });
    expect(found.order).toEqual(["source", "arrived", "target", "source", "arrived", "target"]);
  });

  it("do not differ as long as either side changes", async () => {
    const rounds = [
      [{ a: "1" }, { a: "0" }],
      [{ a: "2" }, { a: "1" }],
      [{ a: "3" }, { a: "2" }],
    ] as const;
    expect(await settled(rounds, 3)).toMatchObject({ different: [], moving: ["a"] });
    expect(await settled([...rounds, [{ a: "3" }, { a: "3" }]])).toMatchObject({ different: [], moving: [] });
  });

  it("do not differ when a value went to and fro meanwhile, which its stamp tells", async () => {
    const there = (stamp: string): Cells => new Map([["a", { rows: 1, digest: "1", stamp }]]);
    let stamp = 0;
    const { different, moving } = await settle({
      source: async () => there(`${stamp++}`),
      target: async () => cells({ a: "2" }),
      arrived: async () => undefined,
      pause: async () => undefined,
      rounds: 4,
      still: false,
    });
    expect({ different: different.size, moving: [...moving] }).toEqual({ different: 0, moving: ["a"] });
  });

  it("are missing or extra rows as well as changed ones", async () => {
    expect(await settled([[{ gone: "1" }, { extra: "1" }]])).toMatchObject({ different: ["gone", "extra"], moving: [] });
  });

  it("differ at once where nothing moves", async () => {
    const found = await settled([[{ a: "1" }, { a: "2" }]], 1, true);
    expect(found).toMatchObject({ different: ["a"], moving: [] });
    expect(found.order).toEqual(["source", "arrived", "target"]);
  });
});
