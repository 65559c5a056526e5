import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { ErrorCode, GodwitError } from "../../../../engine/errors.js";
import { type BrokerAddress, brokerTls, credentials, type KafkaEndpoint } from "../kafkaEndpoint.js";
import { WireReader, WireWriter } from "./bytes.js";
import { Api, type WireCall } from "./call.js";
import { connectError } from "./connectError.js";
import { demand } from "./protocolErrors.js";
import { logIn } from "./sasl.js";

export interface ConnectionOptions {
  /** Shows in the brokers' request logs and quotas. */
  readonly clientId: string;
  /** Milliseconds for TCP, TLS and log-in together. Default 10,000. */
  readonly connectMs?: number;
  /** Milliseconds that a broker may take to answer; then the connection is given up, for what the broker did is unknown. Default 40,000. */
  readonly requestMs?: number;
}

interface Pending {
  readonly correlation: number;
  readonly deadline: number;
  settle(response: Buffer): void;
  fail(cause: Error): void;
}

/**
 * One connection to one broker: logged in, versions negotiated. Requests may follow each other without waiting; a broker works on them and answers
 * in the order they came. A connection that fails fails every request on it (GW1107) and is never mended: its owner opens another.
 */
export class BrokerConnection {
  private readonly pending: Pending[] = [];
  private readonly chunks: Buffer[] = [];
  private received = 0;
  private correlation = 0;
  private failure: Error | undefined;
  private watch: NodeJS.Timeout | undefined;
  private versions: ReadonlyMap<number, readonly [number, number]> = new Map();
  /** Of requests after the connection was opened. */
  private answers = 0;
  private anonymous = false;
  private sessionEnd = Number.POSITIVE_INFINITY;

  private constructor(
    private readonly socket: Socket,
    readonly address: BrokerAddress,
    private readonly clientId: string,
    private requestMs: number,
  ) {
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 30_000);
    socket.on("data", (chunk: Buffer) => this.take(chunk));
    socket.on("error", (cause) => this.lose(cause));
    socket.on("close", () => this.lose(new Error("the broker closed the connection")));
  }

  /** Errors: GW1101 (nobody there), GW1102 (log-in refused), GW1103 (TLS). */
  static async open(address: BrokerAddress, endpoint: KafkaEndpoint, options: ConnectionOptions): Promise<BrokerConnection> {
    const connectMs = options.connectMs ?? 10_000;
    const began = Date.now();
    const socket = await openSocket(address, endpoint, connectMs).catch((cause: unknown) => {
      throw connectError(cause, address, endpoint);
    });
    const connection = new BrokerConnection(socket, address, options.clientId, connectMs - (Date.now() - began));
    try {
      connection.versions = await connection.call(API_VERSIONS);
      const login = credentials(endpoint);
      const sessionMs = login ? await logIn((call) => connection.call(call), login) : 0;
      // KIP-368: a session that outlives its time is cut off by the broker; before that the owner opens another connection.
      if (sessionMs > 0) connection.sessionEnd = Date.now() + sessionMs * 0.8;
    } catch (cause) {
      connection.close();
      throw connectError(cause, address, endpoint);
    }
    connection.requestMs = options.requestMs ?? 40_000;
    connection.anonymous = credentials(endpoint) === undefined;
    connection.answers = 0;
    return connection;
  }

  /** False once it failed or its session is about to end: nothing new should be sent here. */
  get usable(): boolean {
    return this.failure === undefined && Date.now() < this.sessionEnd;
  }

  get inFlight(): number {
    return this.pending.length;
  }

  /** The highest version that both sides know. Errors: GW1927 where there is none. */
  version({ api, versions: [lowest, highest] }: Pick<WireCall<unknown>, "api" | "versions">): number {
    // The first request of all: every broker knows version 0 of the one that asks for versions.
    if (this.versions.size === 0) return 0;
    const [from, to] = this.spoken(api);
    const version = Math.min(highest, to);
    if (version >= Math.max(lowest, from)) return version;
    throw new GodwitError(
      ErrorCode.KafkaRefused,
      `the broker knows versions ${from} to ${to} of request ${api}, this program ${lowest} to ${highest}`,
      { object: spelled(this.address), remedy: "Kafka 1.0 or newer is needed" },
    );
  }

  /** The versions of a request that the broker knows; 0 to -1 when it does not know the request. */
  spoken(api: Api): readonly [lowest: number, highest: number] {
    return this.versions.get(api) ?? [0, -1];
  }

  /** Errors: a ProtocolError when the broker says no, GW1107 when the connection fails before the answer. */
  async call<T>(call: WireCall<T>): Promise<T> {
    if (this.failure) throw this.lost(this.failure);
    const version = this.version(call);
    this.correlation = (this.correlation + 1) & 0x7fffffff;
    const { correlation } = this;
    const body = call.body(version);
    const start = new WireWriter().int16(call.api).int16(version).int32(correlation).string(this.clientId);
    const header = (version >= (call.flexibleFrom ?? Number.POSITIVE_INFINITY) ? start.int8(0) : start).finish();
    const size = Buffer.allocUnsafe(4);
    size.writeInt32BE(body.reduce((sum, part) => sum + part.length, header.length));
    const response =
      call.unanswered === undefined
        ? new Promise<Buffer>((settle, fail) => {
            const deadline = Date.now() + this.requestMs;
            this.pending.push({ correlation, deadline, settle, fail });
            this.watchDeadlines();
          })
        : undefined;
    this.socket.cork();
    for (const part of [size, header, ...body]) this.socket.write(part);
    this.socket.uncork();
    if (!response) {
      await this.drained();
      return call.unanswered as T;
    }
    return call.read(new WireReader(await response, 4), version);
  }

  close(): void {
    this.lose(new Error("the connection was closed here"));
  }

  private async drained(): Promise<void> {
    if (this.socket.writableNeedDrain) {
      await new Promise<void>((settle) => {
        this.socket.once("drain", settle).once("close", settle);
      });
    }
    if (this.failure) throw this.lost(this.failure);
  }

  private take(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.received += chunk.length;
    while (this.received >= 4) {
      const [first] = this.chunks;
      if (!first) return;
      const bytes = this.chunks.length === 1 ? first : Buffer.concat(this.chunks);
      this.chunks.splice(0, this.chunks.length, bytes);
      if (bytes.length < 4) return;
      const end = 4 + bytes.readInt32BE(0);
      if (bytes.length < end) return;
      this.chunks.splice(0, 1, ...(bytes.length > end ? [bytes.subarray(end)] : []));
      this.received -= end;
      this.settle(bytes.subarray(4, end));
    }
  }

  private settle(response: Buffer): void {
    const next = this.pending.shift();
    this.answers++;
    if (next?.correlation === response.readInt32BE(0)) next.settle(response);
    else this.lose(new Error("the broker answered out of order"), next);
  }

  private watchDeadlines(): void {
    // Answers come in order: only the first can be late.
    this.watch ??= setInterval(() => {
      const [first] = this.pending;
      if (first && Date.now() > first.deadline) this.lose(new Error("the broker did not answer in time"));
      else if (!first) this.stopWatch();
    }, 500);
  }

  private stopWatch(): void {
    clearInterval(this.watch);
    this.watch = undefined;
  }

  private lose(cause: Error, current?: Pending): void {
    if (!this.failure) {
      this.failure = cause;
      this.socket.destroy();
      this.stopWatch();
    }
    const error = this.lost(this.failure);
    current?.fail(error);
    for (const { fail } of this.pending.splice(0)) fail(error);
  }

  private lost(cause: Error): GodwitError {
    return new GodwitError(ErrorCode.ConnectionLost, `the connection to a broker failed: ${cause.message}`, {
      object: spelled(this.address),
      // A listener that wants a log-in tells its versions to anyone, and hangs up at the first request for anything else.
      remedy:
        this.anonymous && this.answers === 0
          ? "the listener may want a user name: set username, password and kafka.saslMechanism of the endpoint, or a client certificate"
          : "the broker must be up and reachable under the name that it advertises; it is tried again",
      cause,
    });
  }
}

export function spelled({ host, port }: BrokerAddress): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function openSocket({ host, port }: BrokerAddress, endpoint: KafkaEndpoint, milliseconds: number): Promise<Socket> {
  const tls = brokerTls(endpoint, host);
  return new Promise((settle, fail) => {
    const socket = tls ? connectTls({ ...tls, host, port }) : connectTcp({ host, port });
    const timer = setTimeout(() => stop(new Error(`no connection within ${milliseconds} ms`)), milliseconds);
    const stop = (cause: Error) => {
      clearTimeout(timer);
      socket.destroy();
      fail(cause);
    };
    const closed = () => stop(new Error(tls ? "closed during the TLS handshake" : "closed while connecting"));
    socket.once("error", stop).once("close", closed);
    socket.once(tls ? "secureConnect" : "connect", () => {
      clearTimeout(timer);
      socket.off("error", stop).off("close", closed);
      settle(socket);
    });
  });
}

const API_VERSIONS: WireCall<ReadonlyMap<number, readonly [number, number]>> = {
  api: Api.apiVersions,
  versions: [0, 0],
  body: () => [],
  read(reader) {
    demand(reader.int16(), "versions of requests");
    return new Map(reader.array(() => [reader.int16(), [reader.int16(), reader.int16()] as const] as const));
  },
};
