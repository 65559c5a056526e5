import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { convertDdl } from "../../../../provider/databases/oracle/convert/convertDdl.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";
import { loadConverted } from "./loadConverted.js";

/** Oracle scripts converted, loaded into a real server with check_function_bodies on, and used. */
describe("a converted Oracle schema on a real server", () => {
  let server: PostgresServer;
  let number = 0;
  beforeAll(async () => {
    server = await startPostgres({ major: 17, settings: { check_function_bodies: "on" } });
  });
  afterAll(async () => {
    await server?.remove();
  });

  type Query = (sql: string) => Promise<unknown[][]>;

  /** Loads the script into a database of its own; rows come back as arrays. */
  async function load(script: string): Promise<Query> {
    const database = `convert_${++number}`;
    await server.createDatabase(database);
    await loadConverted(script, (sql) => server.query(sql, undefined, database));
    return async (sql) =>
      (await server.query({ text: sql, rowMode: "array" } as unknown as string, undefined, database))
        .rows as unknown as unknown[][];
  }
  const fixture = (name: string) => readFile(join(__dirname, "fixtures", name), "utf8");

  describe("the personnel schema", () => {
    let query: Query;
    beforeAll(async () => {
      query = await load(await fixture("staff.sql"));
      await query("INSERT INTO teams VALUES (10, 'Red'), (20, 'Blue')");
    });

    it("has every key, also those whose index was made before them", async () => {
      const rows = await query(
        "SELECT conname FROM pg_constraint WHERE contype IN ('p', 'f', 'c') AND connamespace = 'public'::regnamespace ORDER BY 1",
      );
      expect(rows.flat()).toEqual([
        "history_interval",
        "history_pk",
        "staff_boss_fk",
        "staff_pk",
        "staff_salary_min",
        "staff_team_fk",
        "team_pk",
      ]);
    });

    it("refuses changes outside office hours, and says so as Oracle does", async () => {
      const [[closed] = []] = await query(
        "SELECT to_char(clock_timestamp(), 'HH24:MI') NOT BETWEEN '08:00' AND '18:00' OR to_char(clock_timestamp(), 'DY') IN ('SAT', 'SUN')",
      );
      const change = query("UPDATE staff SET salary = 1 WHERE false");
      if (closed)
        await expect(change).rejects.toMatchObject({ code: "OR205", message: "ORA-20205: Changes only during office hours" });
      else await expect(change).resolves.toEqual([]);
    });

    it("refuses them on any day once the clock is out of office hours", async () => {
      // The same body with a clock of its own, so that both branches run whatever the time of the test is.
      const script = (hour: string) => `CREATE OR REPLACE PROCEDURE guard_${hour} IS BEGIN
        IF '${hour}:30' NOT BETWEEN '08:00' AND '18:00' THEN RAISE_APPLICATION_ERROR(-20205, 'closed at ' || '${hour}'); END IF; END;\n/\n`;
      const own = await load(script("07") + script("09"));
      await expect(own("CALL guard_07()")).rejects.toMatchObject({ code: "OR205", message: "ORA-20205: closed at 07" });
      await expect(own("CALL guard_09()")).resolves.toEqual([]);
    });

    it("writes the history of a job through the trigger's call", async () => {
      await query("ALTER TABLE staff DISABLE TRIGGER guard_staff");
      await query("INSERT INTO staff VALUES (nextval('staff_seq'), 'Ann', '2020-01-02 03:04:05', 'DEV', 100.5, NULL, 10)");
      await query("UPDATE staff SET job = 'LEAD', team_id = 20 WHERE staff_id = 207");
      await query("UPDATE staff SET salary = 200 WHERE staff_id = 207");
      expect(
        await query(
          "SELECT staff_id, start_date::text, job, team_id, end_date BETWEEN now() - interval '1 minute' AND now() + interval '1 minute' FROM staff_history",
        ),
      ).toEqual([[207, "2020-01-02 03:04:05", "DEV", 10, true]]);
      expect(await query("SELECT * FROM staff_details")).toEqual([[207, "Ann", "Blue"]]);
      expect(await query("SELECT col_description('staff'::regclass, 3), obj_description('staff'::regclass)")).toEqual([
        ["it's a day", "who works here;\nand since when"],
      ]);
    });

    it("takes a history entry by hand", async () => {
      await query("CALL add_history(1, '2001-01-01', '2002-01-01', 'DEV', 10)");
      await expect(query("CALL add_history(1, '2003-01-01', '2002-01-01', 'DEV', 10)")).rejects.toThrow(/history_interval/);
    });
  });

  describe("the company schema", () => {
    let query: Query;
    beforeAll(async () => {
      query = await load(await fixture("company.sql"));
    });

    it("joins with (+) as outer joins", async () => {
      expect(await query("SELECT dname, ename, comm FROM v_outer ORDER BY 1, 2")).toEqual([
        ["ACCOUNTING", "KING", "0"],
        ["OPERATIONS", null, "0"],
        ["RESEARCH", "JONES", "0"],
        ["RESEARCH", "SCOTT", "0"],
        ["SALES", "BLAKE", "0"],
      ]);
    });

    it("walks a hierarchy in Oracle's order", async () => {
      expect(await query("SELECT * FROM v_tree")).toEqual([
        [1, "KING", "/KING", "KING", 0],
        [2, "  BLAKE", "/KING/BLAKE", "KING", 0],
        [3, "    ALLEN", "/KING/BLAKE/ALLEN", "KING", 1],
        [2, "  CLARK", "/KING/CLARK", "KING", 1],
        [2, "  JONES", "/KING/JONES", "KING", 0],
        [3, "    SCOTT", "/KING/JONES/SCOTT", "KING", 1],
      ]);
      expect(await query("SELECT n, d::text FROM v_nums")).toHaveLength(5);
    });

    it("counts rows, days and months as Oracle does", async () => {
      expect(await query("SELECT ename, rnk::int FROM v_top")).toEqual([
        ["KING", 1],
        ["SCOTT", 1],
        ["JONES", 2],
      ]);
      const columns = "dn, y::text, h30::text, r, round(mb, 6), am::text, i, s2, tc, n2";
      expect(await query(`SELECT ${columns} FROM v_misc WHERE ename = 'KING'`)).toEqual([
        [
          "ten",
          "1981-01-01 00:00:00",
          "1981-12-17 00:00:00",
          "714.29",
          "97.483871",
          "1981-12-17 00:00:00",
          0,
          "NG",
          "1981-11-17",
          "n",
        ],
      ]);
      expect(await query("SELECT * FROM v_agg ORDER BY 1")).toEqual([
        [10, "CLARK,KING", "KING", "2"],
        [20, "JONES,SCOTT", "SCOTT", "2"],
        [30, "ALLEN,BLAKE", "BLAKE", "2"],
      ]);
    });

    it("keeps a package's overloads, inner routines, exceptions and jumps", async () => {
      expect(await query("SELECT emp_api.name_of(7839), emp_api.name_of(1), emp_api.name_of('KING'::varchar)::int")).toEqual([
        ["KING", "nobody", 7839],
      ]);
      expect(await query("SELECT emp_api.summary(10)")).toEqual([["CLARK;KING;2=7450"]]);
      const answers = await query("SELECT emp_api.try_bad(n) FROM generate_series(1, 5) AS n");
      expect(answers.flat()).toEqual(["bad -20077 E_BAD", "zero", "bad -20077 ORA-20077: no employee 1", "other -1422", "ok10"]);
      expect(await query("SELECT emp_api.use_out()::int, emp_api.jumps(7)::int")).toEqual([[42, 16]]);
    });

    it("keeps collections: by string, with gaps, of records and objects, in bulk", async () => {
      expect(await query("SELECT emp_api.try_map()")).toEqual([["a1,c3,257fiveseven!"]]);
      expect(await query("SELECT addr_test()")).toEqual([["Elm 9|2|Oak"]]);
      expect(await query("SELECT * FROM v_pipe")).toEqual([
        ["s3", 3],
        ["s2", 2],
        ["s1", 1],
      ]);
      expect(await query("SELECT bulk_test(4)")).toEqual([["4,2,ALLEN BLAKE CLARK JONES KING SCOTT 2"]]);
    });

    it("keeps a package's variables for the session, from what its body initialized", async () => {
      expect(await query("SELECT emp_api.g_count(), emp_api.c_max()::int")).toEqual([[100, 10]]);
      const raised = await query(
        "DO $$ DECLARE n numeric; BEGIN CALL emp_api.raise_sal(7839, 10, n); IF emp_api.g_count() <> 101 OR n <> 5500 THEN RAISE 'count % raise %', emp_api.g_count(), n; END IF; END $$",
      );
      expect(raised).toEqual([]);
      expect(await query("SELECT msg FROM log_t WHERE id > 0")).toEqual([["raised KING to 5500"]]);
    });

    it("fires row and compound triggers", async () => {
      await query("INSERT INTO emp (empno, ename) VALUES (1, 'lower')");
      expect(await query("SELECT ename FROM emp WHERE empno = 1")).toEqual([["LOWER"]]);
      await query("DELETE FROM emp WHERE empno = 1");
      expect(await query("SELECT msg FROM log_t WHERE id = -1")).toEqual([["gone LOWER"]]);
      await query("DELETE FROM log_t");
      await query("UPDATE emp SET sal = sal + 1 WHERE deptno = 20");
      expect(await query("SELECT msg FROM log_t WHERE id = -2")).toEqual([["changed 2 2"]]);
      expect(await query("SELECT comm FROM emp WHERE ename = 'JONES'")).toEqual([["2975.00"]]);
    });

    it("merges, and inserts into several tables at once", async () => {
      await query("DELETE FROM log_t");
      await query("CALL merge_test()");
      expect(await query("SELECT deptno, dname FROM dept ORDER BY 1")).toEqual([
        [10, "ACC2"],
        [20, "RESEARCH"],
        [30, "SALES"],
        [40, "OPERATIONS"],
        [50, "NEWD"],
      ]);
      expect((await query("SELECT count(*)::int FROM log_t")).flat()).toEqual([5]);
    });
  });

  it("reads the type of a package's field from a table that only the target has", async () => {
    const script =
      "CREATE PACKAGE p IS TYPE r IS RECORD (a there.x%TYPE, n NUMBER DEFAULT 3); FUNCTION f RETURN NUMBER; END;\n/\nCREATE PACKAGE BODY p IS FUNCTION f RETURN NUMBER IS v r; BEGIN RETURN v.n; END; END;\n/\n";
    await expect(load(script)).rejects.toMatchObject({ code: "42P01" });
    const query = await load(`CREATE TABLE there (x DATE);\n${script}`);
    expect(
      await query(
        "SELECT p.f()::int, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'p.r'::regclass AND attname = 'a'",
      ),
    ).toEqual([[3, "timestamp(0) without time zone"]]);
  });

  it("creates partitions, temporary tables and columns with names that need quotes", async () => {
    const query = await load(`
      CREATE TABLE sales (id NUMBER(6), at DATE, region VARCHAR2(5)) PARTITION BY RANGE (at) SUBPARTITION BY LIST (region)
        SUBPARTITION TEMPLATE (SUBPARTITION e VALUES ('E'), SUBPARTITION o VALUES (DEFAULT))
        (PARTITION p1 VALUES LESS THAN (TO_DATE('01-APR-1998','DD-MON-YYYY')), PARTITION p2 VALUES LESS THAN (MAXVALUE));
      CREATE TABLE odd ("select" NUMBER(4,0), "MixedCase" NUMBER, c$d NUMBER(38,-2), "date" DATE DEFAULT TRUNC(SYSDATE), e VARCHAR2(5) DEFAULT '', f AS ("MixedCase" * 2));
      INSERT INTO sales VALUES (1, DATE '1998-03-31', 'E');
      INSERT INTO sales VALUES (2, DATE '1998-04-01', 'W');
      INSERT INTO odd ("MixedCase") VALUES (2.5);`);
    expect(await query("SELECT id, tableoid::regclass::text FROM sales ORDER BY 1")).toEqual([
      [1, "sales_p1_e"],
      [2, "sales_p2_o"],
    ]);
    expect(await query('SELECT "MixedCase", e, f, date = current_date FROM odd')).toEqual([["2.5", null, "5.0", true]]);
  });

  it("has none of the failures of the best converter before it", async () => {
    const query = await load(await fixture("gallery.sql"));
    const columns = await query(
      "SELECT attrelid::regclass::text || '.' || attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid IN ('rooms'::regclass, 'loans'::regclass) AND attnum > 0 ORDER BY attrelid::regclass::text, attnum",
    );
    expect(Object.fromEntries(columns)).toEqual({
      "rooms.room_id": "bytea",
      "rooms.floor": "numeric(38,0)",
      "rooms.area": "numeric",
      "rooms.opened": "timestamp(3) with time zone",
      "rooms.closes": "timestamp with time zone",
      "rooms.doors": "smallint",
      "rooms.note": "character varying(30)",
      "loans.loan_id": "bigint",
      "loans.wall_side": "character(1)",
      "loans.since": "timestamp(0) without time zone",
      "loans.until": "timestamp(0) without time zone",
    });
    // Keys keep their columns and their spelling.
    expect(await query("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'wall_pk'")).toEqual([
      ['PRIMARY KEY (room_id, "Side")'],
    ]);
    // A trigger calls a procedure, and an object table and its view take rows.
    await query("INSERT INTO rooms (floor, area) VALUES (2, 1.5)");
    expect(await query("SELECT note, object_value::text FROM rooms, papers")).toEqual([
      ["cellar", '<room floor="2">cellar</room>'],
    ]);
    await query("DELETE FROM rooms");
    expect(await query("SELECT closed_by FROM closures")).toEqual([["trigger 2"]]);
    await query("INSERT INTO artists VALUES (7, 'Ann')");
    expect(await query("SELECT name FROM artist_objects WHERE artist_id = 7")).toEqual([["Ann"]]);
    // The identity starts over, past what the table holds.
    await query("INSERT INTO loans (since) VALUES ('2020-01-31')");
    expect(await query("SELECT loan_id FROM loans")).toEqual([["1"]]);
  });

  it("keeps conditions whole that hold CASE or DECODE", async () => {
    const query = await load(`CREATE FUNCTION f(n NUMBER) RETURN VARCHAR2 IS BEGIN
      IF CASE WHEN n > 1 THEN 1 ELSE 0 END = 1 THEN RETURN 'big'; ELSIF DECODE(n, 1, 'one', 'none') = 'one' THEN RETURN $$PLSQL_UNIT; END IF;
      RETURN NULL || '' || n; END;\n/\n`);
    expect(await query("SELECT f(2), f(1), f(0), f(NULL)")).toEqual([["big", "F", "0", null]]);
  });

  it("keeps arrays and records inside tables indexed by a string, in a package's state", async () => {
    const query = await load(`CREATE TYPE words AS TABLE OF VARCHAR2(20);
/
CREATE PACKAGE p IS TYPE r IS RECORD (n NUMBER := 4, w words); TYPE by_name IS TABLE OF words INDEX BY VARCHAR2(9);
  TYPE rs IS TABLE OF r INDEX BY VARCHAR2(9); g by_name; h rs; FUNCTION f RETURN VARCHAR2; END;
/
CREATE PACKAGE BODY p IS FUNCTION f RETURN VARCHAR2 IS l VARCHAR2(100); i VARCHAR2(9); BEGIN
  g('x') := words('a, "b', 'c'); g('x').EXTEND; g('x')(3) := 'd';
  h('k').n := 5; h('k').w := words('q'); h('j').n := 1;
  FOR n IN 1 .. g('x').COUNT LOOP l := l || g('x')(n) || '/'; END LOOP;
  i := h.LAST; l := l || i || h(i).n || h('k').w(1) || h.COUNT; h.DELETE; RETURN l || h.COUNT; END; END;
/
`);
    expect(await query("SELECT p.f()")).toEqual([['a, "b/c/d/k5q20']]);
  });

  it("resolves a synonym on the target: a view for a table, wrappers for routines, else an error", async () => {
    const database = `convert_${++number}`;
    await server.createDatabase(database);
    const run = async (script: string) => {
      for (const { sql } of convertDdl(script).statements) for (const each of sql) await server.query(each, undefined, database);
    };
    await server.query(
      "CREATE SCHEMA hr; CREATE TABLE hr.t (a int); INSERT INTO hr.t VALUES (7); CREATE FUNCTION hr.f(x int) RETURNS int LANGUAGE sql AS 'SELECT x + 1'",
      undefined,
      database,
    );
    await run("CREATE SYNONYM t FOR hr.t; CREATE PUBLIC SYNONYM f FOR hr.f;");
    expect((await server.query("SELECT a, f(a) FROM t", undefined, database)).rows).toEqual([{ a: 7, f: 8 }]);
    await expect(run("CREATE SYNONYM gone FOR hr.gone;")).rejects.toMatchObject({ code: "42P01" });
  });
});
