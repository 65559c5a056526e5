import { createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { connectOracle, type OracleEndpoint } from "../../../../provider/databases/oracle/driver.js";
import { connectionAttributes } from "../../../../provider/databases/oracle/oracledbDriver.js";
import {
  isOracleConnectionError,
  oracleConnectionError,
  oracleStatementError,
} from "../../../../provider/databases/oracle/oracleErrors.js";
import { ErrorCode, GodwitError } from "../../../../provider/engine/errors.js";

const OPTIONS = { applicationName: "godwit/test", timeoutSeconds: 2 };
const PASSWORD = "s3cret-of-the-test";

describe("connecting to Oracle with the real driver", () => {
  const servers: Server[] = [];
  const sockets: Socket[] = [];
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const server of servers.splice(0)) server.close();
  });

  /** A listener that answers every connect request with these bytes, or hangs up. */
  async function listener(answer?: Buffer): Promise<string> {
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on("error", () => undefined);
      socket.once("data", () => (answer ? socket.write(answer) : socket.destroy()));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    return `127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  }

  async function failure(endpoint: Partial<OracleEndpoint>): Promise<GodwitError> {
    try {
      await connectOracle(
        { hosts: [], username: "godwit", password: PASSWORD, oracle: { serviceName: "sales" }, ...endpoint } as OracleEndpoint,
        OPTIONS,
      );
    } catch (cause) {
      expect(cause).toBeInstanceOf(GodwitError);
      expect(String(cause)).not.toContain(PASSWORD);
      return cause as GodwitError;
    }
    throw new Error("connected to nothing");
  }

  it("says that no listener answers", async () => {
    const error = await failure({ hosts: ["127.0.0.1:1"] });
    expect(error.code).toBe(ErrorCode.EndpointUnreachable);
    expect(isOracleConnectionError(error)).toBe(true);
  });

  it("says that a host is not known", async () => {
    expect((await failure({ hosts: ["no-such-host.invalid"], ssl: { mode: "disable" } })).code).toBe(
      ErrorCode.EndpointUnreachable,
    );
  });

  it("names the service or SID that the listener does not know", async () => {
    const service = await failure({ hosts: [await listener(refusal(12514))] });
    expect(service.code).toBe(ErrorCode.DatabaseMissing);
    expect(service.message).toContain('no service "sales"');
    const sid = await failure({ hosts: [await listener(refusal(12505))], oracle: { sid: "ORCL" } });
    expect(sid.code).toBe(ErrorCode.DatabaseMissing);
    expect(sid.message).toContain('no SID "ORCL"');
  });

  it("says that the listener lets nobody in from here", async () => {
    expect((await failure({ hosts: [await listener(refusal(12529))] })).code).toBe(ErrorCode.NotWhitelisted);
  });

  it("says that a listener speaks no TLS", async () => {
    const error = await failure({ hosts: [await listener()], ssl: { mode: "require" } });
    expect(error.code).toBe(ErrorCode.TlsFailed);
    expect(error.remedy).toContain("ssl.mode disable");
  });

  it("tries the hosts in order and names them all", async () => {
    const error = await failure({ hosts: ["127.0.0.1:1", await listener(refusal(12514))] });
    expect(error.message).toMatch(/no host could be used.*127\.0\.0\.1:1\b.*no service "sales"/s);
  });

  it("does not load the driver before the first connection", async () => {
    const { execFileSync } = await import("node:child_process");
    const script =
      "import './provider/databases/oracle/driver.ts'; import { createRequire } from 'node:module';" +
      "process.stdout.write(String(Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes('oracledb'))));";
    const output = execFileSync(
      process.execPath,
      ["--import", "./node_modules/tsx/dist/loader.mjs", "--input-type=module", "-e", script],
      {
        encoding: "utf8",
      },
    );
    expect(output).toBe("false");
  });
});

describe("what the driver is told", () => {
  const endpoint = (more: Partial<OracleEndpoint>): OracleEndpoint => ({
    hosts: [],
    username: "godwit",
    password: PASSWORD,
    oracle: { serviceName: "sales.example.com" },
    ...more,
  });

  it("an address without TLS on this machine, with TLS elsewhere", () => {
    const near = connectionAttributes("localhost", endpoint({}), OPTIONS);
    expect(near.connectString).toContain("(PROTOCOL=TCP)(HOST=localhost)(PORT=1521)");
    expect(near.connectString).toContain("(SERVICE_NAME=sales.example.com)");
    const far = connectionAttributes("db.example.com:2484", endpoint({ oracle: { sid: "ORCL" } }), OPTIONS);
    expect(far.connectString).toContain("(PROTOCOL=TCPS)(HOST=db.example.com)(PORT=2484)");
    expect(far.connectString).toContain("(SID=ORCL)");
    expect(far.connectString).toContain("SSL_SERVER_DN_MATCH=no");
  });

  it("certificates as texts, never as files, and the host's name when an authority is given", () => {
    const told = connectionAttributes(
      "db.example.com",
      endpoint({ ssl: { ca: "CA", clientCertificate: "CERTIFICATE", clientKey: "KEY", clientKeyPassphrase: "phrase" } }),
      OPTIONS,
    );
    expect(told).toMatchObject({ walletContent: "KEY\nCERTIFICATE\nCA", walletPassword: "phrase" });
    expect(told.connectString).toContain("SSL_SERVER_DN_MATCH=yes");
    expect(told.connectString).not.toContain(PASSWORD);
  });

  it("nothing that would change the address", () => {
    expect(() => connectionAttributes("db", endpoint({ oracle: { serviceName: "a)(HOST=evil" } }), OPTIONS)).toThrow("GW1001");
  });
});

describe("errors of Oracle", () => {
  const endpoint: OracleEndpoint = { hosts: ["db"], username: "godwit", password: PASSWORD };

  it.each([
    ["ORA-01017", ErrorCode.AuthenticationFailed, "C##"],
    ["ORA-28000", ErrorCode.OracleAccountUnusable, "ACCOUNT UNLOCK"],
    ["ORA-28001", ErrorCode.OracleAccountUnusable, "IDENTIFIED BY"],
    ["ORA-01045", ErrorCode.OracleAccountUnusable, "GRANT CREATE SESSION"],
    ["NJS-138", ErrorCode.OracleVersionUnsupported, "9i and 10g"],
    ["NJS-116", ErrorCode.OracleVersionUnsupported, "thick mode"],
    ["DPI-1047", ErrorCode.OracleVersionUnsupported, "GODWIT_ORACLE_CLIENT"],
    ["ORA-12541", ErrorCode.EndpointUnreachable, "lsnrctl status"],
    ["ORA-28860", ErrorCode.TlsFailed, "TCPS"],
  ])("%s is %s", (code, expected, remedy) => {
    const error = oracleConnectionError(Object.assign(new Error(`${code}: as Oracle says it`), { code }), "db", endpoint);
    expect(error.code).toBe(expected);
    expect(error.remedy).toContain(remedy);
  });

  it("of a session that is gone become a lost connection; those of a statement stay what they are", () => {
    const lost = oracleStatementError(new Error("ORA-03113: end-of-file on communication channel"), "db");
    expect(lost).toMatchObject({ code: ErrorCode.ConnectionLost });
    expect(isOracleConnectionError(lost)).toBe(true);
    const rejected = new Error("ORA-00942: table or view does not exist");
    expect(oracleStatementError(rejected, "db")).toBe(rejected);
    expect(isOracleConnectionError(rejected)).toBe(false);
  });
});

/** A TNS packet of type REFUSE with the listener's error. */
function refusal(code: number): Buffer {
  const data = Buffer.from(`(DESCRIPTION=(TMP=)(VSNNUM=318767104)(ERR=${code})(ERROR_STACK=(ERROR=(CODE=${code})(EMFI=4))))`);
  const packet = Buffer.alloc(12 + data.length);
  packet.writeUInt16BE(packet.length, 0);
  packet[4] = 4;
  packet[8] = 0x22;
  packet.writeUInt16BE(data.length, 10);
  data.copy(packet, 12);
  return packet;
}
