import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { convertDdl } from "../../../../provider/databases/oracle/convert/convertDdl.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";
import { convertedRows } from "./convertedRows.js";

/** Where PostgreSQL has a word of the same spelling with another meaning, the converted query gives what Oracle's documentation says. */
describe("a converted query means what it meant", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ major: 17, name: "meanings" });
  });
  afterAll(async () => {
    await server?.remove();
  });

  const rows = (query: string, first = "") => convertedRows(server, query, first);

  const skippedOf = (query: string) => convertDdl(`CREATE VIEW v AS ${query};`).skipped.map(({ reason }) => reason);

  it("takes what is left of a text for NULL when nothing is left", async () => {
    expect(
      await rows(`SELECT NVL(TRIM('  '), 'none') a, LENGTH(SUBSTR('abc', 5)) b, REPLACE('aa', 'a') c, NVL(LTRIM('00', '0'), '0') d,
        DECODE(RTRIM(' '), NULL, 'null', 'text') e, NVL(REGEXP_REPLACE('12', '\\d'), '-') f, SUBSTR('abc', 1, 2) g,
        CASE WHEN TRANSLATE('ab', 'xab', 'x') <> 'q' THEN 1 ELSE 0 END h FROM dual`),
    ).toEqual([["none", null, null, "0", "null", "-", "ab", "0"]]);
  });

  it("joins three queries from left to right", async () => {
    expect(await rows("SELECT 1 a FROM dual UNION SELECT 2 FROM dual INTERSECT SELECT 2 FROM dual")).toEqual([["2"]]);
    expect(await rows("SELECT 1 a FROM dual MINUS SELECT 1 FROM dual UNION SELECT 1 FROM dual")).toEqual([["1"]]);
  });

  const STAFF = `CREATE TABLE emp (id NUMBER(4), n NUMBER(4), m NUMBER(9), name VARCHAR2(5));
    INSERT INTO emp VALUES (1, 9000, 900000000, 'a'); INSERT INTO emp VALUES (2, 8000, 800000000, 'b');`;

  it("groups by a constant, which is no position, and sorts by an expression over an alias", async () => {
    expect(await rows("SELECT SUM(n) FROM emp GROUP BY 1, 'x'", STAFF)).toEqual([["17000"]]);
    expect(await rows("SELECT name, 'USA' c FROM emp GROUP BY name, 'USA' ORDER BY NULL, name", STAFF)).toEqual([
      ["a", "USA"],
      ["b", "USA"],
    ]);
    expect(await rows("SELECT -n AS below FROM emp ORDER BY below + 0", STAFF)).toEqual([["-9000"], ["-8000"]]);
    expect(await rows("SELECT TO_CHAR(n) n FROM emp ORDER BY n + 0", STAFF)).toEqual([["8000"], ["9000"]]);
  });

  it("multiplies numbers whose product has more digits than they", async () => {
    expect(await rows("SELECT n * n a, m * 12 b, n * 12 c FROM emp WHERE id = 1", STAFF)).toEqual([
      ["81000000", "10800000000", "108000"],
    ]);
  });

  it("calls a function without brackets where DUAL is all that a query takes from", async () => {
    const first = "CREATE FUNCTION whoami RETURN VARCHAR2 IS BEGIN RETURN 'me'; END;\n/";
    expect(await rows("SELECT whoami() u, (SELECT x FROM dual) FROM (SELECT 2 x FROM dual)", first)).toEqual([["me", "2"]]);
    expect(await rows("SELECT whoami u, 1 a FROM dual ORDER BY a", first)).toEqual([["me", "1"]]);
    const loose = convertDdl("CREATE VIEW v AS SELECT someone_elses a FROM dual;").statements[0]?.sql;
    expect(loose).toEqual(["CREATE VIEW v AS SELECT someone_elses() AS a"]);
  });

  it("names expressions that a view has no names for, and sorts by the codes of characters", async () => {
    const { statements } = convertDdl("CREATE VIEW v AS SELECT 'A', 'B' FROM dual;");
    expect(statements[0]?.warnings[0]?.message).toContain("column_1");
    expect(await rows("SELECT COUNT(*), MAX(n) FROM emp", STAFF)).toEqual([["2", "9000"]]);
    expect(
      await rows(
        "SELECT x FROM (SELECT 'b' x FROM dual UNION ALL SELECT 'A' FROM dual) ORDER BY NLSSORT(x, 'NLS_SORT=BINARY_CI') DESC",
      ),
    ).toEqual([["b"], ["A"]]);
    expect(skippedOf("SELECT NLSSORT('x', 'NLS_SORT=GERMAN') a FROM dual")).toEqual(["NLSSORT in another order than BINARY"]);
  });

  it("puts a year of two digits into Oracle's hundred years, and leaves one of four alone", async () => {
    expect(
      await rows(`SELECT TO_DATE('01-JAN-65', 'DD-MON-RR') a, TO_DATE('01-JAN-49', 'DD-MON-RR') b, TO_DATE('01-JAN-85', 'DD-MON-YY') c,
        TO_DATE('650102', 'RRMMDD') d, TO_DATE('65-01-02', 'RRRR-MM-DD') e, TO_DATE('01-JAN-1925', 'DD-MON-RR') f,
        TO_DATE('02011930', 'DDMMRRRR') g FROM dual`),
    ).toEqual([
      ["1965-01-01", "2049-01-01", "2085-01-01", "1965-01-02", "1965-01-02", "1925-01-01", "1930-01-02"].map(
        (day) => `${day}T00:00:00`,
      ),
    ]);
  });

  it("writes numbers in hexadecimal and in their shortest form, and reads them", async () => {
    expect(
      await rows(
        `SELECT TO_CHAR(255, 'XX') a, TO_CHAR(255, 'fm000x') b, TO_CHAR(5.50, 'TM9') c, TO_NUMBER('fF', 'XX') d FROM dual`,
      ),
    ).toEqual([[" FF", "00ff", "5.5", "255"]]);
  });

  it("refuses formats and functions whose result would be another one", () => {
    expect(skippedOf("SELECT TO_CHAR(SYSDATE, 'YEAR') a FROM dual")).toEqual([
      "the format element YEAR: PostgreSQL spells no numbers",
    ]);
    expect(skippedOf("SELECT TO_CHAR(SYSDATE, 'Ddspth \"year\"') a FROM dual")).toEqual([
      "the format element SPTH: PostgreSQL spells no numbers",
    ]);
    expect(skippedOf(`SELECT TO_CHAR(SYSDATE, '"year" YYYY') a, STANDARD_HASH('a', 'MD5') b FROM dual`)).toEqual([]);
    expect(skippedOf("SELECT STANDARD_HASH('a') a FROM dual")).toEqual([
      "STANDARD_HASH by SHA1: PostgreSQL has it in pgcrypto only",
    ]);
    expect(skippedOf("SELECT DUMP(x) a FROM t")).toEqual(["DUMP: how Oracle stores a value"]);
  });

  it("knows SOUNDEX, the hashes PostgreSQL has, and keeps ORA_HASH below its greatest bucket", async () => {
    expect(
      await rows(`SELECT SOUNDEX('Robert') a, SOUNDEX('Ashcraft') b, SOUNDEX('Tymczak') c, SOUNDEX('12') d,
        RAWTOHEX(STANDARD_HASH('a', 'MD5')) e, CASE WHEN ORA_HASH('x', 3) BETWEEN 0 AND 3 THEN 1 ELSE 0 END f FROM dual`),
    ).toEqual([["R163", "A261", "T522", null, "0CC175B9C0F1B6A831C399E269772661", "1"]]);
  });

  it("takes the other value where a conversion fails, and says whether it would", async () => {
    expect(
      await rows(
        `SELECT TO_NUMBER(a DEFAULT -1 ON CONVERSION ERROR) a, TO_NUMBER(b DEFAULT -1 ON CONVERSION ERROR) b,
          TO_DATE(c DEFAULT '01.01.2012' ON CONVERSION ERROR, 'DD.MM.YYYY') c, VALIDATE_CONVERSION(c AS DATE, 'DD.MM.YYYY') d,
          VALIDATE_CONVERSION(b AS NUMBER) e, TO_DSINTERVAL(a DEFAULT NULL ON CONVERSION ERROR) f FROM texts`,
        "CREATE TABLE texts (a VARCHAR2(9), b VARCHAR2(9), c VARCHAR2(10)); INSERT INTO texts VALUES ('x', '7', '31.02.2020');",
      ),
    ).toEqual([["-1", "7", "2012-01-01T00:00:00", "0", "1", null]]);
  });

  it("compares with lists by ANY and ALL, and reads operators with blanks in them", async () => {
    expect(
      await rows(
        `SELECT id FROM t WHERE 2 = ANY (id, 9) OR id = SOME (3, 4) AND id <> ALL (5, 6) AND id > ALL (1, 2) AND id < > 7 AND id > = 3`,
        T,
      ),
    ).toEqual([["2"], ["3"]]);
  });

  const T =
    "CREATE TABLE t (id NUMBER(3), kind VARCHAR2(5)); INSERT INTO t VALUES (1, 'a'); INSERT INTO t VALUES (2, 'a'); INSERT INTO t VALUES (3, 'b');";

  it("limits rows by ROWNUM before they are grouped, made distinct or counted", async () => {
    expect(await rows("SELECT kind, COUNT(*) n FROM t WHERE ROWNUM <= 2 GROUP BY kind HAVING COUNT(*) > 1", T)).toEqual([
      ["a", "2"],
    ]);
    expect(await rows("SELECT DISTINCT kind FROM t WHERE ROWNUM <= 2", T)).toEqual([["a"]]);
    expect(await rows("SELECT id FROM t WHERE ROWNUM < 0", T)).toEqual([]);
    expect(await rows("SELECT id FROM t WHERE ROWNUM <= (SELECT MAX(id) FROM t WHERE id > 9)", T)).toEqual([]);
  });

  it("takes the column and the row of DUAL where they are asked for", async () => {
    expect(await rows("SELECT dummy FROM dual a JOIN dual b USING (dummy)")).toEqual([["X"]]);
    expect(await rows("SELECT * FROM t, dual WHERE id = 1", T)).toEqual([["1", "a", "X"]]);
    expect(await rows("SELECT d.dummy, COUNT(*) n FROM dual d GROUP BY d.dummy")).toEqual([["X", "1"]]);
    expect(await rows("SELECT COUNT(*) n FROM dual")).toEqual([["1"]]);
  });

  const E = `CREATE TABLE e (id NUMBER(4), boss NUMBER(4), name VARCHAR2(10), pay NUMBER(7,2)); INSERT INTO e VALUES (1, NULL, 'A', 1.5);
    INSERT INTO e VALUES (2, 1, 'B', 2.5); INSERT INTO e VALUES (3, 1, 'B', 2.5);`;

  it("recurses though its two sides differ in length, scale and kind of number", async () => {
    const query = `WITH r (id, depth, path, total, days) AS (SELECT id, 1, name, pay, 0 FROM e WHERE boss IS NULL
      UNION ALL SELECT e.id, r.depth + 1, r.path || '/' || e.name, r.total + e.pay, r.days + e.pay FROM r, e WHERE e.boss = r.id) SELECT * FROM r`;
    expect((await rows(query, E)).at(-1)).toEqual(["3", "2", "A/B", "4.00", "2.50"]);
  });

  it("counts and lists different values over a window", async () => {
    const query = `SELECT id, COUNT(DISTINCT name) OVER () n, LISTAGG(DISTINCT name, '+') WITHIN GROUP (ORDER BY name) OVER (PARTITION BY boss) l FROM e`;
    expect((await rows(query, E)).sort()).toEqual([
      ["1", "2", "A"],
      ["2", "2", "B"],
      ["3", "2", "B"],
    ]);
    expect(skippedOf("SELECT LISTAGG(DISTINCT a, ',') WITHIN GROUP (ORDER BY b) OVER () l FROM t")).toEqual([
      "LISTAGG(DISTINCT ...) over a window in another order",
    ]);
  });

  it("joins a join whose condition comes behind that of the join inside it", async () => {
    const query = "SELECT a.id FROM e a JOIN e b JOIN e c ON c.id = b.boss ON b.id = a.id";
    expect((await rows(query, E)).sort()).toEqual([["2"], ["3"]]);
  });

  it("joins by (+) on a column without its table, which must be the one that the statement then names", async () => {
    const script = `CREATE VIEW v AS SELECT kind, name FROM t, kinds WHERE kind = code (+) AND to_upper(sort (+)) = 'A';`;
    const { statements } = convertDdl(script);
    expect(statements[0]?.sql[0]).toContain("FROM t LEFT JOIN kinds ON kind = kinds.code AND to_upper(kinds.sort) = 'A'");
    expect(statements[0]?.warnings.map(({ message }) => message)).toContain(
      "(+) on code, a column whose table is not named: taken for a column of kinds; if it is none, the statement fails",
    );
  });
});
