import type { Client } from "pg";
import type { RowSink } from "../../../engine/database.js";
import type { PostgresEndpoint } from "../connection.js";
import { connectionError } from "../connectionErrors.js";
import { takeSocket } from "../rawSocket.js";
import { serverError } from "../serverMessage.js";

const COPY_DATA = 0x64; // d
const COPY_DONE = 0x63; // c
const COMMAND_COMPLETE = 0x43; // C
const READY_FOR_QUERY = 0x5a; // Z
const ERROR_RESPONSE = 0x45; // E

/**
 * Runs a COPY ... TO STDOUT and passes its CopyData messages on as they come off the socket, framed and unparsed: only the
 * five bytes in front of each row are looked at. Resolves with the server's row count once the server is ready again.
 */
export function copyOut(client: Client, endpoint: PostgresEndpoint, sql: string, sink: RowSink): Promise<number> {
  return new Promise((resolve, reject) => {
    let carry: Buffer | undefined; // a header, or a whole control message, cut by the end of a chunk
    let inside = 0; // bytes of the present CopyData still to come
    let rows = 0;
    let framed = 0; // rows in the frames about to be passed
    let failure: unknown;
    let finished = false;

    const finish = (error?: unknown) => {
      if (finished) return;
      finished = true;
      raw.socket.removeListener("close", onClose);
      raw.socket.removeListener("error", onClose);
      if (error) reject(error);
      else resolve(rows);
    };
    const onClose = (cause?: unknown) =>
      finish(
        connectionError(
          cause instanceof Error ? cause : Object.assign(new Error("the source closed the connection"), { code: "08006" }),
          endpoint.hosts.join(","),
          endpoint,
        ),
      );

    const pass = (frames: Buffer) => {
      if (failure !== undefined) return;
      let wait: Promise<void> | undefined;
      try {
        wait = sink.write(frames, framed);
        framed = 0;
      } catch (cause) {
        failure = cause;
        raw.socket.destroy();
        finish(cause);
        return;
      }
      if (!wait) return;
      raw.socket.pause();
      wait.then(
        () => raw.socket.resume(),
        (cause: unknown) => {
          // The target refuses: the rest of this COPY is of no use, and a session can only leave one by ending.
          failure = cause;
          raw.socket.destroy();
          finish(cause);
        },
      );
    };

    const onData = (received: Buffer) => {
      let chunk = received;
      if (carry) {
        chunk = Buffer.concat([carry, received]);
        carry = undefined;
      }
      let at = Math.min(inside, chunk.length);
      inside -= at;
      let from = 0;
      while (at < chunk.length) {
        if (chunk.length - at < 5) break;
        const type = chunk[at];
        const length = chunk.readInt32BE(at + 1) + 1;
        if (type === COPY_DATA) {
          framed++;
          const end = at + length;
          if (end > chunk.length) {
            inside = end - chunk.length;
            at = chunk.length;
          } else {
            at = end;
          }
          continue;
        }
        if (at > from) pass(chunk.subarray(from, at));
        if (chunk.length - at < length) {
          from = at;
          break;
        }
        const body = chunk.subarray(at + 5, at + length);
        at += length;
        from = at;
        if (type === ERROR_RESPONSE) failure = serverError(body);
        else if (type === COMMAND_COMPLETE) rows = Number(body.toString("latin1", 5, body.length - 1));
        else if (type === READY_FOR_QUERY) {
          raw.release();
          finish(failure);
          return;
        } else if (type === COPY_DONE) continue;
      }
      const cut = inside === 0 && at < chunk.length ? at : chunk.length;
      if (cut > from) pass(chunk.subarray(from, cut));
      if (cut < chunk.length) carry = chunk.subarray(cut);
    };

    const raw = takeSocket(client, onData);
    raw.socket.on("close", onClose);
    raw.socket.on("error", onClose);
    // A socket that closed before anyone listened says nothing more.
    if (raw.socket.destroyed) onClose();
    else raw.query(sql);
  });
}
