import { setTimeout as sleep } from "node:timers/promises";
import { ErrorCode, GodwitError, isServerGone } from "../../../../engine/errors.js";
import { type BrokerAddress, bootstrapAddresses, type KafkaEndpoint } from "../kafkaEndpoint.js";
import type { WireCall } from "./call.js";
import { BrokerConnection, type ConnectionOptions, spelled } from "./connection.js";
import { type ClusterMetadata, metadata } from "./metadata.js";
import { isPassing, ProtocolError } from "./protocolErrors.js";
import { findCoordinator } from "./transactionCalls.js";

export type CoordinatorKind = "group" | "transaction";

export interface BrokersOptions extends ConnectionOptions {
  /** Milliseconds for which what passes by itself (a leader or coordinator that moves, a broker that restarts) is tried again. Default 120,000. */
  readonly patienceMs?: number;
}

/**
 * The brokers of one cluster: one connection to each that is needed, which of them leads a partition, and which looks after a group or a
 * transactional id. What it knows is renewed when a broker says that it is wrong.
 */
export class Brokers {
  readonly patienceMs: number;
  private readonly addresses = new Map<number, BrokerAddress>();
  private readonly connections = new Map<string, Entry>();
  private readonly leaders = new Map<string, readonly number[]>();
  private readonly coordinators = new Map<string, BrokerAddress>();
  private closed = false;

  constructor(
    readonly endpoint: KafkaEndpoint,
    private readonly options: BrokersOptions,
  ) {
    this.patienceMs = options.patienceMs ?? 120_000;
  }

  /** The node that leads the partition, -1 while none is known. `refresh` finds out. */
  leader(topic: string, partition: number): number {
    return this.leaders.get(topic)?.[partition] ?? -1;
  }

  /** A topic's partitions as far as asked for. */
  partitionCount(topic: string): number {
    return this.leaders.get(topic)?.length ?? 0;
  }

  /** Asks any broker for the cluster and these topics. Errors: those of connecting; a topic's own error is in the answer. */
  async refresh(topics: readonly string[], withOperations = false): Promise<ClusterMetadata> {
    const answer = await (await this.any()).call(metadata(topics, withOperations));
    for (const { id, host, port } of answer.brokers) this.addresses.set(id, { host, port });
    for (const { name, partitions } of answer.topics) {
      const leaders: number[] = [];
      for (const { partition, leader } of partitions) leaders[partition] = leader;
      if (partitions.length > 0) this.leaders.set(name, leaders);
    }
    return answer;
  }

  /** The connection to a node. Errors: GW1101 to GW1103; GW1107 for a node that the cluster has not named. */
  node(id: number): Promise<BrokerConnection> {
    const address = this.addresses.get(id);
    if (address) return this.connect(address);
    return Promise.reject(new GodwitError(ErrorCode.ConnectionLost, `broker ${id} is not known to be up`));
  }

  /** Asks the coordinator, wherever it has moved, until it answers or patience ends. Errors: a ProtocolError, those of connecting. */
  async askCoordinator<T>(kind: CoordinatorKind, key: string, call: WireCall<T>): Promise<T> {
    const name = `${kind} ${key}`;
    return this.patiently(async () => {
      try {
        return await (await this.coordinator(kind, key)).call(call);
      } catch (cause) {
        // It moved, or its broker is gone: the next try looks for it again.
        this.coordinators.delete(name);
        throw cause;
      }
    });
  }

  /** Tries again what passes by itself, at first soon and then every half second. */
  async patiently<T>(attempt: () => Promise<T>): Promise<T> {
    const deadline = Date.now() + this.patienceMs;
    for (let pause = 10; ; pause = Math.min(pause * 2, 500)) {
      try {
        return await attempt();
      } catch (cause) {
        const passing = cause instanceof ProtocolError ? isPassing(cause.code) : isServerGone(cause);
        if (this.closed || !passing || Date.now() + pause > deadline) throw cause;
        await sleep(pause);
      }
    }
  }

  /** A connection to any broker: one that is open, else the first that answers of those named by the cluster and the endpoint. */
  async any(): Promise<BrokerConnection> {
    for (const { opened } of this.connections.values()) if (opened?.usable) return opened;
    const failures: GodwitError[] = [];
    for (const address of [...bootstrapAddresses(this.endpoint), ...this.addresses.values()]) {
      try {
        return await this.connect(address);
      } catch (cause) {
        // A wrong password is wrong everywhere, and too many tries may lock the user out.
        if (!(cause instanceof GodwitError) || cause.code === ErrorCode.AuthenticationFailed) throw cause;
        failures.push(cause);
      }
    }
    const [first] = failures;
    if (first && failures.length === 1) throw first;
    throw new GodwitError(
      failures.find(({ code }) => code !== ErrorCode.EndpointUnreachable)?.code ?? ErrorCode.EndpointUnreachable,
      `no broker of ${this.endpoint.hosts.join(", ")} could be used: ${failures.map(({ message }) => message).join("; ")}`,
      { remedy: "check that the brokers are up and reachable from here" },
    );
  }

  close(): void {
    this.closed = true;
    for (const { opened } of this.connections.values()) opened?.close();
    this.connections.clear();
  }

  private async coordinator(kind: CoordinatorKind, key: string): Promise<BrokerConnection> {
    const name = `${kind} ${key}`;
    const known = this.coordinators.get(name);
    if (known) return this.connect(known);
    const found = await (await this.any()).call(findCoordinator(key, kind));
    this.addresses.set(found.id, found);
    this.coordinators.set(name, found);
    return this.connect(found);
  }

  private connect(address: BrokerAddress): Promise<BrokerConnection> {
    const name = spelled(address);
    const current = this.connections.get(name);
    if (current && (current.opened === undefined || current.opened.usable)) return current.opening;
    // Requests that are under way on a connection that only grew old may end.
    if (current?.opened) retire(current.opened);
    if (this.closed) {
      return Promise.reject(new GodwitError(ErrorCode.ConnectionLost, "the connections were closed here", { object: name }));
    }
    const fresh: Entry = { opening: BrokerConnection.open(address, this.endpoint, this.options), opened: undefined };
    this.connections.set(name, fresh);
    fresh.opening.then(
      (connection) => {
        fresh.opened = connection;
        if (this.closed) connection.close();
      },
      () => {
        if (this.connections.get(name) === fresh) this.connections.delete(name);
      },
    );
    return fresh.opening;
  }
}

interface Entry {
  readonly opening: Promise<BrokerConnection>;
  opened: BrokerConnection | undefined;
}

function retire(connection: BrokerConnection): void {
  const wait = setInterval(() => {
    if (connection.inFlight > 0) return;
    clearInterval(wait);
    connection.close();
  }, 200);
}
