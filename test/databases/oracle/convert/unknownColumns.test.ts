import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { convertDdl } from "../../../../provider/databases/oracle/convert/convertDdl.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";
import { loadConverted } from "./loadConverted.js";

/** Views alone in a file: their tables stand in none, so that no type of a column is known. */
const VIEWS: readonly [says: string, query: string][] = [
  [
    "compares a column with a number",
    "SELECT id FROM staff WHERE id = 7 AND 3 <> grade AND grade IN (1, 2, -3) AND pay > 1.5 AND (id, grade) IN ((1, 2), (3, 4))",
  ],
  [
    "counts with columns",
    "SELECT pay * 12 + bonus AS a, pay / 2 AS b, -pay AS c, SUM(bonus) OVER () AS d, ABS(bonus) AS e FROM staff",
  ],
  ["adds days to dates", "SELECT hired + 30 AS a, SYSDATE - hired AS b, hired - born AS c, born - 1/24 AS d FROM staff"],
  [
    "asks for parts of dates",
    "SELECT EXTRACT(YEAR FROM hired) AS a, TO_CHAR(born, 'YYYY-MM') AS b, TRUNC(hired, 'MM') AS c, TRUNC(born) AS d FROM staff",
  ],
  [
    "compares with dates",
    "SELECT 1 AS a FROM staff WHERE hired > SYSDATE - 7 AND born BETWEEN DATE '1950-01-01' AND TO_DATE('2000', 'YYYY')",
  ],
  ["shifts months", "SELECT ADD_MONTHS(hired, grade) AS a, MONTHS_BETWEEN(SYSDATE, hired) AS b, LAST_DAY(born) AS c FROM staff"],
  [
    "puts numbers for nothing",
    "SELECT NVL(bonus, 0) AS a, NVL(bonus, 0) + pay AS b, COALESCE(bonus, pay, 1) AS c, NVL2(bonus, pay, 0) AS d FROM staff",
  ],
  [
    "puts words for codes",
    "SELECT DECODE(grade, 1, 'one', 2, 'two', name) AS a, CASE grade WHEN 1 THEN pay ELSE 0 END AS b FROM staff",
  ],
  [
    "mixes numbers and words",
    "SELECT DECODE(grade, 1, 'one', 2) AS a, GREATEST(pay, 10) AS b, LAG(pay, 1, 0) OVER (ORDER BY id) AS c FROM staff",
  ],
  [
    "handles names",
    "SELECT UPPER(name) AS a, SUBSTR(name, 1, 3) AS b, TRIM(name) AS c, INSTR(name, 'x') AS d, LPAD(name, 5) AS e FROM staff WHERE name LIKE 'A%'",
  ],
  [
    "joins lists of other types",
    "SELECT NULL AS a, 0 AS b, 'x' AS c FROM dual UNION ALL SELECT NULL, pay, name FROM staff UNION ALL SELECT 5, bonus, name FROM staff",
  ],
  [
    "asks other queries",
    "SELECT id FROM staff WHERE grade = (SELECT COUNT(*) FROM staff) AND id IN (SELECT LENGTH(name) FROM staff)",
  ],
  [
    "starts a recursion",
    "WITH up (id, depth) AS (SELECT id, 1 FROM staff WHERE boss IS NULL UNION ALL SELECT s.id, u.depth + 1 FROM up u JOIN staff s ON s.boss = u.id) SELECT id, depth FROM up",
  ],
  [
    "reads numbers out of texts",
    "SELECT TO_CHAR(hired, 'YYYY') + 1 AS a, SUBSTR(name, 1, 1) * 2 AS b FROM staff WHERE TO_CHAR(hired, 'MM') = 5",
  ],
];
const COLUMNS = ["id", "grade", "pay", "bonus", "boss", "hired", "born", "name"];
const REAL: Readonly<Record<string, string>> = {
  id: "integer",
  grade: "smallint",
  pay: "numeric(8,2)",
  bonus: "double precision",
  boss: "bigint",
  hired: "timestamp(0)",
  born: "timestamp",
  name: "varchar(30)",
};

describe("a view whose tables are in another file", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ major: 17, settings: { check_function_bodies: "on" }, name: "unknown" });
    for (const [database, type] of [
      ["texts", () => "text"],
      ["real", (column: string) => REAL[column]],
    ] as const) {
      await server.createDatabase(database);
      await server.query(
        `CREATE TABLE staff (${COLUMNS.map((column) => `${column} ${type(column)}`).join(", ")})`,
        undefined,
        database,
      );
    }
  });
  afterAll(async () => {
    await server?.remove();
  });

  async function load(query: string, database: string): Promise<void> {
    await server.query("DROP VIEW IF EXISTS v", undefined, database);
    await loadConverted(`CREATE OR REPLACE VIEW v AS ${query}`, (sql) => server.query(sql, undefined, database));
    await server.query("SELECT * FROM v", undefined, database);
  }

  it.each(VIEWS)("that %s loads, whether the columns are texts or what they should be", async (_, query) => {
    await load(query, "texts");
    await load(query, "real");
  });

  it("costs nothing where the types are right: what is stored has no cast of a date or a NUMBER", async () => {
    await load("SELECT hired + 30 AS a FROM staff WHERE hired > DATE '2020-01-01' AND id = 7", "real");
    const { rows } = await server.query<{ definition: string }>(
      "SELECT pg_get_viewdef('v'::regclass) AS definition",
      undefined,
      "real",
    );
    expect(rows[0]?.definition).toMatch(/WHERE .*hired.* > '2020-01-01 00:00:00'::timestamp/s);
    expect(rows[0]?.definition).toMatch(/id = 7/);
  });

  it("keeps a view over known columns free of casts", () => {
    const { statements } = convertDdl(
      "CREATE TABLE t (n NUMBER, d DATE, c VARCHAR2(5));\nCREATE VIEW v AS SELECT n * 2 AS a, d + 1 AS b, UPPER(c) AS e FROM t WHERE n = 1 AND d > SYSDATE;",
    );
    expect(statements[1]?.sql.join("")).toBe(
      "CREATE VIEW v AS SELECT n * 2 AS a, (d + interval '1 day') AS b, upper(c) AS e FROM t WHERE n = 1 AND d > date_trunc('second', statement_timestamp())::timestamp(0)",
    );
  });
});
