import { encodedLong, encodedString, writeLong } from "./avroBytes.js";
import type { ColumnType, ValueKind } from "./columnTypes.js";
import { DateTimeText } from "./dateTimeText.js";
import { copyBytes } from "./recordBytes.js";

/** The union index of each branch of a value, as Avro writes it before the value. */
const Branch = {
  null: encodedLong(0),
  integer: encodedLong(1),
  character: encodedLong(2),
  decimal: encodedLong(3),
  float: encodedLong(4),
  dateTime: encodedLong(6),
  withTimeZone: encodedLong(7),
  binaryObject: encodedLong(10),
  textObject: encodedLong(11),
  emptyObject: encodedLong(12),
} as const;

/** Bytes that a value takes at most besides its text. */
export const VALUE_FRAME = 96;

/** Writes the value's branch and the value, given as PostgreSQL's text, and returns where they end. */
export type WriteValue = (bytes: Buffer, at: number, data: Buffer, start: number, end: number) => number;

/** Which branch takes which type, and why: docs/kafka-formats.md. */
export function valueWriter(type: ColumnType): WriteValue {
  switch (type.kind) {
    case "int2":
      return integer(2);
    case "int4":
      return integer(4);
    case "int8":
      return integer(8);
    case "numeric":
      return decimal(type);
    case "float4":
      return float(24);
    case "float8":
      return float(53);
    case "text":
    case "char":
    case "varchar":
    case "userText":
      return prefixed(Branch.character, encodedString("UTF-8"));
    case "date":
    case "time":
    case "timestamp":
    case "timetz":
    case "timestamptz":
      return dateTime();
    case "bytea":
      return bytea;
    case "jsonb":
      return prefixed(Branch.binaryObject, encodedString("JSON"));
    default:
      return prefixed(Branch.textObject, encodedString(OBJECT_TYPES[type.kind] ?? "XTYPE"));
  }
}

/** SQL NULL is Avro's null; a value that the change does not tell is the object that stands for none. */
export const NULL_VALUE = Branch.null;
export const NO_VALUE = Buffer.concat([Branch.emptyObject, encodedLong(1)]);

/** Names of DTS's own enumeration of object types: its readers take any other for XTYPE, and older ones fail on it. */
const OBJECT_TYPES: Partial<Record<ValueKind, string>> = { bool: "BOOL", json: "JSON", xml: "XML", uuid: "UUID" };

const TEXT_OBJECT = prefixed(Branch.textObject, encodedString("XTYPE"));
const BYTEA_PREFIX = Buffer.concat([Branch.binaryObject, encodedString("BYTEA")]);

/** Constant bytes, then the text with its length: a string and bytes look the same in Avro. */
function prefixed(branch: Buffer, rest: Buffer): WriteValue {
  const prefix = Buffer.concat([branch, rest]);
  return (bytes, at, data, start, end) => writeText(bytes, copyBytes(bytes, at, prefix, 0, prefix.length), data, start, end);
}

function writeText(bytes: Buffer, at: number, data: Buffer, start: number, end: number): number {
  return copyBytes(bytes, writeLong(bytes, at, end - start), data, start, end);
}

/** The precision of an integer is its size in bytes, as in records that DTS wrote. */
function integer(size: number): WriteValue {
  return prefixed(Branch.integer, encodedLong(size));
}

/**
 * NaN and the infinities are text: the client that DTS publishes (dts-new-subscribe-sdk 2.0.0) makes a BigDecimal of what is in this
 * branch, and fails on the whole record.
 */
function decimal({ precision, scale }: ColumnType): WriteValue {
  const limits = precision === undefined ? undefined : Buffer.concat([encodedLong(precision), encodedLong(scale ?? 0)]);
  return (bytes, at, data, start, end) => {
    // A number ends in a digit, and no word does.
    if ((data[end - 1] as number) > 0x39) return TEXT_OBJECT(bytes, at, data, start, end);
    let to = copyBytes(bytes, at, Branch.decimal, 0, 1);
    to = writeText(bytes, to, data, start, end);
    if (limits) return copyBytes(bytes, to, limits, 0, limits.length);
    // A number without limits: what it has itself.
    let digits = 0;
    let fraction = 0;
    let inFraction = false;
    for (let index = start; index < end; index++) {
      const byte = data[index] as number;
      if (byte === 0x2e) inFraction = true;
      else if (byte >= 0x30 && byte <= 0x39) {
        digits++;
        if (inFraction) fraction++;
      }
    }
    return writeLong(bytes, writeLong(bytes, to, digits), fraction);
  };
}

/** Precision in binary digits, as PostgreSQL's information_schema has it. */
function float(precision: number): WriteValue {
  const tail = Buffer.concat([encodedLong(precision), encodedLong(0)]);
  return (bytes, at, data, start, end) => {
    const to = copyBytes(bytes, at, Branch.float, 0, 1);
    bytes.writeDoubleLE(Number(data.toString("latin1", start, end)), to);
    return copyBytes(bytes, to + 8, tail, 0, tail.length);
  };
}

function dateTime(): WriteValue {
  const parsed = new DateTimeText();
  return (bytes, at, data, start, end) => {
    if (!parsed.read(data, start, end)) return TEXT_OBJECT(bytes, at, data, start, end);
    const { zoneStart, zoneEnd } = parsed;
    if (zoneStart < 0) return writeDateTime(bytes, copyBytes(bytes, at, Branch.dateTime, 0, 1), parsed);
    let to = writeDateTime(bytes, copyBytes(bytes, at, Branch.withTimeZone, 0, 1), parsed);
    // "+08" is written as "+08:00", which Java's classes take with and without GMT in front.
    const hoursOnly = zoneEnd - zoneStart === 3;
    to = writeLong(bytes, to, 6);
    to = copyBytes(bytes, to, data, zoneStart, zoneEnd);
    return hoursOnly ? copyBytes(bytes, to, MINUTES, 0, 3) : to;
  };
}

const MINUTES = Buffer.from(":00");

function writeDateTime(bytes: Buffer, at: number, parsed: DateTimeText): number {
  let to = at;
  to = writeOptional(bytes, to, parsed.hasDate, parsed.year);
  to = writeOptional(bytes, to, parsed.hasDate, parsed.month);
  to = writeOptional(bytes, to, parsed.hasDate, parsed.day);
  to = writeOptional(bytes, to, parsed.hasTime, parsed.hour);
  to = writeOptional(bytes, to, parsed.hasTime, parsed.minute);
  to = writeOptional(bytes, to, parsed.hasTime, parsed.second);
  // The field is named millis and holds microseconds.
  return writeOptional(bytes, to, parsed.micros >= 0, parsed.micros);
}

function writeOptional(bytes: Buffer, at: number, present: boolean, value: number): number {
  if (!present) {
    bytes[at] = 0;
    return at + 1;
  }
  bytes[at] = 2;
  return writeLong(bytes, at + 1, value);
}

/** The bytes themselves, out of `\x...`; text of another form (a type that only stands for bytea) goes as it is. */
function bytea(bytes: Buffer, at: number, data: Buffer, start: number, end: number): number {
  const to = copyBytes(bytes, at, BYTEA_PREFIX, 0, BYTEA_PREFIX.length);
  if (data[start] !== 0x5c || data[start + 1] !== 0x78) return writeText(bytes, to, data, start, end);
  const length = (end - start - 2) >> 1;
  let place = writeLong(bytes, to, length);
  for (let index = start + 2; index < end; index += 2) {
    bytes[place++] = (hexDigit(data[index] as number) << 4) | hexDigit(data[index + 1] as number);
  }
  return place;
}

function hexDigit(byte: number): number {
  return byte <= 0x39 ? byte - 0x30 : byte - 0x57;
}
