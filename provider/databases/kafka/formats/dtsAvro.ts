import { formatLsn } from "../../postgres/lsn.js";
import { javaHash } from "../javaHash.js";
import { encodedLong, encodedMap, encodedString, writeLong } from "./avroBytes.js";
import { columnType } from "./columnTypes.js";
import { OPERATIONS, SOURCE_TYPES } from "./dtsAvroSchema.js";
import { NO_VALUE, NULL_VALUE, VALUE_FRAME, valueWriter, type WriteValue } from "./dtsAvroValues.js";
import { copyBytes, type RecordBytes } from "./recordBytes.js";
import type { DdlStatement, FormatColumn, FormatTable, RecordFormat, SourceFacts, TableEncoder } from "./recordFormat.js";
import { RowChange } from "./rowChange.js";
import { NULL, type TupleValues, UNCHANGED } from "./tupleValues.js";

export interface DtsAvroOptions {
  /** The source server's version, such as "17.5". */
  readonly serverVersion: string;
  /**
   * PostgreSQL also for PolarDB O: DTS's readers take the fraction of a second for microseconds, and know bool and jsonb, only of this
   * one; of PPAS they read nanoseconds.
   */
  readonly sourceType?: (typeof SOURCE_TYPES)[number];
  /** With a Schema Registry: the id it gave DTS_RECORD_SCHEMA. Each record then begins with a zero byte and the id (4 bytes, big endian). */
  readonly schemaId?: number;
  /**
   * The operation of the full load's rows. INSERT unless told otherwise: the schema has INIT for them, but the client that DTS publishes
   * (dts-new-subscribe-sdk 2.0.0) reads it as UNKNOWN.
   */
  readonly loadOperation?: "INIT" | "INSERT";
}

type Operation = (typeof OPERATIONS)[number];

/** DTS's Avro records; docs/kafka-formats.md tells each field. */
export function dtsAvro(options: DtsAvroOptions): RecordFormat {
  const head = new RecordHead(options);
  const load = options.loadOperation ?? "INSERT";
  return {
    table: (table) => new DtsAvroTable(table, head, load),
    ddl: (statement, facts, out) => writeDdl(statement, facts, out, head),
  };
}

const NO_IMAGE = encodedLong(0);
const TEXT_IMAGE = encodedLong(1);
const ROW_IMAGE = encodedLong(2);
/** An array is blocks of values, each behind its count, up to a block of none. */
const LAST_BLOCK = encodedLong(0);

class DtsAvroTable implements TableEncoder {
  private readonly change: RowChange;
  private readonly writers: readonly (WriteValue | undefined)[];
  /** Beginning of a row image: its branch, and the array's count of values. */
  private readonly opening: Buffer;
  private readonly middles: Readonly<Record<"INSERT" | "UPDATE" | "DELETE" | "LOAD", Buffer>>;

  constructor(
    table: FormatTable,
    private readonly head: RecordHead,
    loadOperation: Operation,
  ) {
    this.change = new RowChange(table);
    this.writers = table.columns.map((column) => column && valueWriter(columnType(column)));
    const columns = table.columns.filter((column): column is FormatColumn => column !== undefined);
    this.opening = columns.length > 0 ? Buffer.concat([ROW_IMAGE, encodedLong(columns.length)]) : ROW_IMAGE;
    const middle = (operation: Operation) => tableMiddle(table, columns, operation);
    this.middles = {
      INSERT: middle("INSERT"),
      UPDATE: middle("UPDATE"),
      DELETE: middle("DELETE"),
      LOAD: middle(loadOperation),
    };
  }

  insert(data: Buffer, tuple: number, older: number, facts: SourceFacts, out: RecordBytes): void {
    this.change.readNew(data, tuple, older);
    this.writeNew(this.middles.INSERT, data, facts, out);
  }

  load(data: Buffer, tuple: number, facts: SourceFacts, out: RecordBytes): void {
    this.change.readNew(data, tuple, -1);
    this.writeNew(this.middles.LOAD, data, facts, out);
  }

  update(data: Buffer, older: number, tuple: number, facts: SourceFacts, out: RecordBytes): void {
    const { change } = this;
    change.readNew(data, tuple, older);
    this.begin(this.middles.UPDATE, facts, out);
    let to = out.used;
    to = older < 0 ? copyBytes(out.bytes, to, NO_IMAGE, 0, 1) : this.image(out.bytes, to, data, change.old, change.inOld);
    to = this.image(out.bytes, to, data, change.row, change.taken);
    this.end(to, facts, out);
  }

  delete(data: Buffer, older: number, facts: SourceFacts, out: RecordBytes): void {
    const { change } = this;
    change.readOld(data, older);
    this.begin(this.middles.DELETE, facts, out);
    const to = this.image(out.bytes, out.used, data, change.old, change.inOld);
    this.end(copyBytes(out.bytes, to, NO_IMAGE, 0, 1), facts, out);
  }

  private writeNew(middle: Buffer, data: Buffer, facts: SourceFacts, out: RecordBytes): void {
    const { change } = this;
    this.begin(middle, facts, out);
    const to = copyBytes(out.bytes, out.used, NO_IMAGE, 0, 1);
    this.end(this.image(out.bytes, to, data, change.row, change.taken), facts, out);
  }

  /** Makes room for the whole record and writes it up to its images. */
  private begin(middle: Buffer, facts: SourceFacts, out: RecordBytes): void {
    const { change } = this;
    out.reserve(HEAD_ROOM + middle.length + change.size + this.writers.length * 2 * VALUE_FRAME);
    this.head.write(facts, out);
    out.used = copyBytes(out.bytes, out.used, middle, 0, middle.length);
  }

  private end(to: number, facts: SourceFacts, out: RecordBytes): void {
    out.used = writeLong(out.bytes, to, Math.floor(facts.commitTimeMs));
  }

  /** A value of a column that `known` does not mark was not sent. */
  private image(bytes: Buffer, at: number, data: Buffer, values: TupleValues, known: Uint8Array): number {
    const { writers, opening } = this;
    let to = copyBytes(bytes, at, opening, 0, opening.length);
    for (let index = 0; index < writers.length; index++) {
      const writer = writers[index];
      if (!writer) continue;
      const length = values.lengths[index] as number;
      if (known[index] !== 1 || length === UNCHANGED) {
        to = copyBytes(bytes, to, NO_VALUE, 0, NO_VALUE.length);
      } else if (length === NULL) {
        to = copyBytes(bytes, to, NULL_VALUE, 0, 1);
      } else {
        const start = values.starts[index] as number;
        to = writer(bytes, to, data, start, start + length);
      }
    }
    return copyBytes(bytes, to, LAST_BLOCK, 0, 1);
  }
}

/** From the operation to the fields. */
function tableMiddle(table: FormatTable, columns: readonly FormatColumn[], operation: Operation): Buffer {
  const described = columns.map((column) => ({ name: column.name, typeId: consumerTypeId(column) }));
  const fields = described.flatMap(({ name, typeId }) => [encodedString(name), encodedLong(typeId)]);
  // Readers keep the fields of a table by name and metaVersion: it must change with them, and be above 0.
  const structure = JSON.stringify([described, table.primaryKey, table.uniqueKeys]);
  const metaVersion = (javaHash(Buffer.from(structure)) >>> 0) + 1;
  return Buffer.concat([
    encodedLong(OPERATIONS.indexOf(operation)),
    encodedLong(1),
    encodedString(objectName([table.database, table.schema, table.name])),
    encodedLong(0), // processTimestamps
    encodedMap({ pk_uk_info: keys(table, columns), metaVersion: String(metaVersion) }),
    encodedLong(2),
    ...(fields.length > 0 ? [encodedLong(columns.length), ...fields] : []),
    encodedLong(0),
  ]);
}

/**
 * Types that users made have numbers that mean nothing elsewhere, and that readers with a table of types do not have: they are
 * given as text (25), which their values are.
 */
function consumerTypeId(column: FormatColumn): number {
  const { kind, typeId } = columnType(column);
  return kind === "userText" ? 25 : typeId;
}

/** Only keys whose columns all travel: a reader fails on one it does not find among the fields. */
function keys(table: FormatTable, columns: readonly FormatColumn[]): string {
  const names = new Set(columns.map(({ name }) => name));
  const whole = (key: readonly string[]) => key.length > 0 && key.every((column) => names.has(column));
  return JSON.stringify({
    ...(whole(table.primaryKey) ? { PRIMARY: table.primaryKey } : {}),
    ...Object.fromEntries(
      table.uniqueKeys.filter((key) => whole(key.columns) && key.name !== "PRIMARY").map(({ name, columns: of }) => [name, of]),
    ),
  });
}

/** Parts joined by dots; a dot within one is escaped. */
function objectName(parts: readonly string[]): string {
  return parts.map((part) => part.replaceAll(".", "\\u002E")).join(".");
}

function writeDdl(statement: DdlStatement, facts: SourceFacts, out: RecordBytes, head: RecordHead): void {
  const { database, schema, table, sql } = statement;
  const name = objectName([database, ...(schema === undefined ? [] : [schema]), ...(table === undefined ? [] : [table])]);
  const rest = Buffer.concat([
    encodedLong(OPERATIONS.indexOf("DDL")),
    encodedLong(1),
    encodedString(name),
    encodedLong(0), // processTimestamps
    encodedMap({}),
    encodedLong(0), // fields
    NO_IMAGE,
    TEXT_IMAGE,
    encodedString(sql),
  ]);
  out.reserve(HEAD_ROOM + rest.length);
  head.write(facts, out);
  const to = copyBytes(out.bytes, out.used, rest, 0, rest.length);
  out.used = writeLong(out.bytes, to, Math.floor(facts.commitTimeMs));
}

/** What a record's head and its last number take at most, besides the server's version. */
const HEAD_ROOM = 512;

/** The fields before the operation. */
class RecordHead {
  /** The framing, if any, and `version`. */
  private readonly prefix: Buffer;
  private readonly source: Buffer;
  /** sourcePosition, safeSourcePosition, sourceTxid and source, kept as long as the position stays the same. */
  private position = Buffer.alloc(0);
  private commitPosition: bigint | undefined;
  private transactionId: number | undefined;

  constructor({ serverVersion, sourceType = "PostgreSQL", schemaId }: DtsAvroOptions) {
    const framing = Buffer.alloc(schemaId === undefined ? 0 : 5);
    if (schemaId !== undefined) framing.writeUInt32BE(schemaId, 1);
    this.prefix = Buffer.concat([framing, encodedLong(0)]);
    // A version of any length fits the room that a head has.
    this.source = Buffer.concat([encodedLong(SOURCE_TYPES.indexOf(sourceType)), encodedString(serverVersion.slice(0, 64))]);
  }

  write(facts: SourceFacts, out: RecordBytes): void {
    if (facts.commitPosition !== this.commitPosition || facts.transactionId !== this.transactionId) this.renew(facts);
    const { bytes } = out;
    let to = copyBytes(bytes, out.used, this.prefix, 0, this.prefix.length);
    to = writeLong(bytes, to, facts.recordId);
    to = writeLong(bytes, to, Math.floor(facts.commitTimeMs / 1000));
    out.used = copyBytes(bytes, to, this.position, 0, this.position.length);
  }

  private renew({ commitPosition, transactionId }: SourceFacts): void {
    this.commitPosition = commitPosition;
    this.transactionId = transactionId;
    const position = encodedString(formatLsn(commitPosition));
    this.position = Buffer.concat([position, position, encodedString(String(transactionId ?? 0)), this.source]);
  }
}
