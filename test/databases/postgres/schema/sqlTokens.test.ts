import { describe, expect, it } from "vitest";
import { tokenize } from "../../../../provider/databases/postgres/schema/sqlTokens.js";

const SAMPLES = [
  `SELECT "a""b".c, 'it''s', E'\\'x', $1, $tag$ it's "$x$" $tag$ /* a /* nested */ comment */ -- end 'of line\n FROM t;`,
  "a.b::numeric(10,2)[] OPERATOR(s.<~) 1.5e-3 - -2 .5",
  'Grüße.世界 = U&"x" ',
  "'unterminated",
  "$$ open",
  '"open',
  "a<--c\n>b/**/+c",
];

describe("SQL tokens", () => {
  for (const sql of SAMPLES) {
    it(`give back ${JSON.stringify(sql)}`, () => {
      expect(
        tokenize(sql)
          .map(({ text }) => text)
          .join(""),
      ).toBe(sql);
    });
  }

  it("know identifiers from strings, comments and numbers", () => {
    const identifiers = tokenize(SAMPLES[0] ?? "")
      .filter(({ kind }) => kind === "identifier")
      .map(({ value }) => value);
    expect(identifiers).toEqual(["select", 'a"b', "c", "from", "t"]);
    expect(
      tokenize("1.5e-3 .5 $1")
        .filter(({ kind }) => kind === "number")
        .map(({ text }) => text),
    ).toEqual(["1.5e-3", ".5", "$1"]);
  });

  it("fold only the letters that the server folds", () => {
    expect(tokenize("ÄBC").map(({ value }) => value)).toEqual(["Äbc"]);
  });

  it("end an operator where a comment starts", () => {
    expect(tokenize("a+--x\nb").map(({ text }) => text)).toEqual(["a", "+", "--x\n", "b"]);
  });
});
