import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { convertDdl } from "../../../../provider/databases/oracle/convert/convertDdl.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";

describe("a converted statement, when it runs", () => {
  let server: PostgresServer;
  let number = 0;
  beforeAll(async () => {
    server = await startPostgres({ major: 17, settings: { check_function_bodies: "on" }, name: "small" });
    await server.query("CREATE ROLE hr");
  });
  afterAll(async () => {
    await server?.remove();
  });

  async function load(script: string): Promise<(sql: string) => Promise<unknown[]>> {
    const database = `small_${++number}`;
    await server.createDatabase(database);
    const { support, statements, skipped } = convertDdl(script);
    expect(skipped).toEqual([]);
    for (const sql of [...support, ...statements.flatMap((statement) => statement.sql)])
      await server.query(sql, undefined, database);
    return async (sql) => (await server.query(sql, undefined, database)).rows;
  }

  const SALES = `CREATE TABLE s.sales (id NUMBER(5), d DATE, PRIMARY KEY (id, d)) PARTITION BY RANGE (d) (
      PARTITION p1 VALUES LESS THAN (DATE '2020-01-01'), PARTITION p2 VALUES LESS THAN (DATE '2021-01-01'), PARTITION pmax VALUES LESS THAN (MAXVALUE));
    INSERT INTO s.sales VALUES (1, DATE '2019-05-05'); INSERT INTO s.sales VALUES (2, DATE '2021-05-05'); INSERT INTO s.sales VALUES (3, DATE '2023-05-05');`;

  it("splits and merges partitions and keeps each row in the one that it belongs to", async () => {
    const query = await load(`${SALES}
      ALTER TABLE s.sales SPLIT PARTITION pmax AT (TO_DATE('01.01.2022', 'DD.MM.YYYY')) INTO (PARTITION p3 TABLESPACE x, PARTITION pmax) UPDATE INDEXES;
      ALTER TABLE s.sales MERGE PARTITIONS p1, p2 INTO PARTITION p12;`);
    expect(await query("SELECT tableoid::regclass::text AS part, id FROM s.sales ORDER BY id")).toEqual([
      { part: "s.sales_p12", id: 1 },
      { part: "s.sales_p3", id: 2 },
      { part: "s.sales_pmax", id: 3 },
    ]);
    expect(await query("SELECT to_regclass('s.sales_p1') AS p1, to_regclass('s.godwit_partition_1') AS aside")).toEqual([
      { p1: null, aside: null },
    ]);
  });

  it("lets a partition and a table change their places", async () => {
    const query =
      await load(`${SALES} CREATE TABLE s.x (id NUMBER(5) NOT NULL, d DATE NOT NULL); INSERT INTO s.x VALUES (9, DATE '2024-06-06');
      ALTER TABLE s.sales EXCHANGE PARTITION pmax WITH TABLE s.x INCLUDING INDEXES WITHOUT VALIDATION;`);
    expect(await query("SELECT id FROM s.sales ORDER BY id")).toEqual([{ id: 1 }, { id: 9 }]);
    expect(await query("SELECT id FROM s.x ORDER BY id")).toEqual([{ id: 2 }, { id: 3 }]);
  });

  it("has nothing to split or add in a table that came without its partitions, and exchanges nothing there", async () => {
    const query = await load(`CREATE TABLE u (a NUMBER(3)); INSERT INTO u VALUES (1); CREATE TABLE v (a NUMBER(3));
      ALTER TABLE u SPLIT PARTITION a AT (5) INTO (PARTITION b, PARTITION c); ALTER TABLE u ADD PARTITION d VALUES (7);`);
    expect(await query("SELECT a FROM u")).toEqual([{ a: 1 }]);
    await expect(
      load("CREATE TABLE u (a NUMBER); CREATE TABLE v (a NUMBER); ALTER TABLE u EXCHANGE PARTITION a WITH TABLE v;"),
    ).rejects.toThrow("the table u has no partitions here");
  });

  it("grants to the roles that are there, on tables, routines, packages and types", async () => {
    const query = await load(`CREATE TABLE t (a NUMBER); CREATE TYPE ty AS OBJECT (a NUMBER);
      CREATE OR REPLACE FUNCTION f RETURN NUMBER IS BEGIN RETURN 1; END;
/
      CREATE OR REPLACE PACKAGE BODY pp IS PROCEDURE q IS BEGIN NULL; END; END;
/
      GRANT SELECT, ALTER ON t TO hr, nobody_of_that_name WITH GRANT OPTION;
      GRANT EXECUTE ON f TO hr; GRANT EXECUTE, DEBUG ON pp TO PUBLIC; GRANT EXECUTE ON ty TO hr; GRANT EXECUTE ON dbms_lock TO hr;
      GRANT CREATE SESSION, resource TO hr; GRANT READ ON DIRECTORY d TO hr;`);
    const [rights] =
      await query(`SELECT has_table_privilege('hr', 't', 'SELECT WITH GRANT OPTION') AS t, has_schema_privilege('hr', 'pp', 'USAGE') AS pp,
      (SELECT proacl::text LIKE '%hr=X%' FROM pg_proc WHERE proname = 'f') AS f, has_table_privilege('hr', 't', 'INSERT') AS more`);
    expect(rights).toEqual({ t: true, pp: true, f: true, more: false });
  });

  it("takes rights back, also from roles that are not there", async () => {
    const query = await load("CREATE TABLE t (a NUMBER); GRANT ALL ON t TO hr; REVOKE SELECT ON t FROM hr, nobody_of_that_name;");
    expect(
      await query("SELECT has_table_privilege('hr', 't', 'SELECT') AS s, has_table_privilege('hr', 't', 'UPDATE') AS u"),
    ).toEqual([{ s: false, u: true }]);
  });

  it("ends a routine at its END where the script has no slash, and reads on behind it", async () => {
    const query = await load(`CREATE TABLE log (n NUMBER(3));
      CREATE OR REPLACE PROCEDURE p IS BEGIN INSERT INTO log VALUES (1); END p;

      BEGIN
        p;
      END;

      INSERT INTO log VALUES (2);`);
    expect(await query("SELECT n FROM log ORDER BY n")).toEqual([{ n: 1 }, { n: 2 }]);
    const { skipped, statements } = convertDdl("CREATE PROCEDURE p IS BEGIN NULL; END;\n\nSELECT 1 FROM dual;");
    expect(skipped.map(({ line }) => line)).toEqual([3]);
    expect(statements[0]?.warnings.map(({ message }) => message)).toEqual([
      "no slash ends it: what follows was read as statements of their own",
    ]);
  });

  it("calls from a package's body what is no procedure of the package", async () => {
    const query = await load(`CREATE TABLE log (n NUMBER(3));
      CREATE PROCEDURE note(n NUMBER) IS BEGIN INSERT INTO log VALUES (n); END;
/
      CREATE PACKAGE BODY pp IS PROCEDURE q IS BEGIN note(5); END; END;
/
      BEGIN pp.q; END;
/`);
    expect(await query("SELECT n FROM log")).toEqual([{ n: 5 }]);
  });
});
