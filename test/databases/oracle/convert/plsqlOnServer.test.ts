import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Conversion, convertDdl } from "../../../../provider/databases/oracle/convert/convertDdl.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";

/** PL/SQL whose effect on rows and errors is what Oracle's documentation says of it, or an error that says why not. */
describe("converted PL/SQL, when it runs", () => {
  let server: PostgresServer;
  let number = 0;
  beforeAll(async () => {
    server = await startPostgres({ major: 17, settings: { check_function_bodies: "on" }, name: "plsql" });
  });
  afterAll(async () => {
    await server?.remove();
  });

  type Query = (sql: string) => Promise<unknown[][]>;

  /** `first` is what the target has before. */
  async function load(script: string, first = "SELECT"): Promise<{ query: Query; skipped: Conversion["skipped"] }> {
    const database = `plsql_${++number}`;
    await server.createDatabase(database);
    await server.query(first, undefined, database);
    const { support, statements, skipped } = convertDdl(script);
    for (const sql of [...support, ...statements.flatMap((statement) => statement.sql)])
      await server.query(sql, undefined, database);
    const query: Query = async (sql) =>
      (await server.query({ text: sql, rowMode: "array" } as unknown as string, undefined, database))
        .rows as unknown as unknown[][];
    return { query, skipped };
  }

  const BULK = `CREATE TABLE t (id NUMBER(3) PRIMARY KEY, v VARCHAR2(6));
    CREATE TABLE log (n NUMBER, code NUMBER, text VARCHAR2(200));
    INSERT INTO t VALUES (10, 'v_10'); INSERT INTO t VALUES (20, 'too_20'); INSERT INTO t VALUES (30, 'v_30');
    `;

  it("knows infinity and what is not a number", async () => {
    const { query } = await load(`
      CREATE VIEW v AS SELECT BINARY_DOUBLE_NAN AS a, -BINARY_FLOAT_INFINITY AS b FROM dual;
      CREATE FUNCTION endless(x BINARY_DOUBLE) RETURN NUMBER IS
      BEGIN IF x = BINARY_DOUBLE_INFINITY THEN RETURN 1; END IF; RETURN 0; END;`);
    expect(await query("SELECT a::text, b::text, endless('Infinity'), endless(1) FROM v")).toEqual([
      ["NaN", "-Infinity", "1", "0"],
    ]);
  });

  it("keeps the rows that went well in FORALL SAVE EXCEPTIONS, and tells the handler of the others", async () => {
    const { query, skipped } = await load(`${BULK}
      CREATE PROCEDURE p IS
        TYPE ids_t IS TABLE OF NUMBER; ids ids_t := ids_t(10, 20, 30);
        failed EXCEPTION; PRAGMA EXCEPTION_INIT(failed, -24381);
      BEGIN
        INSERT INTO log VALUES (0, 0, 'before');
        FORALL j IN 1 .. ids.COUNT SAVE EXCEPTIONS UPDATE t SET v = v || '+x' WHERE id = ids(j);
        INSERT INTO log VALUES (9, 9, 'never reached');
      EXCEPTION WHEN failed THEN
        FOR i IN 1 .. SQL%BULK_EXCEPTIONS.COUNT LOOP
          INSERT INTO log VALUES (SQL%BULK_EXCEPTIONS(i).ERROR_INDEX, SQL%BULK_EXCEPTIONS(i).ERROR_CODE, SQLERRM(-SQL%BULK_EXCEPTIONS(i).ERROR_CODE));
        END LOOP;
      END;
/`);
    expect(skipped).toEqual([]);
    await query("CALL p()");
    expect(await query("SELECT id, v FROM t ORDER BY id")).toEqual([
      [10, "v_10+x"],
      [20, "too_20"],
      [30, "v_30+x"],
    ]);
    expect(await query("SELECT n::int, code::int, text ~ 'too long' FROM log ORDER BY n")).toEqual([
      [0, 0, false],
      [2, 12899, true],
    ]);
  });

  it("raises ORA-24381 out of FORALL SAVE EXCEPTIONS where nothing handles it", async () => {
    const { query } = await load(`${BULK}
      CREATE PROCEDURE p IS TYPE ids_t IS TABLE OF NUMBER; ids ids_t := ids_t(10, 40); BEGIN
        FORALL j IN 1 .. ids.COUNT SAVE EXCEPTIONS INSERT INTO t VALUES (ids(j), 'new');
      END;
/`);
    await expect(query("CALL p()")).rejects.toThrow("ORA-24381: error(s) in array DML");
  });

  it("counts the rows of all runs of a FORALL, and gathers what they return", async () => {
    const { query, skipped } = await load(`${BULK}
      CREATE FUNCTION f RETURN VARCHAR2 IS
        TYPE list IS TABLE OF NUMBER; ids list := list(10, 11, 30); gone list; l VARCHAR2(99);
      BEGIN
        FORALL j IN 1 .. ids.COUNT DELETE FROM t WHERE id >= ids(j) AND id < ids(j) + 15 RETURNING id BULK COLLECT INTO gone;
        l := SQL%ROWCOUNT || ':' || SQL%BULK_ROWCOUNT(1) || SQL%BULK_ROWCOUNT(2) || SQL%BULK_ROWCOUNT(3);
        FOR i IN 1 .. gone.COUNT LOOP l := l || ' ' || gone(i); END LOOP;
        RETURN l;
      END;
/`);
    expect(skipped).toEqual([]);
    expect(await query("SELECT f()")).toEqual([["3:201 10 20 30"]]);
  });

  it("commits at the end of a body with handlers, and not when a handler ran", async () => {
    const { query } = await load(`CREATE TABLE t (a NUMBER CHECK (a > 0));
      CREATE PROCEDURE p(n NUMBER) IS BEGIN
        INSERT INTO t VALUES (1); INSERT INTO t VALUES (n); COMMIT;
      EXCEPTION WHEN OTHERS THEN ROLLBACK; INSERT INTO t VALUES (99);
      END;
/`);
    await query("CALL p(2)");
    await query("CALL p(-1)");
    expect(await query("SELECT a::int FROM t ORDER BY 1")).toEqual([[1], [2], [99]]);
  });

  it("updates a whole row from a record, also of a table that is in another file", async () => {
    const { query, skipped } = await load(
      "CREATE PROCEDURE p(r books%ROWTYPE) IS BEGIN UPDATE books SET ROW = r WHERE isbn = r.isbn; END;\n/\n",
      `CREATE TABLE books (isbn text PRIMARY KEY, title text, gone int, pages numeric); ALTER TABLE books DROP gone;
       INSERT INTO books VALUES ('1', 'a', 1), ('2', 'b', 2)`,
    );
    expect(skipped).toEqual([]);
    await query("CALL p(ROW('2', 'new', 22))");
    expect(await query("SELECT isbn, title, pages::int FROM books ORDER BY 1")).toEqual([
      ["1", "a", 1],
      ["2", "new", 22],
    ]);
  });

  it("holds a value of any type with its name in ANYDATA, and refuses to read it as another", async () => {
    const { query, skipped } = await load(`CREATE FUNCTION f(kind VARCHAR2) RETURN VARCHAR2 IS d SYS.ANYDATA; BEGIN
        IF d IS NULL THEN d := ANYDATA.CONVERTNUMBER(1.50); END IF;
        IF kind = 'text' THEN RETURN d.ACCESSVARCHAR2(); END IF;
        RETURN d.GETTYPENAME() || ' ' || (d.ACCESSNUMBER() + 1);
      END;
/`);
    expect(skipped).toEqual([]);
    expect(await query("SELECT f('number')")).toEqual([["SYS.NUMBER 2.5"]]);
    await expect(query("SELECT f('text')")).rejects.toThrow("the value is a SYS.NUMBER, not a SYS.VARCHAR2");
  });

  it("raises 0A000 where a statement has no counterpart, past the routine's own WHEN OTHERS, and runs all else", async () => {
    const { query, skipped } = await load(`CREATE TABLE t (a NUMBER);
      CREATE PROCEDURE p(n NUMBER) IS BEGIN
        INSERT INTO t VALUES (n);
        IF n > 1 THEN SAVEPOINT late; END IF;
      EXCEPTION WHEN OTHERS THEN INSERT INTO t VALUES (-1);
      END;
/`);
    expect(skipped).toMatchObject([{ kind: "statement", name: "p", line: 4 }]);
    await query("CALL p(1)");
    await expect(query("CALL p(2)")).rejects.toMatchObject({ code: "0A000" });
    expect(await query("SELECT a::int FROM t")).toEqual([[1]]);
  });

  it("makes a routine in Java, a polymorphic and an unreadable one that raise what they are", async () => {
    const { query, skipped } = await load(`CREATE FUNCTION j(n NUMBER) RETURN NUMBER AS LANGUAGE JAVA NAME 'X.y(int) return int';
/
CREATE FUNCTION shape(tab TABLE) RETURN TABLE PIPELINED ROW POLYMORPHIC USING shapes;
/
CREATE PROCEDURE odd(n NUMBER) IS CURSOR c IS SELECT a FROM t MODEL DIMENSION BY (a) MEASURES (b) RULES (b[1] = 2); BEGIN
  IF n = 1 THEN OPEN c; END IF; END;
/`);
    expect(skipped.map(({ name }) => name)).toEqual(["j", "shape", "odd"]);
    await expect(query("SELECT j(1)")).rejects.toMatchObject({ code: "0A000", message: expect.stringContaining("JAVA") });
    await expect(query("SELECT * FROM shape('t') AS s(a int)")).rejects.toMatchObject({ code: "0A000" });
    await query("CALL odd(0)");
    await expect(query("CALL odd(1)")).rejects.toMatchObject({ code: "0A000" });
  });

  it("creates the function of a trigger that nothing can fire, and says so", async () => {
    const { query, skipped } = await load(`CREATE TRIGGER items INSTEAD OF INSERT ON NESTED TABLE lines OF orders FOR EACH ROW
      BEGIN INSERT INTO order_lines VALUES (:NEW.n); END;
/
CREATE TRIGGER stopped BEFORE SHUTDOWN ON DATABASE BEGIN DELETE FROM sessions; END;
/`);
    expect(skipped).toMatchObject([
      { name: "items", reason: expect.stringContaining("nothing fires") },
      { name: "stopped", reason: expect.stringContaining("no event BEFORE SHUTDOWN") },
    ]);
    expect(await query("SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1")).toEqual([
      ["items_trigger"],
      ["stopped_trigger"],
    ]);
  });

  it("loops over a cursor with defaults, and with variables that PL/pgSQL has a word for", async () => {
    const { query } = await load(`CREATE FUNCTION f RETURN NUMBER IS
        CURSOR details(a NUMBER, b NUMBER DEFAULT 2) IS SELECT a + b AS s FROM dual; n NUMBER := 0;
      BEGIN
        FOR detail IN details(1) LOOP n := n + detail.s; END LOOP;
        FOR query IN 1 .. 3 LOOP n := n + query; END LOOP;
        RETURN n;
      END;
/`);
    expect(await query("SELECT f()::int")).toEqual([[9]]);
  });
});
