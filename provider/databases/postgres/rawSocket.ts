import type { Socket } from "node:net";
import type { Client } from "pg";

/**
 * Takes a pg client's socket over for a phase in which bytes are worth more than messages (COPY, replication): pg's parser
 * makes an object and an event of every CopyData, one for each row. The socket must be quiet, with the query that starts the phase
 * not sent yet. `release` gives it back, with the bytes that belong to what follows.
 */
export interface RawSocket {
  readonly socket: Socket;
  /** Sends a simple query. */
  query(sql: string): void;
  release(rest?: Buffer): void;
}

export function takeSocket(client: Client, onData: (chunk: Buffer) => void): RawSocket {
  const { stream: socket } = (client as unknown as { connection: { stream: Socket } }).connection;
  const parsers = socket.listeners("data") as ((chunk: Buffer) => void)[];
  socket.removeAllListeners("data");
  socket.on("data", onData);
  return {
    socket,
    query(sql) {
      const text = Buffer.from(sql, "utf8");
      const message = Buffer.allocUnsafe(text.length + 6);
      message[0] = 0x51; // Q
      message.writeInt32BE(text.length + 5, 1);
      text.copy(message, 5);
      message[message.length - 1] = 0;
      socket.write(message);
    },
    release(rest) {
      socket.removeListener("data", onData);
      for (const parser of parsers) socket.on("data", parser);
      if (rest && rest.length > 0) for (const parser of parsers) parser(rest);
      socket.resume();
    },
  };
}
