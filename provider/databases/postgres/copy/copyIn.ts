import type { Client } from "pg";
import type { RowSink } from "../../../engine/database.js";
import type { PostgresEndpoint } from "../connection.js";
import { connectionError } from "../connectionErrors.js";
import { takeSocket } from "../rawSocket.js";
import { serverError } from "../serverMessage.js";

const COPY_IN_RESPONSE = 0x47; // G
const READY_FOR_QUERY = 0x5a; // Z
const ERROR_RESPONSE = 0x45; // E
/**
 * What may wait in this process for a target that is busy. Node's own mark of 16 kB is less than one read from the source, so that each
 * read would stop the source until the last byte had left.
 */
const MOST_WAITING_BYTES = 1 << 20;
const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]);

/**
 * Runs a COPY ... FROM STDIN whose rows `feed` writes as CopyData frames. Resolves with what `feed` resolved with, once the server
 * has taken every row. When `feed` fails the session is ended, so that nothing of the COPY stays, and that failure goes on.
 */
export async function copyIn(
  client: Client,
  endpoint: PostgresEndpoint,
  sql: string,
  feed: (sink: RowSink) => Promise<number>,
): Promise<number> {
  let carry: Buffer | undefined;
  let serverFailure: Error | undefined;
  let drained: { resolve: () => void; reject: (cause: unknown) => void } | undefined;
  let onStarted: () => void = () => undefined;
  let onReady: (failure?: unknown) => void = () => undefined;
  const started = new Promise<void>((resolve) => {
    onStarted = resolve;
  });
  const ready = new Promise<void>((resolve, reject) => {
    onReady = (failure) => (failure ? reject(failure) : resolve());
  });
  ready.catch(() => undefined);

  const fail = (failure: Error) => {
    serverFailure ??= failure;
    drained?.reject(serverFailure);
    drained = undefined;
    onStarted();
  };
  const onClose = (cause?: unknown) => {
    const broken = connectionError(
      cause instanceof Error ? cause : Object.assign(new Error("the target closed the connection"), { code: "08006" }),
      endpoint.hosts.join(","),
      endpoint,
    );
    fail(broken);
    onReady(serverFailure);
  };
  const raw = takeSocket(client, (received) => {
    let chunk = carry ? Buffer.concat([carry, received]) : received;
    carry = undefined;
    while (chunk.length >= 5) {
      const length = chunk.readInt32BE(1) + 1;
      if (chunk.length < length) break;
      const type = chunk[0];
      if (type === COPY_IN_RESPONSE) onStarted();
      else if (type === ERROR_RESPONSE) fail(serverError(chunk.subarray(5, length)));
      else if (type === READY_FOR_QUERY) onReady(serverFailure);
      chunk = chunk.subarray(length);
    }
    if (chunk.length > 0) carry = chunk;
  });
  const onDrain = () => {
    drained?.resolve();
    drained = undefined;
  };
  const { socket } = raw;
  socket.on("drain", onDrain);
  socket.on("close", onClose);
  socket.on("error", onClose);
  const sink: RowSink = {
    write(frames) {
      if (serverFailure) throw serverFailure;
      socket.write(frames);
      if (socket.writableLength < MOST_WAITING_BYTES) return undefined;
      return new Promise((resolve, reject) => {
        drained = { resolve, reject };
      });
    },
  };

  try {
    // A socket that closed before anyone listened says nothing more.
    if (socket.destroyed) onClose();
    else raw.query(sql);
    await started;
    if (serverFailure) {
      await ready;
      throw serverFailure;
    }
    let rows: number;
    try {
      rows = await feed(sink);
    } catch (cause) {
      // Not CopyFail: what came before it may be a part of a row, and the server would take CopyFail for the rest and wait. A session that
      // ends in the middle of a COPY leaves nothing of it.
      const first = serverFailure ?? cause;
      socket.destroy();
      throw first;
    }
    socket.write(COPY_DONE);
    await ready;
    return rows;
  } finally {
    socket.removeListener("drain", onDrain);
    socket.removeListener("close", onClose);
    socket.removeListener("error", onClose);
    raw.release(carry);
  }
}
