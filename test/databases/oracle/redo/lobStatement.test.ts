import { describe, expect, it } from "vitest";
import { LobScanner } from "../../../../provider/databases/oracle/redo/lobStatement.js";
import type { RedoTable } from "../../../../provider/databases/oracle/redo/redoTable.js";
import { tableOf } from "./scan.js";

const TABLE = tableOf("ID:number|NAME, BODY:clob, SCAN:blob, DOC:xml, LONGER");

function read(redo: string, table: RedoTable = TABLE) {
  const scanner = new LobScanner({ zeroBytes: "remove", decodeText: (bytes) => bytes.toString("latin1") });
  const data = Buffer.from(redo);
  const { column, row, steps } = scanner.scan(table, data, 0, data.length);
  return {
    column: column === undefined ? undefined : table.columns[column]?.name,
    row: Object.fromEntries([...row].map(([place, value]) => [table.columns[place]?.name, value?.toString("utf8") ?? null])),
    steps: steps.map((step) => (step.kind === "write" ? { ...step, data: step.data.toString("utf8") } : step)),
  };
}

const DECLARATIONS =
  "DECLARE \n loc_c CLOB; \n buf_c VARCHAR2(6174); \n loc_b BLOB; \n buf_b RAW(6174); \n loc_nc NCLOB; \n buf_nc NVARCHAR2(6174); \nBEGIN\n";

describe("redo of LOBs", () => {
  it("names the column and the row of a locator", () => {
    expect(read(`${DECLARATIONS} select "BODY" into loc_c from "S"."T" where "ID" = '2' and "NAME" IS NULL for update;`)).toEqual(
      {
        column: "BODY",
        row: { ID: "2", NAME: null },
        steps: [],
      },
    );
  });

  it("reads a piece of a CLOB, apostrophes and all", () => {
    const redo = " buf_c := 'it''s dbms_lob.write(x); \n it's'; \n  dbms_lob.write(loc_c, 30, 5, buf_c);\n";
    expect(read(redo).steps).toEqual([{ kind: "write", offset: 4, data: "it's dbms_lob.write(x); \n it's" }]);
  });

  it("reads a piece of a BLOB", () => {
    expect(read(" buf_b := HEXTORAW('e282ac'); \n  dbms_lob.write(loc_b, 3, 1, buf_b);\n").steps).toEqual([
      { kind: "write", offset: 0, data: "€" },
    ]);
  });

  it("reads a block that does all at once", () => {
    const redo =
      `${DECLARATIONS} select "BODY" into loc_c from "S"."T" where "ID" = '1' for update;\n\n` +
      " buf_c := 'aaa'; \n  dbms_lob.write(loc_c, 3, 1, buf_c);\n buf_c := 'bb'; \n  dbms_lob.write(loc_c, 2, 4, buf_c);\n" +
      "  dbms_lob.trim(loc_c, 4);\nEND;";
    expect(read(redo)).toEqual({
      column: "BODY",
      row: { ID: "1" },
      steps: [
        { kind: "write", offset: 0, data: "aaa" },
        { kind: "write", offset: 3, data: "bb" },
        { kind: "trim", length: 4 },
      ],
    });
  });

  it("reads what was erased", () => {
    expect(read(" e_len := 5; \n dbms_lob.erase(loc_c, e_len, 3);\n").steps).toEqual([{ kind: "erase", length: 5, offset: 2 }]);
  });

  it("reads strings of more than 4000 bytes", () => {
    const begin =
      "DECLARE\n TempLob CLOB;\n buf_c   VARCHAR2(32767);\n Stmt    CLOB;\nBEGIN\n DBMS_LOB.CreateTemporary(TempLob, FALSE);\n" +
      ` Stmt := 'update "S"."T" a set a."LONGER" = :LONGER where a."ID" = ''1'' and a."NAME" = ''it''''s'';';`;
    expect(read(begin)).toEqual({ column: "LONGER", row: { ID: "1", NAME: "it's" }, steps: [] });
    expect(read(" buf_c := 'a long one'; \n DBMS_LOB.WriteAppend(TempLob, LENGTH(buf_c), buf_c);\n").steps).toEqual([
      { kind: "write", offset: "append", data: "a long one" },
    ]);
  });

  it("reads XML in both of its forms", () => {
    expect(read(`XML DOC BEGIN:  select "DOC" from "S"."T" where "ID" = '1'`)).toMatchObject({ column: "DOC", row: { ID: "1" } });
    expect(read(`update "S"."T" a set a."DOC" = XMLType(:1)  where a."ID" = '1';`)).toMatchObject({
      column: "DOC",
      row: { ID: "1" },
    });
    expect(read("XML_REDO := HEXTORAW('3c612fe93e'):5").steps).toEqual([{ kind: "write", offset: "append", data: "<a/é>" }]);
    expect(read("XML_REDO := NULL").steps).toEqual([{ kind: "null" }]);
  });

  it("refuses what it does not know", () => {
    expect(() => read(`select "NOPE" into loc_c from "S"."T" where "ID" = '1' for update;`)).toThrow("is not known");
  });
});
