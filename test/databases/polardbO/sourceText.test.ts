import { describe, expect, it } from "vitest";
import { storedName, userSchema } from "../../../provider/databases/polardbO/catalog/oracleViews.js";
import { mentionedNames, sourcedStatement } from "../../../provider/databases/polardbO/catalog/sourceText.js";

describe("the text of a package", () => {
  it.each([
    ["as the view of Oracle has it", "PACKAGE emp_admin IS\n  x number;\nEND emp_admin;\n"],
    ["as it was created", "CREATE OR REPLACE PACKAGE hr.emp_admin IS\n  x number;\nEND emp_admin;"],
    ["without its last semicolon", "create package hr . emp_admin IS\n  x number;\nEND emp_admin"],
    ["with a client's slash", 'CREATE OR REPLACE EDITIONABLE PACKAGE "HR"."emp_admin" IS\n  x number;\nEND emp_admin;\n/\n'],
    ["after a comment", "-- pays people\nPACKAGE emp_admin IS\n  x number;\nEND emp_admin;"],
  ])("becomes one statement, %s", (_, text) => {
    expect(sourcedStatement("PACKAGE", '"hr"."emp_admin"', text)).toBe(
      'CREATE OR REPLACE PACKAGE "hr"."emp_admin" IS\n  x number;\nEND emp_admin;',
    );
  });

  it("keeps what is written inside: strings, comments, a slash that divides", () => {
    const body = "PACKAGE BODY p AS\n f number := 1 / 2; -- ; /\n s varchar2(9) := 'a;b';\nBEGIN\n NULL;\nEND;";
    expect(sourcedStatement("PACKAGE BODY", '"a"."p"', body)).toBe(
      'CREATE OR REPLACE PACKAGE BODY "a"."p" AS\n f number := 1 / 2; -- ; /\n s varchar2(9) := \'a;b\';\nBEGIN\n NULL;\nEND;',
    );
  });

  it("names what it needs, under its own schema where it names none", () => {
    expect(mentionedNames("x hr.emp.empno%TYPE; y Dept%ROWTYPE; -- not_this\n s := 'nor.this';", "app")).toEqual(
      expect.arrayContaining([
        { schema: "hr", name: "emp" },
        { schema: "app", name: "dept" },
      ]),
    );
    expect(mentionedNames("-- not_this\n'nor.this'", "app")).toEqual([]);
  });
});

describe("names in Oracle views", () => {
  it("are folded back where the view shows the user's schemas in capitals", () => {
    const schemas = new Set(["hr", "Mixed"]);
    expect(userSchema("HR", schemas)).toEqual({ schema: "hr", folded: true });
    expect(userSchema("hr", schemas)).toEqual({ schema: "hr", folded: false });
    expect(userSchema('"Mixed"', schemas)).toEqual({ schema: "Mixed", folded: true });
    expect(userSchema("SYS", schemas)).toBeUndefined();
    expect(storedName("EMP_ADMIN", true)).toBe("emp_admin");
    expect(storedName('"Emp""s"', true)).toBe('Emp"s');
    expect(storedName("EMP_ADMIN", false)).toBe("EMP_ADMIN");
  });
});
