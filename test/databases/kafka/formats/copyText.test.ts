import { describe, expect, it } from "vitest";
import { CopyTextRows } from "../../../../provider/databases/kafka/formats/copyText.js";
import { type TupleValue, unpacked } from "./records.js";

/** A row as COPY's text format has it, in a CopyData message of its own. */
function frame(line: string): Buffer {
  const body = Buffer.from(`${line}\n`);
  const head = Buffer.alloc(5);
  head[0] = 0x64;
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

function rows(columns: number, pieces: readonly Buffer[]): TupleValue[][] {
  const taken: TupleValue[][] = [];
  const reader = new CopyTextRows(
    columns,
    (data, tuple, end) => {
      taken.push(unpacked(data, tuple));
      expect(end).toBeGreaterThan(tuple);
    },
    "public.t",
  );
  for (const piece of pieces) reader.push(piece);
  expect(reader.unfinished).toBe(false);
  return taken;
}

describe("rows of a text copy", () => {
  it("are taken apart: NULLs, empty texts, and what the server escapes", () => {
    const lines = ["1\ta\\tb\\nc\\rd\\\\e\t\\N", "\t\t", "\\N\t\\N\t\\N", "\\\\N\t\\b\\f\\v\tné 🐦"];
    expect(rows(3, lines.map(frame))).toEqual([
      ["1", "a\tb\nc\rd\\e", null],
      ["", "", ""],
      [null, null, null],
      ["\\N", "\b\f\v", "né 🐦"],
    ]);
  });

  it("are whole wherever the stream is cut", () => {
    const lines = Array.from({ length: 20 }, (_, index) => `${index}\t${"x\\\\".repeat(index * 7)}\t\\N`);
    const stream = Buffer.concat(lines.map(frame));
    const expected = lines.map((_, index) => [String(index), "x\\".repeat(index * 7), null]);
    for (const size of [1, 2, 3, 4, 5, 6, 7, 11, 64, 333]) {
      const pieces = [];
      for (let at = 0; at < stream.length; at += size) pieces.push(stream.subarray(at, at + size));
      expect(rows(3, pieces)).toEqual(expected);
    }
    for (let at = 0; at <= stream.length; at++) {
      expect(rows(3, [stream.subarray(0, at), stream.subarray(at)])).toEqual(expected);
    }
  });

  it("may be far larger than any before, and may have one column or none", () => {
    const large = "é".repeat(1_000_000);
    expect(rows(2, [frame("a\tb"), frame(`${large}\t${large}`), frame("c\td")])).toEqual([
      ["a", "b"],
      [large, large],
      ["c", "d"],
    ]);
    expect(rows(1, [frame(""), frame("\\N"), frame("x")])).toEqual([[""], [null], ["x"]]);
    expect(rows(0, [frame(""), frame("")])).toEqual([[], []]);
  });

  it("of another number of columns are an error", () => {
    expect(() => rows(2, [frame("a")])).toThrow(/GW1401.*2 columns.*public\.t/);
    expect(() => rows(2, [frame("a\tb\tc")])).toThrow(/GW1401/);
    expect(() => rows(2, [frame("a\tb\t")])).toThrow(/GW1401/);
    expect(() => rows(0, [frame("a")])).toThrow(/GW1401/);
  });
});
