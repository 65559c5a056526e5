import { columnType, type ValueKind } from "./columnTypes.js";
import { escapedLength, writeEscaped } from "./jsonText.js";
import { copyBytes, type RecordBytes } from "./recordBytes.js";
import type { FormatTable } from "./recordFormat.js";
import { NULL, type TupleValues } from "./tupleValues.js";

enum Form {
  /** Digits, signs, dates: nothing in it needs an escape. */
  plain,
  escaped,
  bool,
  timestamptz,
}

const NEEDS_NO_ESCAPE: ReadonlySet<ValueKind> = new Set([
  "int2",
  "int4",
  "int8",
  "numeric",
  "float4",
  "float8",
  "uuid",
  "date",
  "time",
  "timetz",
  "timestamp",
]);

/** Above this a value's escapes are counted before room is made; below, six bytes for each are. */
const SMALL_ROW = 1 << 14;

const TRUE = Buffer.from('true"');
const FALSE = Buffer.from('false"');
const NULL_WORD = Buffer.from("null");

/**
 * Writes rows as JSON objects whose values are strings or null. A string is PostgreSQL's own text form, with two exceptions made for
 * readers with types: booleans are `true` and `false` (Flink takes any other word for false), and a time zone of +00, which all of
 * our sessions have, is `Z` (Flink reads no other into TIMESTAMP_LTZ). PostgreSQL reads both back as well.
 */
export class JsonColumns {
  /** `"name":"` of each column, one behind the other. */
  private readonly names: Buffer;
  private readonly nameStarts: Int32Array;
  private readonly forms: Uint8Array;

  constructor(table: FormatTable) {
    const names = table.columns.map((column) => Buffer.from(column ? `${JSON.stringify(column.name)}:"` : ""));
    this.names = Buffer.concat(names);
    let at = 0;
    this.nameStarts = Int32Array.from([0, ...names.map(({ length }) => (at += length))]);
    this.forms = Uint8Array.from(table.columns, (column) => (column ? form(columnType(column).kind) : Form.plain));
  }

  /** Bytes that an object of these values takes at most. `size` is that of all values. */
  room(data: Buffer, values: TupleValues, size: number): number {
    const frame = this.names.length + values.columns * 7 + 2;
    if (size <= SMALL_ROW) return frame + size * 6;
    let room = frame;
    for (let index = 0; index < values.columns; index++) {
      const length = values.lengths[index] as number;
      const start = values.starts[index] as number;
      if (length > 0) room += this.forms[index] === Form.escaped ? escapedLength(data, start, start + length) : length;
    }
    return room;
  }

  /** Appends the object of the columns marked in `take`; the room must have been made. */
  write(data: Buffer, values: TupleValues, take: Uint8Array, out: RecordBytes): void {
    const { bytes } = out;
    const { names, nameStarts, forms } = this;
    const { starts, lengths, columns } = values;
    const open = out.used;
    let to = open;
    bytes[to++] = 0x7b;
    for (let index = 0; index < columns; index++) {
      if (take[index] !== 1) continue;
      const nameStart = nameStarts[index] as number;
      const nameEnd = nameStarts[index + 1] as number;
      const length = lengths[index] as number;
      if (length === NULL) {
        to = copyBytes(bytes, to, names, nameStart, nameEnd - 1);
        to = copyBytes(bytes, to, NULL_WORD, 0, 4);
        bytes[to++] = 0x2c;
        continue;
      }
      to = copyBytes(bytes, to, names, nameStart, nameEnd);
      const start = starts[index] as number;
      const end = start + length;
      switch (forms[index]) {
        case Form.plain:
          to = copyBytes(bytes, to, data, start, end);
          bytes[to++] = 0x22;
          break;
        case Form.bool:
          to = data[start] === 0x74 ? copyBytes(bytes, to, TRUE, 0, 5) : copyBytes(bytes, to, FALSE, 0, 6);
          break;
        case Form.timestamptz:
          if (length > 3 && data[end - 3] === 0x2b && data[end - 2] === 0x30 && data[end - 1] === 0x30) {
            to = copyBytes(bytes, to, data, start, end - 3);
            bytes[to++] = 0x5a;
          } else {
            to = copyBytes(bytes, to, data, start, end);
          }
          bytes[to++] = 0x22;
          break;
        default:
          to = writeEscaped(bytes, to, data, start, end);
          bytes[to++] = 0x22;
      }
      bytes[to++] = 0x2c;
    }
    // The comma behind the last value makes way for the end.
    if (to > open + 1) to--;
    bytes[to++] = 0x7d;
    out.used = to;
  }
}

function form(kind: ValueKind): Form {
  if (kind === "bool") return Form.bool;
  if (kind === "timestamptz") return Form.timestamptz;
  return NEEDS_NO_ESCAPE.has(kind) ? Form.plain : Form.escaped;
}
