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
