import type { Client } from "pg";
import { destroy } from "./clients.js";
import { connect, type PostgresEndpoint } from "./connection.js";

/** The connections of one attempt at a task, so that ending it ends them all, busy or not. */
export class Connections {
  private readonly open = new Set<Client>();
  private closed = false;

  /** `part` completes the application name: godwit/<task>/<side>/<part>. */
  constructor(
    readonly endpoint: PostgresEndpoint,
    private readonly prefix: string,
  ) {}

  async connect(part: string, options: { replication?: boolean } = {}): Promise<Client> {
    const client = await connect(this.endpoint, { applicationName: `${this.prefix}/${part}`, ...options });
    this.open.add(client);
    client.on("end", () => this.open.delete(client));
    if (this.closed) {
      destroy(client);
      throw new Error("Connection terminated: the attempt is over");
    }
    return client;
  }

  close(): void {
    this.closed = true;
    for (const client of this.open) destroy(client);
    this.open.clear();
  }
}
