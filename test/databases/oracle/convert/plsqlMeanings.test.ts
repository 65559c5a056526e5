import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { convertDdl } from "../../../../provider/databases/oracle/convert/convertDdl.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";

/** Blocks that say what they find out; the lines are what Oracle's documentation lets them say. */
describe("a converted block says what it said", () => {
  let server: PostgresServer;
  let client: Client;
  const said: string[] = [];
  beforeAll(async () => {
    server = await startPostgres({ major: 17, name: "plsqlmeanings" });
    client = new Client(server.clientConfig("postgres"));
    client.on("error", () => undefined);
    client.on("notice", ({ message }) => said.push(message ?? ""));
    await client.connect();
  });
  afterAll(async () => {
    await client?.end();
    await server?.remove();
  });

  async function lines(block: string): Promise<string[]> {
    const { support, statements, skipped } = convertDdl(block);
    expect(skipped).toEqual([]);
    for (const sql of support) await client.query(sql);
    said.length = 0;
    for (const sql of statements.flatMap((statement) => statement.sql)) await client.query(sql);
    return [...said];
  }

  it("keeps the other elements at their indexes when one is deleted, and begins and ends with elements that are there", async () => {
    expect(
      await lines(`DECLARE TYPE m IS TABLE OF VARCHAR2(5) INDEX BY PLS_INTEGER; x m; n NUMBER := 0;
        BEGIN x(5) := 'a'; x(7) := 'b'; x(9) := 'c'; x.DELETE(5); DBMS_OUTPUT.PUT_LINE(x(7) || x(x.LAST) || x.COUNT || x.FIRST);
          WHILE x.COUNT > 0 LOOP x.DELETE(x.FIRST); n := n + 1; EXIT WHEN n > 9; END LOOP; DBMS_OUTPUT.PUT_LINE(n); END;`),
    ).toEqual(["bc27", "2"]);
  });

  it("reads a date whose hour the session's time zone leaves out", async () => {
    const block = `DECLARE v VARCHAR2(30) := '31.03.2024 02:30'; d DATE; BEGIN d := TO_DATE(v, 'DD.MM.YYYY HH24:MI');
      DBMS_OUTPUT.PUT_LINE(TO_CHAR(d, 'YYYY-MM-DD HH24:MI')); v := '2018-11-04'; d := TO_DATE(v, 'YYYY-MM-DD');
      DBMS_OUTPUT.PUT_LINE(TO_CHAR(d, 'YYYY-MM-DD HH24:MI')); END;`;
    await client.query("SET TIME ZONE 'Europe/Berlin'");
    expect((await lines(block))[0]).toBe("2024-03-31 02:30");
    await client.query("SET TIME ZONE 'America/Sao_Paulo'");
    expect((await lines(block))[1]).toBe("2018-11-04 00:00");
    await client.query("RESET TIME ZONE");
  });

  it("takes today's month and year for those that a format does not say", async () => {
    expect(
      await lines(`DECLARE t VARCHAR2(9) := '10:30'; BEGIN
        DBMS_OUTPUT.PUT_LINE(CASE WHEN TO_DATE(t, 'HH24:MI') = TRUNC(SYSDATE, 'MM') + 10.5/24 THEN 'month' END);
        DBMS_OUTPUT.PUT_LINE(CASE WHEN TO_DATE('2020', 'YYYY') = ADD_MONTHS(DATE '2020-01-01', EXTRACT(MONTH FROM SYSDATE) - 1) THEN 'of year' END);
        DBMS_OUTPUT.PUT_LINE(TO_CHAR(TO_DATE('24-12', 'DD-MM'), 'DD.MM')); END;`),
    ).toEqual(["month", "of year", "24.12"]);
  });

  it("reads a constant moment as it stands", () => {
    const sql = (value: string) =>
      convertDdl(`CREATE TABLE m (d DATE DEFAULT ${value});`).statements[0]?.sql[0]?.split("DEFAULT ")[1];
    expect(sql("TO_DATE(' 2019-01-31 23:59:58', 'SYYYY-MM-DD HH24:MI:SS', 'NLS_CALENDAR=GREGORIAN')")).toContain(
      "timestamp '2019-01-31 23:59:58'",
    );
    expect(sql("TO_DATE('31.02.2019', 'DD.MM.YYYY')")).not.toContain("timestamp '");
  });

  it("gives back what the session was told about itself, and nothing when that is cleared", async () => {
    expect(
      await lines(`BEGIN DBMS_SESSION.SET_IDENTIFIER('me'); DBMS_APPLICATION_INFO.SET_MODULE(action_name => 'act', module_name => 'mod');
        DBMS_OUTPUT.PUT_LINE(SYS_CONTEXT('USERENV', 'CLIENT_IDENTIFIER') || SYS_CONTEXT('USERENV', 'MODULE') || SYS_CONTEXT('USERENV', 'ACTION'));
        DBMS_SESSION.CLEAR_IDENTIFIER; DBMS_SESSION.SET_CONTEXT('own_ctx', 'k', 'v'); DBMS_OUTPUT.PUT_LINE(SYS_CONTEXT('own_ctx', 'K'));
        DBMS_SESSION.CLEAR_CONTEXT('own_ctx', attribute => 'k');
        IF SYS_CONTEXT('USERENV', 'CLIENT_IDENTIFIER') IS NULL AND SYS_CONTEXT('own_ctx', 'k') IS NULL THEN DBMS_OUTPUT.PUT_LINE('cleared'); END IF; END;`),
    ).toEqual(["memodact", "v", "cleared"]);
  });

  it("takes arguments of Oracle's packages by their names, and appends to LOBs as much as is asked for", async () => {
    expect(
      await lines(`DECLARE c CLOB := 'abcdef'; b BLOB := HEXTORAW('01'); BEGIN
        DBMS_OUTPUT.PUT_LINE(DBMS_LOB.SUBSTR(lob_loc => c, offset => 2, amount => 3));
        DBMS_LOB.WRITEAPPEND(c, 2, 'xyz'); DBMS_OUTPUT.PUT_LINE(c);
        DBMS_LOB.APPEND(b, HEXTORAW('02FF')); DBMS_OUTPUT.PUT_LINE(RAWTOHEX(b)); END;`),
    ).toEqual(["bcd", "abcdefxy", "0102FF"]);
  });

  it("binds the placeholders of a statement that stands in a variable", async () => {
    expect(
      await lines(`CREATE TABLE bound (a NUMBER, b VARCHAR2(20)); 
        DECLARE v VARCHAR2(200); n NUMBER; c SYS_REFCURSOR; w VARCHAR2(20); BEGIN
        v := 'INSERT INTO bound VALUES (:x, '':no:'' || :y)'; EXECUTE IMMEDIATE v USING 1, 'z'; EXECUTE IMMEDIATE v USING 2, 'w';
        v := 'SELECT b FROM bound WHERE a = :id'; OPEN c FOR v USING 2; FETCH c INTO w; CLOSE c; DBMS_OUTPUT.PUT_LINE(w);
        EXECUTE IMMEDIATE 'SELECT COUNT(*) FROM bound WHERE a > :1' || ' AND a < :2' INTO n USING 0, 2; DBMS_OUTPUT.PUT_LINE(n); END;`),
    ).toEqual([":no:w", "1"]);
  });

  it("walks through a collection with an index of any name", async () => {
    expect(
      await lines(`DECLARE TYPE m IS TABLE OF NUMBER INDEX BY VARCHAR2(5); TYPE n IS TABLE OF VARCHAR2(5); x m; y n := n('p', 'q', 'r'); k VARCHAR2(5);
        s VARCHAR2(50); BEGIN x('b') := 2; x('a') := 1; x('c') := 3; k := x.FIRST;
        WHILE k IS NOT NULL LOOP s := s || k || x(k); k := x.NEXT(k); END LOOP; DBMS_OUTPUT.PUT_LINE(s); k := x.LAST; s := NULL;
        WHILE k IS NOT NULL LOOP s := s || k; k := x.PRIOR(k); END LOOP; DBMS_OUTPUT.PUT_LINE(s); s := NULL;
        DECLARE k NUMBER := y.FIRST; BEGIN WHILE k IS NOT NULL LOOP s := s || y(k); k := y.NEXT(k); END LOOP; DBMS_OUTPUT.PUT_LINE(s); END; END;`),
    ).toEqual(["a1b2c3", "cba", "pqr"]);
  });

  it("calls a method whose empty brackets were left out", async () => {
    expect(
      await lines(`CREATE TYPE doubled AS OBJECT (a NUMBER, MEMBER FUNCTION twice RETURN NUMBER);
/
        CREATE TYPE BODY doubled AS MEMBER FUNCTION twice RETURN NUMBER IS BEGIN RETURN a * 2; END; END;
/
        DECLARE o doubled := doubled(6); BEGIN DBMS_OUTPUT.PUT_LINE(o.twice || o.a || o.twice()); END;`),
    ).toEqual(["12612"]);
  });

  it("knows how many rows a query gathered in bulk", async () => {
    expect(
      await lines(`DECLARE TYPE n IS TABLE OF NUMBER; TYPE v IS TABLE OF VARCHAR2(9); a n; b v; BEGIN
        SELECT LEVEL BULK COLLECT INTO a FROM dual CONNECT BY LEVEL <= 3; DBMS_OUTPUT.PUT_LINE(SQL%ROWCOUNT);
        SELECT 1, 'x' BULK COLLECT INTO a, b FROM dual WHERE 1 = 0; IF SQL%ROWCOUNT = 0 AND SQL%NOTFOUND THEN DBMS_OUTPUT.PUT_LINE('none'); END IF;
        EXECUTE IMMEDIATE 'SELECT 7 FROM dual' BULK COLLECT INTO a; DBMS_OUTPUT.PUT_LINE(SQL%ROWCOUNT); END;`),
    ).toEqual(["3", "none", "1"]);
  });

  it("goes on behind a dynamic statement that PostgreSQL needs nothing for", async () => {
    expect(
      await lines(`BEGIN EXECUTE IMMEDIATE 'ALTER SESSION SET NLS_DATE_FORMAT = ''YYYY'''; DBMS_OUTPUT.PUT_LINE('here'); END;`),
    ).toEqual(["ALTER SESSION SET NLS_DATE_FORMAT = 'YYYY': nothing to do: a property of an Oracle session", "here"]);
  });

  it("counts the rows of a cursor in a loop over it and in bulk", async () => {
    expect(
      await lines(`DECLARE CURSOR c IS SELECT LEVEL n FROM dual CONNECT BY LEVEL <= 3; TYPE t IS TABLE OF NUMBER; a t; BEGIN
        FOR r IN c LOOP DBMS_OUTPUT.PUT_LINE(c%ROWCOUNT || ':' || r.n || CASE WHEN c%FOUND THEN '+' END); END LOOP;
        OPEN c; LOOP FETCH c BULK COLLECT INTO a LIMIT 2; DBMS_OUTPUT.PUT_LINE(c%ROWCOUNT); EXIT WHEN c%NOTFOUND; END LOOP; CLOSE c; END;`),
    ).toEqual(["1:1+", "2:2+", "3:3+", "2", "3"]);
  });

  it("finds a row again by its ROWID in a text", async () => {
    expect(
      await lines(`CREATE TABLE found_again (a NUMBER); INSERT INTO found_again VALUES (1); INSERT INTO found_again VALUES (2);
        DECLARE r ROWID; n NUMBER; BEGIN SELECT ROWID INTO r FROM found_again WHERE a = 2; SELECT a INTO n FROM found_again WHERE ROWID = r;
          UPDATE found_again t SET a = 3 WHERE t.ROWID = r; SELECT SUM(a) INTO n FROM found_again; DBMS_OUTPUT.PUT_LINE(n); END;`),
    ).toEqual(["4"]);
  });

  it("calls Oracle's own function behind STANDARD, whatever the package calls its own", async () => {
    expect(
      await lines(`CREATE PACKAGE BODY own_words IS
          FUNCTION upper(a VARCHAR2) RETURN VARCHAR2 IS BEGIN RETURN 'own'; END;
          PROCEDURE say IS BEGIN DBMS_OUTPUT.PUT_LINE(upper('x') || STANDARD.UPPER('y')); END;
        END;
/
        BEGIN own_words.say; END;`),
    ).toEqual(["ownY"]);
  });

  it("warns where a routine asks for the error that its caller handles", () => {
    const warnings = convertDdl("CREATE PROCEDURE log_it IS n NUMBER := SQLCODE; BEGIN NULL; END;").statements[0]?.warnings;
    expect(warnings?.map(({ message }) => message)).toEqual([
      "SQLCODE outside of a handler says that there is no error: in Oracle it is that of the handler which calls the routine",
    ]);
  });

  it("raises NO_DATA_FOUND for an element that a table has not, where a handler waits for it", async () => {
    expect(
      await lines(`DECLARE TYPE m IS TABLE OF NUMBER INDEX BY PLS_INTEGER; x m; TYPE w IS TABLE OF NUMBER INDEX BY VARCHAR2(9); y w;
        BEGIN x(1) := 10; y('a') := 20; DBMS_OUTPUT.PUT_LINE(x(1) + y('a'));
          BEGIN DBMS_OUTPUT.PUT_LINE(x(2)); EXCEPTION WHEN NO_DATA_FOUND THEN DBMS_OUTPUT.PUT_LINE('no number'); END;
          DBMS_OUTPUT.PUT_LINE(y('b')); EXCEPTION WHEN OTHERS THEN DBMS_OUTPUT.PUT_LINE(SQLCODE || SQLERRM); END;`),
    ).toEqual(["30", "no number", "100ORA-01403: no data found"]);
  });

  it("puts into elements that were not there, of tables in tables and records in them, and through OUT arguments", async () => {
    expect(
      await lines(`DECLARE TYPE r IS RECORD (a NUMBER); TYPE i IS TABLE OF NUMBER INDEX BY VARCHAR2(5); TYPE m IS TABLE OF i INDEX BY VARCHAR2(5);
        TYPE rs IS TABLE OF r INDEX BY VARCHAR2(5); x m; z rs; PROCEDURE p(o OUT NUMBER) IS BEGIN o := 5; END;
        BEGIN x('a')('b') := 9; z('k').a := 7; p(x('a')('c')); DBMS_OUTPUT.PUT_LINE(x('a').COUNT || ' ' || x('a')('b') || ' ' || z('k').a || ' ' || x('a')('c')); END;`),
    ).toEqual(["2 9 7 5"]);
  });

  it("begins the text of an error with Oracle's number", async () => {
    expect(
      await lines(`CREATE TABLE k (id NUMBER PRIMARY KEY);
        DECLARE n NUMBER := 0; BEGIN
          BEGIN INSERT INTO k VALUES (1); INSERT INTO k VALUES (1); EXCEPTION WHEN OTHERS THEN DBMS_OUTPUT.PUT_LINE(SUBSTR(SQLERRM, 1, 9)); END;
          BEGIN n := 1 / n; EXCEPTION WHEN ZERO_DIVIDE THEN DBMS_OUTPUT.PUT_LINE(SQLERRM); END;
          BEGIN RAISE_APPLICATION_ERROR(-20007, 'seven'); EXCEPTION WHEN OTHERS THEN DBMS_OUTPUT.PUT_LINE(SQLERRM); END;
        END;`),
    ).toEqual(["ORA-00001", "ORA-01476: divisor is equal to zero", "ORA-20007: seven"]);
  });

  it("computes with zero, halves, dates and lengths as Oracle does", async () => {
    expect(
      await lines(`DECLARE a NUMBER := 5; z NUMBER := 0; f VARCHAR2(5); p PLS_INTEGER := 2; BEGIN DBMS_OUTPUT.PUT_LINE(MOD(a, z));
          DBMS_OUTPUT.PUT_LINE(a / p); DBMS_OUTPUT.PUT_LINE(DATE '2024-03-01' - DATE '2024-02-28'); DBMS_OUTPUT.PUT_LINE(REMAINDER(11, 4));
          DBMS_OUTPUT.PUT_LINE(REPLACE('abc', f, 'x')); DBMS_OUTPUT.PUT_LINE(NVL(RPAD('a', z), 'nothing'));
          DBMS_OUTPUT.PUT_LINE(TO_CHAR(CAST(TIMESTAMP '2024-02-29 23:59:59.9' AS DATE), 'DD HH24:MI:SS'));
          DBMS_OUTPUT.PUT_LINE(REGEXP_SUBSTR('key=val', '=(.*)', 1, 1, NULL, 1)); END;`),
    ).toEqual(["5", "2.5", "2", "-1", "abc", "nothing", "29 23:59:59", "val"]);
  });

  it("reads texts as numbers beside numbers, and writes numbers as Oracle does where a text takes them", async () => {
    expect(
      await lines(`CREATE FUNCTION half(n NUMBER) RETURN VARCHAR2 IS BEGIN RETURN n / 2; END;
/
        DECLARE one VARCHAR2(5) := '01'; n NUMBER := 1; s VARCHAR2(5); BEGIN
          IF one = n THEN DBMS_OUTPUT.PUT_LINE(one + n); END IF; s := n / 4; DBMS_OUTPUT.PUT_LINE(s); DBMS_OUTPUT.PUT_LINE(half(5)); END;`),
    ).toEqual(["2", ".25", "2.5"]);
  });

  it("knows a variable by its block's label, and asks whether a cursor is open that never was", async () => {
    expect(
      await lines(`BEGIN <<outside>> DECLARE x NUMBER := 1; CURSOR c IS SELECT 1 FROM dual; BEGIN DECLARE x NUMBER := 2; BEGIN
          DBMS_OUTPUT.PUT_LINE(outside.x + x); IF c%ISOPEN THEN DBMS_OUTPUT.PUT_LINE('open'); END IF; OPEN c;
          IF c%ISOPEN THEN CLOSE c; DBMS_OUTPUT.PUT_LINE('was open'); END IF; END; END; END;`),
    ).toEqual(["3", "was open"]);
  });
});
