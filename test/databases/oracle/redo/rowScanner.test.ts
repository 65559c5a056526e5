import { describe, expect, it } from "vitest";
import { RedoProblem } from "../../../../provider/databases/oracle/redo/redoProblem.js";
import { scan, tableOf } from "./scan.js";

const U = "(unchanged)";

describe("an insert in redo", () => {
  it("gives every column its value, in the table's order", () => {
    const table = tableOf("ID:number|NAME, AMOUNT:number");
    expect(scan(table, `insert into "S"."T"("ID","NAME","AMOUNT") values ('7','seven','1.50')`).new).toEqual([
      "7",
      "seven",
      "1.50",
    ]);
  });

  it("takes columns in another order, and NULL for those it leaves out", () => {
    const table = tableOf("ID:number|A, B, C");
    expect(scan(table, `insert into "S"."T" ("C", "ID") values ('see', '1')`).new).toEqual(["1", null, null, "see"]);
    expect(scan(table, `insert into "S"."T"("ID","A","B","C") values ('1','a','b','c');`).new).toEqual(["1", "a", "b", "c"]);
  });

  it("passes over columns that Oracle made for itself", () => {
    const table = tableOf("ID|A");
    expect(scan(table, `insert into "S"."T"("ID","SYS_NC00003$","A") values ('1','x','a')`).new).toEqual(["1", "a"]);
  });

  it("takes an empty string for NULL, as Oracle does, and an empty LOB for an empty value", () => {
    const table = tableOf("ID|A, B:clob, C:blob, D:bytes");
    const redo = `insert into "S"."T"("ID","A","B","C","D") values ('1','',EMPTY_CLOB(),EMPTY_BLOB(),HEXTORAW(''))`;
    expect(scan(table, redo).new).toEqual(["1", null, "", "\\x", null]);
  });

  it("keeps text that looks like SQL", () => {
    const table = tableOf("ID|A, B");
    const text = `a,b) values ('', "B" = NULL and "ID" = 1; where x || y -- /* \n\t`;
    expect(scan(table, `insert into "S"."T"("ID","A","B") values ('1','${text.replaceAll("'", "''")}',NULL)`).new).toEqual([
      "1",
      text,
      null,
    ]);
  });

  it("keeps what is not ASCII, and what is in no plane of 16 bits", () => {
    const table = tableOf("ID|A, B");
    const redo = `insert into "S"."T"("ID","A","B") values ('1','Müller 漢字 🦆',UNISTR('\\D83E\\DD86 \\00FC''\\\\'))`;
    expect(scan(table, redo).new).toEqual(["1", "Müller 漢字 🦆", "🦆 ü'\\"]);
  });

  it("says which values it does not hold", () => {
    const shown = scan(tableOf("ID|A:other, B"), `insert into "S"."T"("ID","A","B") values ('1',Unsupported Type,'b')`);
    expect(shown.new).toEqual(["1", U, "b"]);
    expect(shown.unknown).toEqual(["A"]);
  });
});

describe("strings whose apostrophes Oracle did not double", () => {
  const table = tableOf("ID|A, B");

  it("keeps a lone apostrophe", () => {
    const shown = scan(table, `insert into "S"."T"("ID","A","B") values ('1','it's o'clock, he said','b')`);
    expect(shown.new).toEqual(["1", "it's o'clock, he said", "b"]);
    expect(shown.loneQuotes).toBe(1);
  });

  it("keeps lone and doubled ones side by side", () => {
    expect(scan(table, `insert into "S"."T"("ID","A","B") values ('1','d''une et d'un','l''autre')`).new).toEqual([
      "1",
      "d'une et d'un",
      "l'autre",
    ]);
  });

  it("keeps them around a whole value", () => {
    const shown = scan(table, `update "S"."T" set "A" = ''new'', "B" = ''newer'' where "ID" = '1' and "A" = '''old'''`);
    expect(shown.new).toEqual(["1", "'new'", "'newer'"]);
  });

  it("keeps words of SQL that follow one", () => {
    const redo = `update "S"."T" set "A" = 'rock' and roll, where' where did' where "ID" = '1' and "A" = 'rock' and roll' and "B" = 'b'`;
    expect(scan(table, redo).new).toEqual(["1", "rock' and roll, where' where did", "b"]);
  });

  it("keeps them in a condition", () => {
    const all = tableOf("A, B", { fullIdentity: true });
    expect(scan(all, `delete from "S"."T" where "A" = 'rock 'n' roll' and "B" IS NULL`).old).toEqual(["rock 'n' roll", null]);
  });
});

describe("an update in redo", () => {
  const table = tableOf("ID:number|A, B, C");

  it("leaves alone what it does not name", () => {
    expect(scan(table, `update "S"."T" set "B" = 'new' where "ID" = '3'`)).toMatchObject({
      old: undefined,
      new: ["3", U, "new", U],
    });
  });

  it("takes what a condition shows for the value that stays", () => {
    expect(
      scan(table, `update "S"."T" set "B" = NULL where "ID" = '3' and "A" = 'a' and "B" = 'b' and "C" IS NULL;`).new,
    ).toEqual(["3", "a", null, null]);
  });

  it("carries the old key when the key changes, and only then", () => {
    expect(scan(table, `update "S"."T" set "ID" = '4', "A" = 'a' where "ID" = '3'`)).toMatchObject({
      old: ["3", null, null, null],
      new: ["4", "a", U, U],
    });
    expect(scan(table, `update "S"."T" set "ID" = '3', "A" = 'a' where "ID" = '3'`).old).toBeUndefined();
  });

  it("carries the whole old row where there is no key", () => {
    const whole = tableOf("A, B:clob", { fullIdentity: true });
    expect(scan(whole, `update "S"."T" set "A" = 'x' where "A" = 'y'`)).toMatchObject({ old: ["y", U], new: ["x", U] });
  });

  it("finds its columns behind an alias, and passes over ROWID", () => {
    const redo = `update "S"."T" a set a."A" = 'x' where a."ID" = '3' and a.ROWID = 'AAAWSJAAHAAABlcAAA';`;
    expect(scan(table, redo).new).toEqual(["3", "x", U, U]);
  });

  it("takes numbers without quotes in conditions", () => {
    expect(scan(table, `update "S"."T" set "A" = 'x' where "ID" = -12.5E+3 and "B" = 'b'`).new).toEqual([
      "-12.5E+3",
      "x",
      "b",
      U,
    ]);
  });

  it("says when the redo does not name the row", () => {
    expect(() => scan(table, `update "S"."T" set "A" = 'x' where ROWID = 'AAA'`)).toThrow(RedoProblem);
    expect(() => scan(table, `delete from "S"."T" where "A" = 'x'`)).toThrow('key column "ID" is not in the redo');
    const whole = tableOf("A, B", { fullIdentity: true });
    expect(() => scan(whole, `delete from "S"."T" where "A" = 'x'`)).toThrow('column "B" is not in the row before the change');
  });
});

describe("a delete in redo", () => {
  it("names the row by its key", () => {
    expect(scan(tableOf("K1, K2|A"), `delete from "S"."T" where "K1" = 'a' and "K2" = '2' and "A" = 'rest'`)).toMatchObject({
      old: ["a", "2", null],
      new: undefined,
    });
  });
});

describe("values by type", () => {
  const one = (kind: string, literal: string) => {
    const shown = scan(tableOf(`ID|V:${kind}`), `insert into "S"."T"("ID","V") values ('1',${literal})`);
    return shown.unknown.length > 0 ? "(unknown)" : shown.new?.[1];
  };

  it.each([
    ["date", "TO_DATE(' 2024-02-29 23:59:58', 'SYYYY-MM-DD HH24:MI:SS')", "2024-02-29 23:59:58"],
    ["date", "TO_DATE('2024-02-29 23:59:58', 'YYYY-MM-DD HH24:MI:SS')", "2024-02-29 23:59:58"],
    ["date", "TO_DATE('-0044-03-15 00:00:00', 'SYYYY-MM-DD HH24:MI:SS')", "0044-03-15 00:00:00 BC"],
    ["date", "TO_DATE(' 2024-02-29 00:00:00', 'SYYYY-MM-DD HH24:MI:SS', 'NLS_CALENDAR=GREGORIAN')", "2024-02-29 00:00:00"],
    ["date", "TO_DATE('15-MAY-21', 'DD-MON-RR')", "2021-05-15 00:00:00"],
    ["date", "TO_DATE('15-MAY-71', 'DD-MON-RR')", "1971-05-15 00:00:00"],
    ["date", "TO_DATE('21-11-2016 11:34:09', 'DD-MM-YYYY HH24:MI:SS')", "2016-11-21 11:34:09"],
    ["date", "TO_DATE('02/29/2024 12:05:00 AM', 'MM/DD/YYYY HH:MI:SS AM')", "2024-02-29 00:05:00"],
    ["date", "TO_DATE('5 September 0043 B.C.', 'DD MONTH YYYY B.C.')", "0043-09-05 00:00:00 BC"],
    ["timestamp", "TO_TIMESTAMP(' 2024-02-29 00:00:00.')", "2024-02-29 00:00:00"],
    ["timestamp", "TO_TIMESTAMP(' 2024-02-29 00:00:00.123456789')", "2024-02-29 00:00:00.123456789"],
    ["timestamp", "TO_TIMESTAMP('29-FEB-24 01.02.03.5 PM', 'DD-MON-RR HH.MI.SSXFF AM')", "2024-02-29 13:02:03.5"],
    ["timestampTz", "TO_TIMESTAMP_TZ(' 2024-02-29 00:00:00. +05:30')", "2024-02-29 00:00:00 +05:30"],
    [
      "timestampTz",
      "TO_TIMESTAMP_TZ('2024-02-29 00:00:00.25 -03:00', 'YYYY-MM-DD HH24:MI:SS.FF TZH:TZM')",
      "2024-02-29 00:00:00.25-03:00",
    ],
    ["yearToMonth", "TO_YMINTERVAL('-02-03')", "-2 years -3 mons"],
    ["dayToSecond", "TO_DSINTERVAL('+01 02:03:04.500000')", "1 days 02:03:04.500000"],
    ["dayToSecond", "TO_DSINTERVAL('-01 02:03:04.')", "-1 days -02:03:04"],
    ["bytes", "HEXTORAW('00ff0A')", "\\x00ff0A"],
    ["bytes", "HEXTORAW('f')", "\\x0f"],
    ["number", "'.5'", ".5"],
    ["float", "'Nan'", "Nan"],
    ["text", "UNISTR('\\0041') || UNISTR('\\0042')||UNISTR('C')", "ABC"],
    ["text", "UNISTR('(''\\00E9)') || 'plain'", "('é)plain"],
    ["other", "Unsupported Type", "(unknown)"],
  ])("%s %s", (kind, literal, expected) => {
    expect(one(kind, literal)).toBe(expected);
  });

  it.each([
    ["number", "80", "0"],
    ["number", "C102", "1"],
    ["number", "C202", "100"],
    ["number", "C2020233", "101.5"],
    ["number", "3E6466", "-1"],
    ["number", "3D64643366", "-101.5"],
    ["number", "BF02", "0.0001"],
    ["text", "C3A9", "é"],
    ["date", "787C021D183C3B", "2024-02-29 23:59:58"],
    ["timestamp", "787C021D0101010BEBC200", "2024-02-29 00:00:00.200000000"],
    ["float", "BFF8000000000000", "1.5"],
    ["float", "400FFFFFFFFFFFFF", "-1"],
    ["other", "00", "(unknown)"],
  ])("the raw form of a %s from before a change of structure: %s", (kind, hex, expected) => {
    const table = tableOf(`ID|V:${kind}`);
    const shown = scan(table, `insert into "S"."T"("COL 1","COL 2") values (HEXTORAW('31'),HEXTORAW('${hex}'))`);
    expect(shown.new?.[0]).toBe("1");
    expect(shown.unknown.length > 0 ? "(unknown)" : shown.new?.[1]).toBe(expected);
  });
});

describe("what PostgreSQL cannot hold, or the scanner does not know", () => {
  it("takes bytes of value 0 out of text and counts them, or refuses them", () => {
    const redo = `insert into "S"."T"("ID","A") values ('1','a\0b\0${"x".repeat(100)}')`;
    expect(scan(tableOf("ID|A"), redo)).toMatchObject({ new: ["1", `ab${"x".repeat(100)}`], zeroBytes: 2 });
    expect(() => scan(tableOf("ID|A"), redo, "refuse")).toThrow("a byte of value 0");
    expect(scan(tableOf("ID|A"), `insert into "S"."T"("ID","A") values ('1',UNISTR('a\\0000b'))`)).toMatchObject({
      new: ["1", "ab"],
      zeroBytes: 1,
    });
  });

  it.each([
    [`insert into "S"."T"("ID","A") values ('1')`, "fewer values than columns"],
    [`insert into "S"."T"("ID","A") values ('1','never ends`, "does not end"],
    [`update "S"."T" set "A" = SYSDATE where "ID" = '1'`, "no literal known"],
    [`update "S"."T" set "NEW" = 'x' where "ID" = '1'`, 'column "NEW" is not known'],
    [`update "S"."T" set "A" > 'x' where "ID" = '1'`, "without a value"],
    [`delete from "S"."T" where "ID" <> '1'`, "neither = nor IS NULL"],
  ])("%s", (redo, message) => {
    expect(() => scan(tableOf("ID|A"), redo)).toThrow(message);
  });

  it("does not show users' data in its errors", () => {
    try {
      scan(tableOf("ID|A"), `insert into "S"."T"("ID","A") values ('1','a secret`);
      expect.unreachable();
    } catch (cause) {
      expect(String(cause)).not.toContain("secret");
    }
  });
});
