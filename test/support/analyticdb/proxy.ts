import { createServer, connect as dial, type Server, type Socket } from "node:net";
import { type CreatedTable, rewrite } from "./rewrite.js";

export interface SegmentProxy {
  readonly port: number;
  readonly created: CreatedTable[];
  readonly refused: string[];
  readonly statements: string[];
  forget(): void;
  close(): Promise<void>;
}

const MOST_STATEMENTS = 20_000;
const SSL_REQUEST = 80877103;
const CANCEL_REQUEST = 80877102;
const QUERY = 0x51;
const PARSE = 0x50;

/** Listens on 127.0.0.1 and passes sessions on to the server below, each query as `rewrite` makes it. */
export async function startSegmentProxy(below: number, version: 6 | 7): Promise<SegmentProxy> {
  const sockets = new Set<Socket>();
  const created: CreatedTable[] = [];
  const refused: string[] = [];
  const statements: string[] = [];
  const translate = (sql: string, extended: boolean): string => {
    const rewritten = rewrite(sql, version, extended);
    statements.push(sql);
    if (statements.length > MOST_STATEMENTS) statements.splice(0, MOST_STATEMENTS / 2);
    created.push(...rewritten.created);
    refused.push(...rewritten.refused);
    // A catalog that is not there is an error with a code of its own.
    if (rewritten.refused.some((reason) => reason.startsWith("PostgreSQL 9.4 has no pg_sequence")))
      return "TABLE pg_catalog.pg_sequence_of_10";
    // Whatever state the session is in, the server below makes a proper error of it.
    return rewritten.refused.length > 0 ? `refused by the stand-in for AnalyticDB ${version}` : rewritten.sql;
  };
  const server: Server = createServer((client) => {
    const backend = dial(below, "127.0.0.1");
    for (const [socket, other] of [
      [client, backend],
      [backend, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    backend.pipe(client);
    let rest: Buffer = Buffer.alloc(0);
    let started = false;
    client.on("data", (chunk) => {
      rest = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
      const out: Buffer[] = [];
      for (;;) {
        if (!started) {
          if (rest.length < 8 || rest.length < rest.readInt32BE(0)) break;
          const length = rest.readInt32BE(0);
          const code = rest.readInt32BE(4);
          const packet = rest.subarray(0, length);
          rest = rest.subarray(length);
          if (code === SSL_REQUEST) {
            client.write("N");
            continue;
          }
          started = code !== CANCEL_REQUEST;
          const unknown = version === 6 ? laterSetting(packet) : undefined;
          if (unknown !== undefined) {
            refused.push(`startup packet: unrecognized configuration parameter "${unknown}"`);
            client.end(fatal(`unrecognized configuration parameter "${unknown}"`));
            return;
          }
          out.push(packet);
          continue;
        }
        if (rest.length < 5 || rest.length < rest.readInt32BE(1) + 1) break;
        const length = rest.readInt32BE(1) + 1;
        const frame = rest.subarray(0, length);
        rest = rest.subarray(length);
        out.push(frame[0] === QUERY ? query(frame, translate) : frame[0] === PARSE ? parse(frame, translate) : frame);
      }
      if (out.length > 0 && !backend.write(Buffer.concat(out))) {
        client.pause();
        backend.once("drain", () => client.resume());
      }
    });
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : 0,
    created,
    refused,
    statements,
    forget() {
      created.length = 0;
      refused.length = 0;
      statements.length = 0;
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function query(frame: Buffer, translate: (sql: string, extended: boolean) => string): Buffer {
  return message(QUERY, [Buffer.from(`${translate(frame.toString("utf8", 5, frame.length - 1), false)}\0`)]);
}

function parse(frame: Buffer, translate: (sql: string, extended: boolean) => string): Buffer {
  const nameEnd = frame.indexOf(0, 5) + 1;
  const sqlEnd = frame.indexOf(0, nameEnd);
  const sql = translate(frame.toString("utf8", nameEnd, sqlEnd), true);
  return message(PARSE, [frame.subarray(5, nameEnd), Buffer.from(`${sql}\0`), frame.subarray(sqlEnd + 1)]);
}

/** Settings that PostgreSQL 9.4 does not know end a connection that brings them in its startup packet. */
function laterSetting(packet: Buffer): string | undefined {
  const text = packet.toString("utf8", 8);
  return /-c (idle_in_transaction_session_timeout|jit|client_connection_check_interval|idle_session_timeout|default_table_access_method)=/.exec(
    text,
  )?.[1];
}

function fatal(text: string): Buffer {
  return message(0x45, [Buffer.from(`SFATAL\0C42704\0M${text}\0\0`)]);
}

function message(type: number, parts: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(5);
  head[0] = type;
  head.writeInt32BE(4 + parts.reduce((size, part) => size + part.length, 0), 1);
  return Buffer.concat([head, ...parts]);
}
