import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { convertDdl } from "../../../../provider/databases/oracle/convert/convertDdl.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";
import { convertedRows } from "./convertedRows.js";

const STAFF = `CREATE TABLE emp (id NUMBER(4), name VARCHAR2(10), mgr NUMBER(4), dept NUMBER(2));
  CREATE TABLE dep (dept NUMBER(2), dname VARCHAR2(10));
  INSERT INTO emp VALUES (1, 'KING', NULL, 10); INSERT INTO emp VALUES (2, 'BLAKE', 1, 30); INSERT INTO emp VALUES (3, 'CLARK', 1, 10);
  INSERT INTO emp VALUES (4, 'WARD', 2, 30); INSERT INTO emp VALUES (5, 'ALLEN', 2, 30);
  INSERT INTO dep VALUES (10, 'ACCOUNTS'); INSERT INTO dep VALUES (30, 'SALES');`;

describe("a hierarchy gives the rows that Oracle gives", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ major: 17, name: "hierarchies" });
  });
  afterAll(async () => {
    await server?.remove();
  });

  const rows = (query: string) => convertedRows(server, query, STAFF);
  const DOWN = "START WITH mgr IS NULL CONNECT BY PRIOR id = mgr";

  it("sorts siblings downwards where it says DESC", async () => {
    expect(await rows(`SELECT LEVEL, name FROM emp ${DOWN} ORDER SIBLINGS BY name DESC`)).toEqual([
      ["1", "KING"],
      ["2", "CLARK"],
      ["2", "BLAKE"],
      ["3", "WARD"],
      ["3", "ALLEN"],
    ]);
  });

  it("gathers its rows, with HAVING, ROLLUP and without a group", async () => {
    expect(await rows(`SELECT dept, COUNT(*) FROM emp ${DOWN} GROUP BY dept HAVING COUNT(*) > 2`)).toEqual([["30", "3"]]);
    expect(await rows(`SELECT dept, COUNT(*) FROM emp ${DOWN} GROUP BY ROLLUP (dept) ORDER BY 2`)).toEqual([
      ["10", "2"],
      ["30", "3"],
      [null, "5"],
    ]);
    expect(await rows(`SELECT MAX(LEVEL) FROM emp ${DOWN}`)).toEqual([["3"]]);
  });

  it("shows the columns of the table where it says all, and what stands in the row above", async () => {
    expect(await rows(`SELECT * FROM emp ${DOWN} AND LEVEL < 3 ORDER SIBLINGS BY id`)).toEqual([
      ["1", "KING", null, "10"],
      ["2", "BLAKE", "1", "30"],
      ["3", "CLARK", "1", "10"],
    ]);
    expect(await rows(`SELECT e.*, LEVEL FROM emp e WHERE LEVEL = 1 ${DOWN}`)).toEqual([["1", "KING", null, "10", "1"]]);
    expect(await rows(`SELECT name, PRIOR name above FROM emp WHERE dept = 10 ${DOWN} ORDER SIBLINGS BY id`)).toEqual([
      ["KING", null],
      ["CLARK", "KING"],
    ]);
  });

  it("goes over joined tables, whose join comes before the hierarchy and whose other conditions come after it", async () => {
    const joined = `SELECT e.name, d.dname, LEVEL, SYS_CONNECT_BY_PATH(e.name, '/') FROM emp e, dep d
      WHERE e.dept = d.dept AND d.dname = 'SALES' AND CONNECT_BY_ISLEAF = 1
      START WITH e.mgr IS NULL CONNECT BY PRIOR e.id = e.mgr ORDER SIBLINGS BY e.name`;
    expect(await rows(joined)).toEqual([
      ["ALLEN", "SALES", "3", "/KING/BLAKE/ALLEN"],
      ["WARD", "SALES", "3", "/KING/BLAKE/WARD"],
    ]);
    expect(
      await rows(`SELECT dep.dept, name, PRIOR name FROM emp JOIN dep ON emp.dept = dep.dept WHERE LEVEL < 3 ${DOWN}
        ORDER SIBLINGS BY dname DESC`),
    ).toEqual([
      ["10", "KING", null],
      ["30", "BLAKE", "KING"],
      ["10", "CLARK", "KING"],
    ]);
  });

  it("marks the row that has one of the rows above it below it", async () => {
    expect(
      await rows(`SELECT id, CONNECT_BY_ISCYCLE FROM (SELECT 1 id, 3 p FROM dual UNION ALL SELECT 2, 1 FROM dual UNION ALL SELECT 3, 2 FROM dual)
        START WITH id = 1 CONNECT BY NOCYCLE PRIOR id = p`),
    ).toEqual([
      ["1", "0"],
      ["2", "0"],
      ["3", "1"],
    ]);
  });

  it("counts over DUAL from one, whatever the condition, up to where it is no longer true", async () => {
    const numbers = async (query: string) => (await rows(query)).map(([first]) => first);
    expect(await numbers("SELECT LEVEL FROM dual CONNECT BY LEVEL <= 0")).toEqual(["1"]);
    expect(await numbers("SELECT LEVEL FROM dual CONNECT BY LEVEL <= 2.5")).toEqual(["1", "2"]);
    expect(await numbers("SELECT LEVEL FROM dual CONNECT BY LEVEL < 2.5")).toEqual(["1", "2"]);
    expect(await numbers("SELECT LEVEL FROM dual WHERE LEVEL > 1 CONNECT BY 3 >= LEVEL")).toEqual(["2", "3"]);
    expect(
      await numbers(`SELECT REGEXP_SUBSTR('a,b', '[^,]+', 1, LEVEL) FROM dual
        CONNECT BY REGEXP_SUBSTR('a,b', '[^,]+', 1, LEVEL) IS NOT NULL`),
    ).toEqual(["a", "b"]);
    expect(await numbers("SELECT COUNT(*) FROM dual CONNECT BY LEVEL <= 5 GROUP BY MOD(LEVEL, 2) ORDER BY 1")).toEqual([
      "2",
      "3",
    ]);
    expect(
      await numbers(
        "SELECT LEVEL FROM emp WHERE id = 2 CONNECT BY LEVEL <= id AND PRIOR id = id AND PRIOR SYS_GUID() IS NOT NULL",
      ),
    ).toEqual(["1", "2"]);
  });

  it("refuses a join with a query, and a column that may be of either table", () => {
    const reasons = (query: string) => convertDdl(`CREATE VIEW v AS ${query};`).skipped.map(({ reason }) => reason);
    expect(reasons("SELECT a.x FROM a, (SELECT y FROM b) c WHERE a.x = c.y CONNECT BY PRIOR a.x = a.p")).toEqual([
      "CONNECT BY over several tables of which one is a query",
    ]);
    expect(reasons("SELECT x FROM a, b WHERE a.x = b.y CONNECT BY PRIOR a.x = a.p")).toEqual([
      "CONNECT BY over several tables, and x does not say of which it is",
    ]);
  });
});
