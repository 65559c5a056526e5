import { expect, it } from "vitest";
import { rewrittenTuple, valuesAt } from "../../../../provider/databases/postgres/filter/packedTuples.js";

/** undefined: left out because it lies out of line. */
function packed(values: readonly (string | null | undefined)[]): Buffer {
  const count = Buffer.alloc(2);
  count.writeInt16BE(values.length);
  const parts = values.map((value) => {
    if (value === null) return Buffer.from("n");
    if (value === undefined) return Buffer.from("u");
    const head = Buffer.alloc(5);
    head.write("t");
    head.writeInt32BE(Buffer.byteLength(value), 1);
    return Buffer.concat([head, Buffer.from(value)]);
  });
  return Buffer.concat([count, ...parts]);
}
const text = (value: string | null) => (value === null ? null : Buffer.from(value));

it("a tuple takes other values in their places, behind its last, and from the row before", () => {
  const data = Buffer.concat([Buffer.from("lead"), packed(["1", "secret", undefined, null])]);
  const replaced = new Map([
    [1, text("***")],
    [3, text("made")],
  ]);
  expect(rewrittenTuple(data, 4, replaced, [text("added"), null], -1)).toEqual(
    packed(["1", "***", undefined, "made", "added", null]),
  );
  const older = packed(["0", "was", "large", "x"]);
  const both = Buffer.concat([older, Buffer.from("N"), packed(["1", undefined, undefined, null])]);
  expect(rewrittenTuple(both, older.length + 1, new Map([[1, null]]), [], 0)).toEqual(packed(["1", null, "large", null]));
  expect(rewrittenTuple(both, older.length + 1, new Map(), [], -1)).toEqual(packed(["1", undefined, undefined, null]));
});

it("a value that a change left out is the one of the row before", () => {
  const data = packed(["1", undefined, null]);
  expect(valuesAt(data, 0, [1, 2], [text("was"), text("other")]).map(String)).toEqual(["was", "null"]);
});
