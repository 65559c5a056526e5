import { randomBytes } from "node:crypto";
import type { OracleConnection } from "../../provider/databases/oracle/driver.js";
import { oracleCode } from "../../provider/databases/oracle/oracleErrors.js";
import { quoted } from "../../provider/databases/oracle/sql.js";
import type { Scratch } from "./acceptance.js";

export const SCRATCH_TABLES = ["VALUE_KINDS", "ORDERS", "EVENTS", "PAPERS"] as const;

const TABLES = [
  `VALUE_KINDS (id NUMBER(9) PRIMARY KEY, bare NUMBER, scaled NUMBER(20,6), negative NUMBER(5,-2), whole INTEGER, flo FLOAT(49), bf BINARY_FLOAT,
     bd BINARY_DOUBLE, v VARCHAR2(200 CHAR), nv NVARCHAR2(100), c CHAR(10 CHAR), nc NCHAR(5), d DATE, t TIMESTAMP(6), tz TIMESTAMP(6) WITH TIME ZONE,
     ltz TIMESTAMP(6) WITH LOCAL TIME ZONE, ym INTERVAL YEAR(4) TO MONTH, ds INTERVAL DAY(5) TO SECOND(6), r RAW(100), cl CLOB, ncl NCLOB, bl BLOB)`,
  "ORDERS (id NUMBER(18) PRIMARY KEY, parent NUMBER(18), note VARCHAR2(4000), amount NUMBER DEFAULT 0, placed DATE DEFAULT SYSDATE)",
  "EVENTS (what VARCHAR2(40), how_much NUMBER(9,2))",
  "PAPERS (id NUMBER(9) PRIMARY KEY, title VARCHAR2(100), body CLOB, scan BLOB)",
];

const ROWS = `
BEGIN
  INSERT INTO {s}.VALUE_KINDS VALUES (1, -123456789012345678901234567890.123456, 12345678901234.567891, 123400, 42, 0.1, 1.5, BINARY_DOUBLE_NAN,
    'it''s "quoted" ' || CHR(10) || CHR(9) || '\\N', UNISTR('\\6F22\\5B57'), 'ab', N'x', TO_DATE('2024-02-29 23:59:59', 'YYYY-MM-DD HH24:MI:SS'),
    TIMESTAMP '2024-02-29 23:59:59.123456', TIMESTAMP '2024-07-01 12:00:00.5 +05:30', TIMESTAMP '2024-07-01 12:00:00 +00:00',
    INTERVAL '-3-2' YEAR TO MONTH, INTERVAL '12 03:04:05.678' DAY TO SECOND, HEXTORAW('00FF10'), 'clob', N'nclob', HEXTORAW('0BADCAFE'));
  INSERT INTO {s}.VALUE_KINDS (id, v, cl, d) VALUES (2, '', EMPTY_CLOB(), TO_DATE('-0044-03-15', 'SYYYY-MM-DD'));
  INSERT INTO {s}.VALUE_KINDS (id, bd, bf) VALUES (3, BINARY_DOUBLE_INFINITY, -BINARY_FLOAT_INFINITY);
  FOR i IN 1 .. 1000 LOOP
    INSERT INTO {s}.ORDERS (id, parent, note, amount) VALUES (i, NULLIF(TRUNC(i / 10), 0), 'order ' || i, i / 7);
    INSERT INTO {s}.EVENTS VALUES ('what ' || MOD(i, 9), MOD(i, 4) + 0.5);
  END LOOP;
  FOR i IN 1 .. 20 LOOP
    INSERT INTO {s}.PAPERS VALUES (i, 'paper ' || i, RPAD('x', 2000 * MOD(i, 3) + 1, 'body '), UTL_RAW.CAST_TO_RAW(RPAD('y', 1000, 'scan ')));
  END LOOP;
END;`;

/** Each a transaction: the driver commits behind a block. */
const CHANGES = [
  `BEGIN
     FOR i IN 1001 .. 1500 LOOP
       INSERT INTO {s}.ORDERS (id, note) VALUES (i, 'more');
     END LOOP;
     UPDATE {s}.ORDERS SET note = 'changed', amount = -id WHERE MOD(id, 3) = 0;
     UPDATE {s}.ORDERS SET id = id + 100000 WHERE MOD(id, 50) = 0;
     DELETE FROM {s}.ORDERS WHERE MOD(id, 11) = 0;
   END;`,
  `BEGIN
     UPDATE {s}.EVENTS SET how_much = how_much + 1 WHERE what = 'what 3';
     DELETE FROM {s}.EVENTS WHERE what = 'what 5' AND ROWNUM <= 7;
     INSERT INTO {s}.EVENTS VALUES ('what 1', 1.5);
   END;`,
  `BEGIN
     INSERT INTO {s}.ORDERS (id, note) VALUES (900001, 'kept');
     SAVEPOINT before_it;
     INSERT INTO {s}.ORDERS (id, note) VALUES (900002, 'rolled back');
     UPDATE {s}.ORDERS SET note = 'rolled back' WHERE id < 100;
     DELETE FROM {s}.PAPERS;
     ROLLBACK TO SAVEPOINT before_it;
     UPDATE {s}.ORDERS SET note = 'behind the savepoint' WHERE id = 900001;
   END;`,
  `DECLARE
     l CLOB;
     b BLOB;
   BEGIN
     SELECT body, scan INTO l, b FROM {s}.PAPERS WHERE id = 2 FOR UPDATE;
     DBMS_LOB.WRITE(l, 11, 5, 'overwritten');
     DBMS_LOB.WRITEAPPEND(l, 8, 'appended');
     DBMS_LOB.TRIM(b, 100);
     UPDATE {s}.PAPERS SET body = 'short' WHERE id = 1;
     UPDATE {s}.PAPERS SET body = NULL, scan = EMPTY_BLOB() WHERE id = 3;
     INSERT INTO {s}.PAPERS VALUES (99, 'large', TO_CLOB(RPAD('z', 4000, 'long ')) || RPAD('z', 4000, 'er '), HEXTORAW('00'));
     DELETE FROM {s}.PAPERS WHERE id = 4;
   END;`,
  `BEGIN
     UPDATE {s}.VALUE_KINDS SET bare = 0.000000000000000000000000000001, nv = UNISTR('\\00DC'), tz = SYSTIMESTAMP, ds = INTERVAL '0 00:00:00.000001' DAY TO SECOND
      WHERE id = 1;
     INSERT INTO {s}.VALUE_KINDS (id, v, c) VALUES (4, 'a, b = ''c'' where "d" IS NULL;', 'pad');
   END;`,
];

const RESTRUCTURE = [
  "ALTER TABLE {s}.ORDERS ADD (pages NUMBER(5))",
  "BEGIN INSERT INTO {s}.ORDERS (id, note, pages) VALUES (910001, 'with pages', 12); END;",
  "ALTER TABLE {s}.ORDERS MODIFY (pages NUMBER(9))",
  "ALTER TABLE {s}.ORDERS RENAME COLUMN pages TO leaves",
  "BEGIN UPDATE {s}.ORDERS SET leaves = 123456789 WHERE id = 910001; END;",
  "TRUNCATE TABLE {s}.EVENTS",
  "BEGIN INSERT INTO {s}.EVENTS VALUES ('after', 1); END;",
];

/** A user of its own for the test: nothing that exists is touched. Needs CREATE USER, CREATE ANY TABLE and the like, as a DBA has. */
export function oracleScratch(connection: OracleConnection): Scratch {
  const schema = `GODWIT_ACCEPT_${randomBytes(3).toString("hex").toUpperCase()}`;
  const run = (sql: string) => connection.execute(sql.replaceAll("{s}", quoted(schema)));
  return {
    schema,
    tables: SCRATCH_TABLES,
    async create() {
      const [row] = await connection.query<{ name: string }>(
        `SELECT property_value AS "name" FROM database_properties WHERE property_name = 'DEFAULT_PERMANENT_TABLESPACE'`,
      );
      const tablespace = quoted(row?.name ?? "USERS");
      // Nobody logs on as it: the password is forgotten here, and the account locked.
      const password = `P${randomBytes(12).toString("hex")}`;
      await run(
        `CREATE USER {s} IDENTIFIED BY ${quoted(password)} DEFAULT TABLESPACE ${tablespace} QUOTA UNLIMITED ON ${tablespace} ACCOUNT LOCK`,
      );
      for (const table of TABLES) await run(`CREATE TABLE {s}.${table}`);
      for (const table of ["VALUE_KINDS", "ORDERS", "PAPERS"])
        await run(`ALTER TABLE {s}.${table} ADD SUPPLEMENTAL LOG DATA (PRIMARY KEY) COLUMNS`);
      await run("ALTER TABLE {s}.EVENTS ADD SUPPLEMENTAL LOG DATA (ALL) COLUMNS");
      await run(ROWS);
    },
    async change() {
      for (const block of CHANGES) await run(block);
    },
    async restructure() {
      for (const statement of RESTRUCTURE) await run(statement);
    },
    async remove() {
      await run("DROP USER {s} CASCADE").catch((cause: unknown) => {
        // ORA-01918: it was never made.
        if (oracleCode(cause) !== "ORA-01918") throw cause;
      });
    },
  };
}
