import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it, onTestFinished } from "vitest";
import { convertFile } from "../../../../provider/cli/convert.js";
import { ConversionContext, convertDdl } from "../../../../provider/databases/oracle/convert/convertDdl.js";

function sqlOf(script: string): string[] {
  const { statements, skipped } = convertDdl(script);
  expect(skipped).toEqual([]);
  return statements.flatMap((statement) => statement.sql);
}

describe("Oracle types", () => {
  const cases: [string, string][] = [
    ["NUMBER", "numeric"],
    ["NUMBER(*,0)", "numeric"],
    ["NUMBER(4)", "smallint"],
    ["NUMBER(9,0)", "integer"],
    ["NUMBER(18)", "bigint"],
    ["NUMBER(19)", "numeric(19)"],
    ["NUMBER(2,-2)", "numeric(2,-2)"],
    ["NUMBER(3,5)", "numeric(3,5)"],
    ["INTEGER", "numeric(38)"],
    ["FLOAT", "numeric"],
    ["FLOAT(10)", "double precision"],
    ["FLOAT(63)", "numeric"],
    ["BINARY_FLOAT", "real"],
    ["BINARY_DOUBLE", "double precision"],
    ["VARCHAR2(20 BYTE)", "varchar(20)"],
    ["NVARCHAR2(20)", "varchar(20)"],
    ["CHAR", "char(1)"],
    ["DATE", "timestamp(0)"],
    ["TIMESTAMP(9)", "timestamp(6)"],
    ["TIMESTAMP(3) WITH TIME ZONE", "timestamptz(3)"],
    ["TIMESTAMP WITH LOCAL TIME ZONE", "timestamptz"],
    ["INTERVAL DAY(3) TO SECOND(2)", "interval"],
    ["RAW(16)", "bytea"],
    ["LONG RAW", "bytea"],
    ["LONG", "text"],
    ["NCLOB", "text"],
    ["UROWID", "text"],
    ["SYS.XMLTYPE", "xml"],
    ["JSON", "jsonb"],
  ];
  it.each(cases)("%s becomes %s", (oracle, postgres) => {
    expect(sqlOf(`CREATE TABLE t (c ${oracle})`)).toEqual([`CREATE TABLE t (\n  c ${postgres}\n)`]);
  });

  it("warns of what is lost", () => {
    const { statements } = convertDdl("CREATE TABLE t (a TIMESTAMP(9), b TIMESTAMP WITH TIME ZONE, c BFILE)");
    expect(statements[0]?.warnings.map(({ message }) => message)).toEqual([
      "TIMESTAMP(9): digits beyond microseconds are lost",
      "WITH TIME ZONE: the moment is kept, the name of its zone is not",
      "BFILE became text",
    ]);
  });

  it("refuses SDO_GEOMETRY unless the target has PostGIS", () => {
    const script = "CREATE TABLE t (\n g MDSYS.SDO_GEOMETRY)";
    expect(convertDdl(script)).toMatchObject({
      statements: [],
      skipped: [{ kind: "table", name: "t", line: 2, reason: expect.stringContaining("PostGIS") }],
    });
    expect(convertDdl(script, { postgis: true }).statements[0]?.sql).toEqual(["CREATE TABLE t (\n  g geometry\n)"]);
  });
});

describe("reading a script", () => {
  it("takes statements apart, whatever strings, comments and SQL*Plus lines hold", () => {
    const script = `REM it's a remark
SET SERVEROUTPUT ON
PROMPT what's this; that
/* a ; b */ COMMENT ON TABLE t IS q'[it's; -- here]'; -- ; '
comment on table "T" is 'x''y'
/
CREATE OR REPLACE PROCEDURE p AS BEGIN NULL; /* / */ END;
/
SHOW ERRORS
TRUNCATE TABLE t;`;
    const { statements, skipped } = convertDdl(script);
    expect(skipped).toEqual([]);
    expect(statements.map(({ kind, line }) => [kind, line])).toEqual([
      ["comment", 4],
      ["comment", 5],
      ["procedure", 7],
      ["truncate", 10],
    ]);
    expect(statements[0]?.sql).toEqual(["COMMENT ON TABLE t IS 'it''s; -- here'"]);
  });

  it("goes on behind what it cannot convert, and names line, reason and source", () => {
    const { statements, skipped } = convertDdl(
      "CREATE TABLE a (x NUMBER);\n\nCREATE FUNCTION f\nWRAPPED\na000000\n1\nabcd\n/\nCREATE SEQUENCE s;",
    );
    expect(statements.map(({ kind, name }) => `${kind} ${name}`)).toEqual(["table a", "sequence s"]);
    expect(skipped).toEqual([
      expect.objectContaining({
        kind: "function",
        name: "f",
        line: 3,
        reason: expect.stringContaining("wrapped source"),
        source: expect.stringMatching(/^CREATE FUNCTION f/),
      }),
    ]);
  });

  it("reports an unclosed string instead of guessing", () => {
    expect(convertDdl("COMMENT ON TABLE t IS 'oops").skipped).toMatchObject([{ reason: "a string is not closed", line: 1 }]);
  });

  it("compiles the branches of conditional compilation that Oracle would", () => {
    const [sql = ""] = sqlOf(
      "CREATE FUNCTION f RETURN VARCHAR2 IS BEGIN $IF $$debug $THEN RETURN 'debug'; $ELSIF dbms_db_version.version >= 12 $THEN RETURN 'new'; $ELSE RETURN 'old'; $END END;",
    );
    expect(sql).toContain("RETURN 'new'");
    expect(sql).not.toMatch(/debug|old/);
  });

  it("leaves out of a package only the routine whose parameters PostgreSQL has no type for", () => {
    const { statements, skipped } = convertDdl(
      "CREATE PACKAGE BODY p IS\nPROCEDURE a IS BEGIN NULL; END;\nPROCEDURE b(g SDO_GEOMETRY) IS BEGIN NULL; END;\nEND;",
    );
    expect(statements[0]?.sql.join("\n")).toContain("PROCEDURE p.a()");
    expect(statements[0]?.sql.join("\n")).not.toContain("p.b");
    expect(skipped).toMatchObject([{ kind: "procedure", name: "p.b", line: 3 }]);
  });

  it("says of each statement without a counterpart where it stands and that it became an error", () => {
    const { statements, skipped } = convertDdl(
      "CREATE PACKAGE BODY p IS\nPROCEDURE a IS BEGIN\nSAVEPOINT s;\nDELETE t; END;\nFUNCTION j(n NUMBER) RETURN NUMBER IS LANGUAGE JAVA NAME 'X.y(int) return int';\nEND;",
    );
    const sql = statements[0]?.sql.join("\n");
    expect(sql).toMatch(/RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = 'p\.a, line 3 .+ savepoints.+';\n {2}DELETE FROM t;/);
    expect(sql).toMatch(/FUNCTION p\.j\(n numeric\) RETURNS numeric.+MESSAGE = 'p\.j, line 5 .+: written in JAVA'/s);
    expect(skipped).toMatchObject([
      { kind: "statement", name: "p.a", line: 3, reason: expect.stringContaining("it raises this as an error") },
      { kind: "function", name: "p.j", line: 5 },
    ]);
  });

  it("knows in a later call what an earlier one made", () => {
    const context = new ConversionContext();
    convertDdl("CREATE TABLE t (a DATE);", { context });
    expect(convertDdl("CREATE VIEW v AS SELECT a + 1 AS b FROM t;", { context }).statements[0]?.sql).toEqual([
      "CREATE VIEW v AS SELECT (a + interval '1 day') AS b FROM t",
    ]);
  });
});

describe("what PostgreSQL spells otherwise", () => {
  const body = (script: string) => sqlOf(script).join("\n");

  it("keeps comments that hold the start of a comment, and ends a unit at END;/", () => {
    const sql = body(
      "CREATE PROCEDURE p IS BEGIN\n/* a /* b */\nNULL;\nEND;/\nCREATE PROCEDURE q IS n NUMBER; BEGIN n := 6 /\n2; END;\n/\n",
    );
    expect(sql).toContain("/* a / * b */");
    expect(sql).toContain("n := 6.0 / 2;");
  });

  it("reads brackets that begin with a query as any expression", () => {
    expect(sqlOf("CREATE VIEW v AS SELECT NVL((SELECT MAX(a) FROM t) + (SELECT MIN(a) FROM t), 0) AS x FROM dual;")).toEqual([
      "CREATE VIEW v AS SELECT coalesce((SELECT max(a) FROM t)::numeric + (SELECT min(a) FROM t)::numeric, 0) AS x",
    ]);
  });

  it("keeps nested columns of JSON_TABLE, and what IS JSON asks for", () => {
    const [view = ""] = sqlOf(
      "CREATE VIEW v AS SELECT j.n FROM t, JSON_TABLE(t.d, '$.a[*]' COLUMNS (n NUMBER PATH '$.n', NESTED PATH '$.b[*]' COLUMNS (m VARCHAR2(5) PATH '$'))) j WHERE t.d IS JSON STRICT WITH UNIQUE KEYS;",
    );
    expect(view).toMatch(/NESTED PATH '\$\.b\[\*\]' COLUMNS \(\s*"m" varchar\(5\) PATH '\$'\)/);
    expect(view).toMatch(/t\.d IS JSON WITH UNIQUE KEYS/);
  });

  it("declares what a routine opens as a cursor, though its type is in another file", () => {
    const sql = body(
      "CREATE FUNCTION f(c other.cursor_t) RETURN NUMBER IS n NUMBER; d other.cursor_t; BEGIN FETCH c INTO n; OPEN d FOR SELECT 1 FROM dual; RETURN n; END;\n/\n",
    );
    expect(sql).toContain("f(c refcursor)");
    expect(sql).toContain("d refcursor;");
  });

  it("takes out a savepoint that its block's handler goes back to, and refuses any other", () => {
    const first =
      "CREATE PROCEDURE p IS BEGIN SAVEPOINT s; INSERT INTO t VALUES (1); EXCEPTION WHEN OTHERS THEN ROLLBACK TO s; END;\n/\n";
    const before =
      "CREATE PROCEDURE p IS BEGIN SAVEPOINT a; BEGIN INSERT INTO t VALUES (1); EXCEPTION WHEN OTHERS THEN ROLLBACK TO SAVEPOINT a; END; END;\n/\n";
    for (const script of [first, before]) {
      expect(body(script)).toMatch(/WHEN OTHERS THEN\s+NULL;/);
      expect(body(script)).not.toMatch(/SAVEPOINT|ROLLBACK/i);
    }
    const late =
      "CREATE PROCEDURE p IS BEGIN INSERT INTO t VALUES (1); SAVEPOINT s; EXCEPTION WHEN OTHERS THEN ROLLBACK TO s; END;\n/\n";
    const outside = "CREATE PROCEDURE p IS BEGIN SAVEPOINT s; INSERT INTO t VALUES (1); ROLLBACK TO s; END;\n/\n";
    for (const script of [late, outside])
      expect(convertDdl(script).skipped[0]).toMatchObject({ reason: expect.stringContaining("PL/pgSQL has no savepoints") });
  });

  it("keeps the storage settings that PostgreSQL has", () => {
    expect(sqlOf("ALTER TABLE t PARALLEL 4; ALTER TABLE t PCTFREE 30; ALTER TABLE t DROP CONSTRAINT c ONLINE;")).toEqual([
      "ALTER TABLE t SET (parallel_workers = 3)",
      "ALTER TABLE t SET (fillfactor = 70)",
      "ALTER TABLE t DROP CONSTRAINT IF EXISTS c",
    ]);
  });

  it("says that an identity's ON NULL is lost, for a statement that relies on it fails", () => {
    const { statements } = convertDdl(
      "CREATE TABLE t (id NUMBER GENERATED BY DEFAULT ON NULL AS IDENTITY, n NUMBER GENERATED ALWAYS AS IDENTITY)",
    );
    expect(statements[0]?.sql[0]).toMatch(/"?id"? bigint GENERATED BY DEFAULT AS IDENTITY/);
    expect(statements[0]?.warnings.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^GENERATED BY DEFAULT ON NULL: a NULL .* is refused/),
    ]);
  });

  it("makes a file's or a socket's handle text, and warns of it and of packages it does not know", () => {
    const { statements, skipped } = convertDdl(
      "CREATE PACKAGE BODY p IS PROCEDURE a IS f UTL_FILE.FILE_TYPE; BEGIN NULL; END; PROCEDURE b IS x dbms_sql.varchar2a; BEGIN DBMS_AQ.LISTEN(x); END; END;\n/\n",
    );
    expect(skipped).toEqual([]);
    expect(statements[0]?.sql.join("\n")).toContain("f text;");
    expect(statements[0]?.sql.join("\n")).toContain("x text[] := '{}';");
    expect(statements[0]?.warnings).toMatchObject([
      { message: "PostgreSQL has no type for UTL_FILE.FILE_TYPE: it became text" },
      { message: expect.stringMatching(/^DBMS_AQ\.LISTEN: PostgreSQL has no such package/) },
    ]);
  });

  it("tells overloads apart by what goes in, and refuses those it cannot", () => {
    const overloads = (first: string, second: string) =>
      convertDdl(
        `CREATE PACKAGE BODY p IS PROCEDURE a(${first}) IS BEGIN NULL; END; PROCEDURE a(${second}) IS BEGIN NULL; END; END;\n/\n`,
      );
    expect(overloads("n NUMBER, o OUT NUMBER", "n NUMBER").skipped).toEqual([]);
    expect(overloads("n NUMBER", "n PLS_INTEGER").skipped).toEqual([]);
    expect(overloads("n DATE", "n TIMESTAMP").skipped).toMatchObject([
      { reason: expect.stringContaining("the same PostgreSQL signature") },
    ]);
  });
});

describe("statements that change objects", () => {
  const cases: [string, string[]][] = [
    ['ALTER TABLE "S"."T" MODIFY NAME DEFAULT NULL', ["ALTER TABLE s.t ALTER COLUMN name SET DEFAULT NULL"]],
    ["ALTER TABLE t ADD (a VARCHAR2(20), b NUMBER(19))", ["ALTER TABLE t ADD COLUMN a varchar(20), ADD COLUMN b numeric(19)"]],
    [
      "ALTER TABLE t MODIFY a VARCHAR2(50) NOT NULL",
      ["ALTER TABLE t ALTER COLUMN a TYPE varchar(50) USING a::varchar(50), ALTER COLUMN a SET NOT NULL"],
    ],
    ["ALTER TABLE t DROP (a, b)", ["ALTER TABLE t DROP COLUMN IF EXISTS a, DROP COLUMN IF EXISTS b"]],
    ["ALTER TABLE t ADD SUPPLEMENTAL LOG DATA (ALL) COLUMNS", ["ALTER TABLE t REPLICA IDENTITY FULL"]],
    ["ALTER TABLE t ADD PRIMARY KEY (a, b)", ["ALTER TABLE t ADD PRIMARY KEY (a, b)"]],
    ["ALTER TABLE t TRUNCATE PARTITIONS p1, p2 UPDATE INDEXES", ["TRUNCATE TABLE t_p1, t_p2"]],
    ["ALTER TABLE t DROP PARTITION p1", ["DROP TABLE IF EXISTS t_p1"]],
    ["ALTER TABLE t MODIFY CONSTRAINT c DISABLE CASCADE", ["ALTER TABLE t DROP CONSTRAINT IF EXISTS c"]],
    ["ALTER TABLE t ADD CONSTRAINT c CHECK (a >= 0)", ["ALTER TABLE t ADD CONSTRAINT c CHECK (a::numeric >= 0)"]],
    ["CREATE INDEX IF NOT EXISTS i ON t (a)", ["CREATE INDEX IF NOT EXISTS i ON t (a)"]],
    ["CREATE SEQUENCE IF NOT EXISTS s", ["CREATE SEQUENCE IF NOT EXISTS s"]],
    ["CREATE TABLE t (a DATE, CONSTRAINTS u UNIQUE (a))", ["CREATE TABLE t (\n  a timestamp(0),\n  CONSTRAINT u UNIQUE (a)\n)"]],
    ["CREATE VIEW v AS SELECT a.x FROM a JOIN b", ["CREATE VIEW v AS SELECT a.x FROM a CROSS JOIN b"]],
    [
      "CREATE VIEW v AS SELECT 1 AS x FROM a, b WHERE a.id = b.id(+) AND kind(+) = 'K'",
      ["CREATE VIEW v AS SELECT 1 AS x FROM a LEFT JOIN b ON a.id = b.id AND kind = 'K'"],
    ],
    ["RENAME foo TO bar", ["ALTER TABLE foo RENAME TO bar"]],
    ["DROP TABLE t CASCADE CONSTRAINTS PURGE", ["DROP TABLE IF EXISTS t CASCADE"]],
    ["CREATE SEQUENCE s MAXVALUE 9999999999999999999999999999 CACHE 20 NOORDER", ["CREATE SEQUENCE s NO MAXVALUE CACHE 20"]],
    ["CREATE BITMAP INDEX i ON t (UPPER(a), b DESC) LOCAL NOLOGGING", ["CREATE INDEX i ON t (upper(a::text), b DESC)"]],
  ];
  it("steps over storage clauses, wherever they stand", () => {
    const [sql] =
      sqlOf(`CREATE TABLE e (a NUMBER, b DATE, c CLOB, CONSTRAINT p PRIMARY KEY (a) USING INDEX (CREATE INDEX x ON e (a)) ENABLE,
      CONSTRAINT u UNIQUE (b) RELY DISABLE NOVALIDATE) PCTFREE 10 STORAGE (INITIAL 64K NEXT 1M) LOGGING LOB (c) STORE AS (TABLESPACE t CHUNK 8192)
      CACHE MONITORING`);
    expect(sql).toBe("CREATE TABLE e (\n  a numeric,\n  b timestamp(0),\n  c text,\n  CONSTRAINT p PRIMARY KEY (a)\n)");
  });

  it.each(cases)("%s", (oracle, postgres) => {
    expect(sqlOf(oracle)).toEqual(postgres);
  });

  it("drops the schema of a dropped user, and says of what PostgreSQL has not that there is nothing to be done", () => {
    expect(sqlOf("DROP USER scott CASCADE; ALTER USER scott IDENTIFIED BY tiger ACCOUNT LOCK QUOTA 5M ON users;")).toEqual([
      "DROP SCHEMA IF EXISTS scott CASCADE",
      "ALTER ROLE scott PASSWORD 'tiger' NOLOGIN",
    ]);
    for (const script of [
      "ALTER FLASHBACK ARCHIVE a SET DEFAULT",
      "DROP ANALYTIC VIEW v",
      "ALTER VIEW v ADD CONSTRAINT u UNIQUE (a) DISABLE",
      "ALTER USER scott DEFAULT TABLESPACE users",
      "DROP PACKAGE BODY p",
      "ALTER INDEX i SPLIT PARTITION p AT (5)",
    ])
      expect(convertDdl(script), script).toMatchObject({
        statements: [{ sql: [], nothing: expect.stringMatching(/\w/) }],
        skipped: [],
      });
    expect(convertDdl("DROP DATABASE").skipped).toHaveLength(1);
  });

  it("says that storage needs nothing", () => {
    expect(convertDdl("ALTER TABLE t MOVE TABLESPACE x").statements).toMatchObject([
      { kind: "alter", sql: [], nothing: expect.stringContaining("stored") },
    ]);
  });
});

describe("godwit convert", () => {
  async function run(args: string[], input = ""): Promise<{ status: number; sql: string; report: string }> {
    let sql = "";
    let report = "";
    const status = await convertFile(args, {
      input: Readable.from([input]),
      output: { write: (text) => (sql += text) },
      report: { write: (text) => (report += text) },
    });
    return { status, sql, report };
  }

  it("prints SQL, and a report beside it", async () => {
    const { status, sql, report } = await run(["-"], "CREATE TABLE t (a NUMBER);\nCREATE DIRECTORY d AS '/x';");
    expect(status).toBe(0);
    expect(sql).toBe("CREATE TABLE t (\n  a numeric\n);\n");
    expect(report).toMatch(
      /converted: table t \(-:1\)\nskipped: directory d \(-:2\): .+\n {2}\| CREATE DIRECTORY d AS '\/x'\n1 converted, 1 skipped\n/,
    );
  });

  it("prints a notice for what needs nothing, so that who runs the script hears of it", async () => {
    const { status, sql, report } = await run(["-"], "ALTER TABLESPACE SET ts1 FORCE LOGGING;");
    expect(status).toBe(0);
    expect(sql).toBe("DO $$\nBEGIN RAISE NOTICE '%', 'alter: nothing to do: PostgreSQL has no sets of tablespaces'; END\n$$;\n");
    expect(report).toContain("nothing to do: alter (-:1)");
  });

  it("reads whatever a script was saved as, and nothing makes it throw or wait", async () => {
    const folder = await mkdtemp(join(tmpdir(), "godwit-convert-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, "script.sql");
    const saved = async (bytes: Uint8Array) => {
      await writeFile(file, bytes);
      return run([file]);
    };
    const script = "COMMENT ON TABLE caf\u00e9 IS 'na\u00efve';\r\n/\r\n";
    for (const bytes of [
      Buffer.from(`\uFEFF${script}`),
      Buffer.from(script, "latin1"),
      Buffer.from(`\uFEFF${script}`, "utf16le"),
      Buffer.from(`\uFEFF${script}`, "utf16le").swap16(),
    ])
      expect((await saved(bytes)).sql).toBe("COMMENT ON TABLE caf\u00e9 IS 'na\u00efve';\n");
    expect(await saved(Buffer.from([0, 1, 255, 39, 34]))).toMatchObject({ status: 1, sql: "" });
    expect(await saved(Buffer.from(""))).toMatchObject({ status: 1, sql: "", report: "0 converted, 0 skipped\n" });
    expect(await run([tmpdir()])).toMatchObject({ status: 2, report: expect.stringContaining("cannot be read") });
    expect(await run(["--help"])).toMatchObject({ status: 0, sql: expect.stringMatching(/^usage: /) });
    expect(await run(["--kind", "no such kind", "-"], "CREATE SEQUENCE s;")).toMatchObject({
      status: 0,
      sql: "CREATE SEQUENCE s;\n",
    });
    const brackets = `${"(".repeat(5000)}1${")".repeat(5000)}`;
    expect(await run(["-"], `CREATE VIEW v AS SELECT ${brackets} AS a FROM t`)).toMatchObject({
      status: 1,
      report: expect.stringContaining("nested too deeply"),
    });
  });

  it("takes no longer for functions inside each other than they are long", async () => {
    const around: ((x: string) => string)[] = [
      (x) => `NVL(${x}, 0)`,
      (x) => `DECODE(${x}, 1, 2, 3)`,
      (x) => `TRUNC(${x}, 'MM')`,
      (x) => `TO_DATE(${x}, 'YYYY')`,
      (x) => `INSTR(${x}, 'a')`,
      (x) => `NULLIF(1, ${x})`,
      (x) => `EXTRACT(DAY FROM a - ${x})`,
      (x) => `LAG(${x}, 1, 0) OVER (ORDER BY a)`,
      (x) => `(SELECT ${x} FROM t UNION SELECT 1 FROM t)`,
    ];
    const start = performance.now();
    for (const wrap of around) {
      let inner = "a";
      for (let depth = 0; depth < 30; depth++) inner = wrap(inner);
      await run(["-"], `CREATE VIEW v AS SELECT ${inner} AS b FROM t`);
    }
    // Doubling with each level would be hours.
    expect(performance.now() - start).toBeLessThan(20_000);
  });

  it("puts in what DEFINE gives, and takes a variable without a value for a name", async () => {
    const { sql, report } = await run(
      ["-"],
      "DEFINE own = scott\nCREATE TABLE &own..t (a VARCHAR2(9) DEFAULT '&own') TABLESPACE &space;\n",
    );
    expect(sql).toBe("CREATE SCHEMA IF NOT EXISTS scott;\n\nCREATE TABLE scott.t (\n  a varchar(9) DEFAULT 'scott'\n);\n");
    expect(report).toContain("&space became the name space");
    expect((await run(["-"], "SET DEFINE OFF\nDEFINE a = b\nCOMMENT ON TABLE t IS '&a';")).sql).toContain("IS '&a'");
  });

  it("fails when nothing was produced, and for wrong arguments", async () => {
    expect(await run(["-"], "CREATE DIRECTORY d AS '/x';")).toMatchObject({ status: 1, sql: "" });
    expect(await run(["--frobnicate", "-"])).toMatchObject({ status: 2 });
    expect(await run(["/nowhere/at/all.sql"])).toMatchObject({ status: 2, report: expect.stringContaining("cannot be read") });
  });

  it("takes only objects of a kind", async () => {
    const { sql } = await run(["--kind", "view", "-"], "CREATE TABLE t (a NUMBER); CREATE VIEW v AS SELECT a FROM t;");
    expect(sql).toBe("CREATE VIEW v AS SELECT a FROM t;\n");
  });

  it("puts the support functions that the statements call first", async () => {
    const { sql } = await run(["-"], "CREATE VIEW v AS SELECT ADD_MONTHS(d, 1) AS m FROM t;");
    expect(sql).toMatch(/^CREATE SCHEMA IF NOT EXISTS godwit_oracle;\n\nCREATE OR REPLACE FUNCTION godwit_oracle\.add_months/);
  });
});
