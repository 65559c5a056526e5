import { connect, createServer, type Server, type Socket } from "node:net";

/**
 * A proxy in front of a PostgreSQL server that takes the statements of PolarDB O which PostgreSQL's grammar does not have: CREATE PACKAGE, CREATE
 * TYPE .. AS OBJECT, TYPE BODY and CREATE SYNONYM become calls of the stand-in's functions (standInSql.ts), polar_comp_redwood_date gets the dot that an
 * unknown setting must have. Everything else passes as it is, both ways. Plain connections only.
 */
export interface FrontendProxy {
  readonly port: number;
  /** Statements that PostgreSQL alone would not have taken, in the order in which they came. */
  readonly rewritten: readonly string[];
  close(): Promise<void>;
}

export async function startFrontendProxy(serverPort: number): Promise<FrontendProxy> {
  const rewritten: string[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((client) => {
    const upstream = connect(serverPort, "127.0.0.1");
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => undefined);
      socket.on("close", () => sockets.delete(socket));
    }
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
    upstream.pipe(client);
    const messages = new Messages((statement) => rewritten.push(statement));
    client.on("data", (data) => {
      const ready = messages.take(data);
      if (ready.length > 0 && !upstream.write(ready)) {
        client.pause();
        upstream.once("drain", () => client.resume());
      }
    });
  });
  await new Promise<void>((settle) => server.listen(0, "127.0.0.1", settle));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  return {
    port: address.port,
    rewritten,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((settle) => server.close(settle));
    },
  };
}

const SSL_REQUEST = 80877103;
const QUERY = 0x51;

/** Cuts a client's stream into messages; the first of a connection has no type byte. */
class Messages {
  #pending: Buffer = Buffer.alloc(0);
  #started = false;

  constructor(private readonly onRewrite: (statement: string) => void) {}

  take(data: Buffer): Buffer {
    this.#pending = this.#pending.length === 0 ? data : Buffer.concat([this.#pending, data]);
    const out: Buffer[] = [];
    for (let message = this.#next(); message; message = this.#next()) out.push(message);
    return Buffer.concat(out);
  }

  #next(): Buffer | undefined {
    const header = this.#started ? 1 : 0;
    if (this.#pending.length < header + 4) return undefined;
    const size = header + this.#pending.readInt32BE(header);
    if (this.#pending.length < size) return undefined;
    const message = this.#pending.subarray(0, size);
    this.#pending = this.#pending.subarray(size);
    if (!this.#started) {
      // The answer to an SSLRequest is followed by another first message.
      this.#started = size !== 8 || message.readInt32BE(4) !== SSL_REQUEST;
      return withBody(message, 0, dotted(message.subarray(4).toString("latin1")), "latin1");
    }
    return message[0] === QUERY ? this.#query(message) : message;
  }

  #query(message: Buffer): Buffer {
    const sql = message.subarray(5, -1).toString();
    const mine = rewrite(sql);
    if (mine === sql) return message;
    this.onRewrite(sql);
    return withBody(message, 1, `${mine}\0`, "utf8");
  }
}

function withBody(message: Buffer, header: number, body: string, encoding: "latin1" | "utf8"): Buffer {
  const bytes = Buffer.from(body, encoding);
  const out = Buffer.alloc(header + 4 + bytes.length);
  if (header > 0) out[0] = message[0] ?? 0;
  out.writeInt32BE(4 + bytes.length, header);
  bytes.copy(out, header + 4);
  return out;
}

function dotted(text: string): string {
  return text.replaceAll("polar_comp_redwood_date", "polar.comp_redwood_date");
}

const NAME = '"((?:[^"]|"")+)"';
const SOURCED = new RegExp(`^CREATE OR REPLACE (PACKAGE BODY|PACKAGE|TYPE BODY|TYPE) ${NAME}\\.${NAME}`);
const SYNONYM = new RegExp(`CREATE OR REPLACE SYNONYM ${NAME}\\.${NAME} FOR ${NAME}\\.${NAME}`, "g");

function rewrite(sql: string): string {
  const sourced = SOURCED.exec(sql);
  if (sourced) {
    const [, kind = "", schema = "", name = ""] = sourced;
    return `SELECT sys.create_source(${[kind, schema, name, sql].map(quoted).join(", ")})`;
  }
  return sql.replace(
    SYNONYM,
    (_, ...names: string[]) => `SELECT sys.create_synonym(${names.slice(0, 4).map(quoted).join(", ")})`,
  );
}

function quoted(text: string): string {
  return `'${text.replaceAll('""', '"').replaceAll("'", "''")}'`;
}
