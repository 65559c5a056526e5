import { appendFileSync } from "node:fs";
import type { OracleConnection, OracleDriver } from "../../../provider/databases/oracle/driver.js";
import { oracleConnectionError } from "../../../provider/databases/oracle/oracleErrors.js";
import { oracleDriver as emulated, oracleError } from "./emulatorDriver.js";
import { ScratchServer } from "./scratchServer.js";

/**
 * The emulator as `npm run accept:oracle` meets it: statements that make, change and remove the scratch schema are carried out as they are written, and
 * recorded in the file GODWIT_TEST_RECORD, a JSON string a line. GODWIT_TEST_REFUSE: a beginning of statements that are refused (ORA-01031). A module for
 * GODWIT_ORACLE_DRIVER of the command's own process; its worker takes the emulator itself.
 */
export const oracleDriver: OracleDriver = {
  async connect(endpoint, options) {
    const session = await emulated.connect(endpoint, options).catch((cause: unknown) => {
      // What PostgreSQL says of a wrong password.
      const wrong = (cause as { code?: string }).code === "28P01";
      throw oracleConnectionError(
        wrong ? oracleError("ORA-01017", "invalid username/password") : cause,
        endpoint.hosts[0] ?? "",
        endpoint,
      );
    });
    const server = new ScratchServer(endpoint);
    return withScratch(session, server);
  },
};

const SCRATCH = /^\s*(CREATE (USER|TABLE)|ALTER TABLE|TRUNCATE|DROP USER|DECLARE|BEGIN(?! DBMS_LOGMNR))/;

function withScratch(session: OracleConnection, server: ScratchServer): OracleConnection {
  return {
    host: session.host,
    query: (sql, binds) => session.query(sql, binds),
    stream: (sql, binds, options) => session.stream(sql, binds, options),
    async execute(sql, binds) {
      if (!SCRATCH.test(sql)) return session.execute(sql, binds);
      const { GODWIT_TEST_RECORD: record, GODWIT_TEST_REFUSE: refuse } = process.env;
      if (record) appendFileSync(record, `${JSON.stringify(sql)}\n`);
      if (refuse && sql.startsWith(refuse)) throw oracleError("ORA-01031", "insufficient privileges");
      await server.execute(sql);
    },
    cancel: () => session.cancel(),
    async close() {
      await server.close();
      await session.close();
    },
  };
}
