import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import { type ChangeSink, type StreamedColumn, TupleKind } from "../../../engine/models/change.js";

/** Milliseconds from 1970 to 2000, where PostgreSQL's clock begins. */
const EPOCH_2000_MS = 946_684_800_000;

/**
 * Decodes one pgoutput message (protocol version 1) of `data` and hands it to the sink. Tuples are not looked into, but
 * for the old one of an update, whose end is where the new one begins.
 *
 * Facts of the protocol: a transaction is sent after its commit, whole, and never interleaved with another; a relation is
 * described before its first change and again whenever it changed; up to PostgreSQL 14 transactions that touched nothing
 * published are sent too, empty.
 */
export function decodeMessage(data: Buffer, at: number, end: number, sink: ChangeSink): void {
  switch (data[at]) {
    case 0x49: // I
      sink.insert(data.readUInt32BE(at + 1), data, at + 6, end);
      return;
    case 0x55: {
      // U
      const kind = data[at + 5];
      if (kind === 0x4e) {
        sink.update(data.readUInt32BE(at + 1), data, -1, at + 6, end);
        return;
      }
      sink.update(data.readUInt32BE(at + 1), data, at + 6, tupleEnd(data, at + 6) + 1, end);
      return;
    }
    case 0x44: // D
      sink.delete(data.readUInt32BE(at + 1), data, at + 6, end);
      return;
    case 0x42: // B
      sink.begin(data.readBigInt64BE(at + 1), timeMs(data, at + 9), data.readUInt32BE(at + 17));
      return;
    case 0x43: // C
      sink.commit(data.readBigInt64BE(at + 2), data.readBigInt64BE(at + 10), timeMs(data, at + 18));
      return;
    case 0x52: // R
      relation(data, at, sink);
      return;
    case 0x54: {
      // T
      const count = data.readInt32BE(at + 1);
      const options = data[at + 5] ?? 0;
      const ids = Array.from({ length: count }, (_, index) => data.readUInt32BE(at + 6 + index * 4));
      sink.truncate(ids, (options & 1) !== 0, (options & 2) !== 0);
      return;
    }
    case 0x59: // Y, a type's name: the plan knows its types.
    case 0x4f: // O, an origin
    case 0x4d: // M, pg_logical_emit_message
      return;
    default:
      throw new GodwitError(ErrorCode.ProtocolViolation, `an unknown pgoutput message: ${data[at]}`);
  }
}

/** Offset after the packed tuple at `at`. */
export function tupleEnd(data: Buffer, at: number): number {
  let position = at + 2;
  for (let left = data.readInt16BE(at); left > 0; left--) {
    const kind = data[position++];
    if (kind === TupleKind.text || kind === TupleKind.binary) position += 4 + data.readInt32BE(position);
  }
  return position;
}

function relation(data: Buffer, at: number, sink: ChangeSink): void {
  const id = data.readUInt32BE(at + 1);
  let position = at + 5;
  const text = () => {
    const end = data.indexOf(0, position);
    const value = data.toString("utf8", position, end);
    position = end + 1;
    return value;
  };
  // An empty namespace stands for pg_catalog.
  const schema = text() || "pg_catalog";
  const name = text();
  const fullIdentity = data[position++] === 0x66; // f
  const count = data.readInt16BE(position);
  position += 2;
  const columns: StreamedColumn[] = [];
  for (let index = 0; index < count; index++) {
    const partOfKey = ((data[position++] ?? 0) & 1) !== 0;
    const column = text();
    columns.push({ name: column, partOfKey, typeId: data.readUInt32BE(position) });
    position += 8;
  }
  sink.table({ id, schema, name, columns, fullIdentity });
}

function timeMs(data: Buffer, at: number): number {
  return Number(data.readBigInt64BE(at)) / 1000 + EPOCH_2000_MS;
}
