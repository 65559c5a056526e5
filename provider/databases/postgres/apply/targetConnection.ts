import type { Client } from "pg";
import { takeSocket } from "../rawSocket.js";
import { createFrameReader } from "../replication/frames.js";
import { type ServerError, serverError } from "../serverMessage.js";
import type { Value } from "./tuples.js";

/**
 * A session on the target whose requests are sent without waiting for the ones before; they are answered in order.
 *
 * A simple query may hold several statements, COPY ... FROM STDIN among them: they are one implicit transaction. The server asks for each
 * COPY's data in turn, but it reads the socket in order, so the CopyData of all of them can follow the query at once. When it meets an
 * error it skips the rest of the query, and drops CopyData and CopyDone that it did not ask for (the protocol says so for exactly this
 * case). It does go on to the next query: whoever sends ahead must make sure that one fails as well.
 */
export interface TargetConnection {
  /** Resolves with the command tags of the query's statements. Rejects with a ServerError, or the socket's failure. */
  query(sql: string, copies: readonly Buffer[]): Promise<readonly string[]>;
  /** One statement with its values; resolves with its tag and its first row's first column as text, if any. */
  execute(
    sql: string,
    values: readonly Value[],
    binary: boolean,
  ): Promise<{ readonly tag: string; readonly text: string | undefined }>;
  close(): void;
}

interface Pending {
  readonly tags: string[];
  text: string | undefined;
  failure: ServerError | undefined;
  readonly resolve: (reply: Pending) => void;
  readonly reject: (cause: unknown) => void;
}

export function openTargetConnection(client: Client): TargetConnection {
  const pending: Pending[] = [];
  let broken: unknown;

  const reader = createFrameReader((type, data, at, end) => {
    const [current] = pending;
    switch (type) {
      case 0x43: // C
        current?.tags.push(data.toString("utf8", at, end - 1));
        return;
      case 0x44: // D
        if (current && data.readInt16BE(at) > 0 && data.readInt32BE(at + 2) >= 0) {
          current.text = data.toString("utf8", at + 6, at + 6 + data.readInt32BE(at + 2));
        }
        return;
      case 0x45: {
        // E
        const failure = serverError(data.subarray(at, end));
        if (current) current.failure ??= failure;
        else broken ??= failure;
        return;
      }
      case 0x5a: // Z
        pending.shift();
        if (current?.failure) current.reject(current.failure);
        else current?.resolve(current);
        return;
      default:
        return; // CopyInResponse, RowDescription, notices, parameter changes: nothing to do.
    }
  });
  const raw = takeSocket(client, (chunk) => {
    try {
      reader.push(chunk);
    } catch (cause) {
      fail(cause);
    }
  });
  const { socket } = raw;
  const fail = (cause: unknown) => {
    broken ??= cause;
    // FATAL errors come without a ReadyForQuery: theirs is the better word.
    for (const request of pending.splice(0)) request.reject(request.failure ?? broken);
    socket.destroy();
  };
  const onClose = () =>
    fail(Object.assign(new Error("Connection terminated: the target closed the connection"), { code: "08006" }));
  socket.on("error", fail);
  socket.on("close", onClose);
  // Closed before anyone listened, it tells nobody any more.
  if (socket.destroyed || socket.readableEnded) onClose();

  const request = (messages: readonly Buffer[]) =>
    new Promise<Pending>((resolve, reject) => {
      if (broken !== undefined) {
        reject(broken);
        return;
      }
      pending.push({ tags: [], text: undefined, failure: undefined, resolve, reject });
      socket.cork();
      for (const message of messages) socket.write(message);
      socket.uncork();
    });

  return {
    query: async (sql, copies) => (await request([message(0x51, [cstring(sql)]), ...copies])).tags,
    async execute(sql, values, binary) {
      const reply = await request([
        message(0x50, [EMPTY, cstring(sql), int16(0)]),
        bind(values, binary),
        message(0x45, [EMPTY, Buffer.alloc(4)]),
        message(0x53, []),
      ]);
      return { tag: reply.tags[0] ?? "", text: reply.text };
    },
    close: () => fail(new Error("Connection terminated")),
  };
}

const EMPTY = Buffer.from([0]);

/** Unnamed portal and statement; all values in one format, results as text. */
function bind(values: readonly Value[], binary: boolean): Buffer {
  const parts: Buffer[] = [EMPTY, EMPTY, int16(1), int16(binary ? 1 : 0), int16(values.length)];
  for (const value of values) {
    const length = Buffer.alloc(4);
    length.writeInt32BE(value?.length ?? -1);
    parts.push(length);
    if (value) parts.push(value);
  }
  parts.push(int16(0));
  return message(0x42, parts);
}

function message(type: number, parts: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(5);
  head[0] = type;
  head.writeInt32BE(4 + parts.reduce((size, part) => size + part.length, 0), 1);
  return Buffer.concat([head, ...parts]);
}

function cstring(text: string): Buffer {
  return Buffer.from(`${text}\0`, "utf8");
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
