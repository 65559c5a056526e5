import { expect, it } from "vitest";
import { copyTextFrame } from "../../../../provider/databases/oracle/copy/copyText.js";

function text(frame: Buffer): string {
  expect(frame[0]).toBe(0x64);
  expect(frame.readInt32BE(1)).toBe(frame.length - 1);
  return frame.toString("utf8", 5);
}

it("writes rows as COPY's text, with what is special behind a backslash", () => {
  const takenOut = { zeros: 0 };
  const rows = [
    ["1", null, "a\tb\\c\nd\re", Buffer.from("00ff", "hex"), ""],
    ["2", "\\N", "Ü", null, "x"],
  ];
  expect(text(copyTextFrame(rows, takenOut))).toBe("1\t\\N\ta\\tb\\\\c\\nd\\re\t\\\\x00ff\t\n2\t\\\\N\tÜ\t\\N\tx\n");
  expect(takenOut.zeros).toBe(0);
});

it("takes zero characters out of text, and counts them", () => {
  const takenOut = { zeros: 0 };
  expect(text(copyTextFrame([["a\0b\0", "\0"]], takenOut))).toBe("ab\t\n");
  expect(takenOut.zeros).toBe(3);
});

it("cuts values of many megabytes into messages, not through the middle of a character", () => {
  const takenOut = { zeros: 0 };
  const [long, bytes] = [`${"x".repeat((1 << 20) - 1)}${"😀\\\t".repeat(600_000)}`, Buffer.alloc(3_000_001, 0xab)];
  const frame = copyTextFrame(
    [
      ["1", long, bytes, "end"],
      ["2", null, null, "\0"],
    ],
    takenOut,
  );
  const parts: Buffer[] = [];
  for (let at = 0; at < frame.length; at += 1 + frame.readInt32BE(at + 1)) {
    expect(frame[at]).toBe(0x64);
    parts.push(frame.subarray(at + 5, at + 1 + frame.readInt32BE(at + 1)));
  }
  expect(parts.length).toBeGreaterThan(8);
  expect(Math.max(...parts.map(({ length }) => length))).toBeLessThan(8 << 20);
  const escaped = long.replaceAll("\\", "\\\\").replaceAll("\t", "\\t");
  const expected = `1\t${escaped}\t\\\\x${bytes.toString("hex")}\tend\n2\t\\N\t\\N\t\n`;
  expect(Buffer.concat(parts).equals(Buffer.from(expected))).toBe(true);
  expect(takenOut.zeros).toBe(1);
});
