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

  const LISTS = `CREATE TABLE s.places (id NUMBER(5), c VARCHAR2(5)) PARTITION BY LIST (c) (
      PARTITION p1 VALUES ('A', 'B', 'C'), PARTITION rest VALUES (DEFAULT));
    INSERT INTO s.places VALUES (1, 'A'); INSERT INTO s.places VALUES (2, 'C'); INSERT INTO s.places VALUES (3, 'X'); INSERT INTO s.places VALUES (4, NULL);`;
  const PLACES = "SELECT tableoid::regclass::text AS part, id FROM s.places ORDER BY id";

  it("splits a list: the values that no new partition takes are the last one's", async () => {
    const query = await load(`${LISTS} ALTER TABLE s.places SPLIT PARTITION p1 VALUES ('A') INTO (PARTITION pa, PARTITION pbc);
      ALTER TABLE s.places SPLIT PARTITION rest INTO (PARTITION px VALUES ('X'), PARTITION pn VALUES (NULL), PARTITION others);`);
    expect(await query(PLACES)).toEqual([
      { part: "s.places_pa", id: 1 },
      { part: "s.places_pbc", id: 2 },
      { part: "s.places_px", id: 3 },
      { part: "s.places_pn", id: 4 },
    ]);
    expect(
      await query(
        "SELECT pg_get_expr(relpartbound, oid) AS bound FROM pg_class WHERE relname IN ('places_pbc', 'places_others') ORDER BY relname",
      ),
    ).toEqual([{ bound: "DEFAULT" }, { bound: "FOR VALUES IN ('B', 'C')" }]);
  });

  it("splits a range into three by their bounds", async () => {
    const query = await load(`${SALES} ALTER TABLE s.sales SPLIT PARTITION pmax INTO
      (PARTITION p3 VALUES LESS THAN (DATE '2022-01-01'), PARTITION p4 VALUES LESS THAN (DATE '2023-01-01'), PARTITION p5);`);
    expect(await query("SELECT tableoid::regclass::text AS part FROM s.sales ORDER BY id")).toEqual(
      ["s.sales_p1", "s.sales_p3", "s.sales_p5"].map((part) => ({ part })),
    );
  });

  it("finds a partition by one of its values and a subpartition by its own name", async () => {
    const query = await load(`${SALES} ALTER TABLE s.sales DROP PARTITION FOR (DATE '2019-07-07') UPDATE INDEXES;
      CREATE TABLE s.deep (a NUMBER(5), b NUMBER(5)) PARTITION BY RANGE (a) SUBPARTITION BY LIST (b)
        (PARTITION low VALUES LESS THAN (10) (SUBPARTITION low1 VALUES (1), SUBPARTITION low2 VALUES (2)));
      INSERT INTO s.deep VALUES (1, 1); INSERT INTO s.deep VALUES (2, 2);
      ALTER TABLE s.deep TRUNCATE SUBPARTITION low2 UPDATE INDEXES;`);
    expect(await query("SELECT id FROM s.sales ORDER BY id")).toEqual([{ id: 2 }, { id: 3 }]);
    expect(await query("SELECT to_regclass('s.sales_p1') AS p1")).toEqual([{ p1: null }]);
    expect(await query("SELECT a FROM s.deep")).toEqual([{ a: 1 }]);
  });

  it("drops no default partition for a value in it, which holds rows of other partitions, too", async () => {
    await expect(load(`${LISTS} ALTER TABLE s.places DROP PARTITION FOR ('X');`)).rejects.toThrow(
      "the value lies in the default partition",
    );
  });

  it("lets a partition and a table of another schema change their places", async () => {
    const query =
      await load(`${SALES} CREATE TABLE o.x (id NUMBER(5) NOT NULL, d DATE NOT NULL); INSERT INTO o.x VALUES (9, DATE '2024-06-06');
      ALTER TABLE s.sales EXCHANGE PARTITION pmax WITH TABLE o.x INCLUDING INDEXES WITHOUT VALIDATION;`);
    expect(await query("SELECT id FROM s.sales ORDER BY id")).toEqual([{ id: 1 }, { id: 9 }]);
    expect(await query("SELECT id FROM o.x ORDER BY id")).toEqual([{ id: 2 }, { id: 3 }]);
  });

  it("comments on what a materialized view or a view is on the target", async () => {
    const query = await load(`CREATE TABLE s.t (a NUMBER);`);
    await query("CREATE MATERIALIZED VIEW s.m AS SELECT 1 AS a");
    const [first] = convertDdl("COMMENT ON MATERIALIZED VIEW s.m IS 'it''s';").statements;
    const [second] = convertDdl("COMMENT ON MATERIALIZED VIEW s.t IS 'a table here';").statements;
    for (const sql of [...(first?.sql ?? []), ...(second?.sql ?? [])]) await query(sql);
    expect(await query("SELECT obj_description('s.m'::regclass) AS m, obj_description('s.t'::regclass) AS t")).toEqual([
      { m: "it's", t: "a table here" },
    ]);
  });

  it("keeps the rows of a temporary table that is made of a query and says so", async () => {
    const [table] = convertDdl("CREATE GLOBAL TEMPORARY TABLE g ON COMMIT PRESERVE ROWS AS SELECT 1 a FROM dual;").statements;
    expect(table?.sql).toEqual(["CREATE TEMPORARY TABLE g ON COMMIT PRESERVE ROWS AS SELECT 1 AS a"]);
  });

  it("takes the last of two words of one sequence", async () => {
    const query = await load("CREATE SEQUENCE q START WITH 5 INCREMENT BY 1 INCREMENT BY 2 CYCLE NOCYCLE NOPARTITION;");
    expect(await query("SELECT increment_by::text, cycle FROM pg_sequences")).toEqual([{ increment_by: "2", cycle: false }]);
  });

  it("makes SDO_GEOMETRY a type of its attributes where there is no PostGIS and its caller can do with that", async () => {
    const script = `CREATE TABLE w (id NUMBER(3), loc MDSYS.SDO_GEOMETRY);
      INSERT INTO w VALUES (1, SDO_GEOMETRY(2001, 8307, MDSYS.SDO_POINT_TYPE(-103.5, 36.25, NULL), NULL, NULL));
      INSERT INTO w VALUES (2, MDSYS.SDO_GEOMETRY(2003, NULL, NULL, SDO_ELEM_INFO_ARRAY(1, 1003, 3), SDO_ORDINATE_ARRAY(1, 1, 5, 7)));
      CREATE INDEX wi ON w (loc) INDEXTYPE IS MDSYS.SPATIAL_INDEX_V2;
      CREATE VIEW v AS SELECT w.id, w.loc.sdo_point.x x, w.loc.sdo_ordinates o FROM w;`;
    const { support, statements, skipped } = convertDdl(script, { geometryAsObject: true });
    expect(skipped).toEqual([]);
    expect(statements[3]?.nothing).toContain("a spatial index");
    await server.createDatabase("geometry");
    for (const sql of [...support, ...statements.flatMap((statement) => statement.sql)])
      await server.query(sql, undefined, "geometry");
    expect((await server.query("SELECT id, x::text, o::text FROM v ORDER BY id", undefined, "geometry")).rows).toEqual([
      { id: 1, x: "-103.5", o: null },
      { id: 2, x: null, o: "{1,1,5,7}" },
    ]);
  });

  it("says that there is nothing to do where an object changes no row", () => {
    const script = `CREATE TABLESPACE t DATAFILE 'x' SIZE 1M; CREATE CLUSTER c (a NUMBER); CREATE INDEX i ON CLUSTER c;
      ALTER TABLE h ADD PARTITION p5; ALTER TABLE h COALESCE PARTITION;`;
    const { statements, skipped } = convertDdl(script);
    expect(skipped).toEqual([]);
    expect(statements.map(({ sql, nothing }) => [sql, nothing === undefined])).toEqual(Array(5).fill([[], false]));
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
