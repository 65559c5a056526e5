import { JsonColumns } from "./jsonColumns.js";
import { copyBytes, type RecordBytes, writeDecimal } from "./recordBytes.js";
import type { DdlStatement, FormatTable, RecordFormat, SourceFacts, TableEncoder } from "./recordFormat.js";
import { RowChange } from "./rowChange.js";
import { UNCHANGED } from "./tupleValues.js";

/** SharePlex's JSON as DTS writes it; docs/kafka-formats.md tells each field. */
export function shareplexJson(): RecordFormat {
  const meta = new Meta();
  return {
    table: (table) => new ShareplexTable(table, meta),
    ddl: (statement, facts, out) => writeDdl(statement, facts, out, meta),
  };
}

const DATA = Buffer.from('},"data":');
const KEY = Buffer.from(',"key":');
/** Room for what stands behind `meta`'s text and around the rows. */
const FRAME = 256;

class ShareplexTable implements TableEncoder {
  private readonly change: RowChange;
  private readonly columns: JsonColumns;
  private readonly heads: Readonly<Record<"ins" | "upd" | "del", Buffer>>;
  /** 1 for the columns that name a row: the primary key's, else the identity's. */
  private readonly naming: Uint8Array;
  private readonly key: Uint8Array;

  constructor(
    table: FormatTable,
    private readonly meta: Meta,
  ) {
    this.change = new RowChange(table);
    this.columns = new JsonColumns(table);
    const head = (op: string) => metaHead(op, `${table.schema}.${table.name}`);
    this.heads = { ins: head("ins"), upd: head("upd"), del: head("del") };
    const { primaryKey } = table;
    this.naming = Uint8Array.from(table.columns, (column) =>
      column && (primaryKey.length > 0 ? primaryKey.includes(column.name) : column.partOfKey) ? 1 : 0,
    );
    this.key = new Uint8Array(table.columns.length);
  }

  insert(data: Buffer, tuple: number, older: number, facts: SourceFacts, out: RecordBytes): void {
    const { change, columns } = this;
    change.readNew(data, tuple, older);
    this.begin(this.heads.ins, facts, out, columns.room(data, change.row, change.size));
    columns.write(data, change.row, change.present, out);
    this.end(out);
  }

  load(data: Buffer, tuple: number, facts: SourceFacts, out: RecordBytes): void {
    this.insert(data, tuple, -1, facts, out);
  }

  update(data: Buffer, older: number, tuple: number, facts: SourceFacts, out: RecordBytes): void {
    const { change, columns } = this;
    change.readUpdate(data, older, tuple);
    const room =
      columns.room(data, change.row, change.size) + columns.room(data, older < 0 ? change.row : change.old, change.size);
    this.begin(this.heads.upd, facts, out, room);
    const whole = older >= 0 && change.table.oldTuples === "wholeRow";
    // Without the whole row before, what changed is not known: all values that the change carries are given.
    columns.write(data, change.row, whole ? change.changed : change.present, out);
    out.used = copyBytes(out.bytes, out.used, KEY, 0, KEY.length);
    if (older >= 0) columns.write(data, change.old, change.inOld, out);
    else columns.write(data, change.row, this.named(), out);
    this.end(out);
  }

  delete(data: Buffer, older: number, facts: SourceFacts, out: RecordBytes): void {
    const { change, columns } = this;
    change.readOld(data, older);
    this.begin(this.heads.del, facts, out, columns.room(data, change.old, change.size));
    columns.write(data, change.old, change.inOld, out);
    this.end(out);
  }

  /** The naming columns of the new row: no old tuple was sent, so these did not change. */
  private named(): Uint8Array {
    const { key, naming, change } = this;
    for (let index = 0; index < key.length; index++) {
      key[index] = change.row.lengths[index] === UNCHANGED ? 0 : (naming[index] as number);
    }
    return key;
  }

  private begin(head: Buffer, facts: SourceFacts, out: RecordBytes, room: number): void {
    out.reserve(head.length + room + FRAME);
    out.used = copyBytes(out.bytes, out.used, head, 0, head.length);
    this.meta.write(facts, out);
    out.used = copyBytes(out.bytes, out.used, DATA, 0, DATA.length);
  }

  private end(out: RecordBytes): void {
    out.bytes[out.used++] = 0x7d;
  }
}

function writeDdl(statement: DdlStatement, facts: SourceFacts, out: RecordBytes, meta: Meta): void {
  const { schema, table, sql, truncates } = statement;
  const name = schema === undefined ? "" : table === undefined ? schema : `${schema}.${table}`;
  const head = metaHead(truncates ? "truncate" : "ddl", name);
  const tail = Buffer.from(`},"ddl":${JSON.stringify(sql)}}`);
  out.reserve(head.length + tail.length + FRAME);
  out.used = copyBytes(out.bytes, out.used, head, 0, head.length);
  meta.write(facts, out);
  out.used = copyBytes(out.bytes, out.used, tail, 0, tail.length);
}

/** PostgreSQL's log has neither the user nor the row's place: the fields are there, with 0 and no text. */
function metaHead(op: string, table: string): Buffer {
  return Buffer.from(`{"meta":{"op":"${op}","table":${JSON.stringify(table)},"userid":0,"rowid":""`);
}

const SEQ = Buffer.from(',"seq":');
const SIZE = Buffer.from(',"size":');
const IDX = Buffer.from(',"idx":"');

/** The changing part of `meta`, whose texts are kept as long as their values stay the same. */
class Meta {
  private times = Buffer.alloc(0);
  private commitTimeMs = Number.NaN;
  private nowMs = Number.NaN;
  private position: bigint | undefined;
  private transactionId: number | undefined;

  /** Takes at most 200 bytes, which must be free. */
  write(facts: SourceFacts, out: RecordBytes): void {
    if (
      facts.nowMs !== this.nowMs ||
      facts.commitTimeMs !== this.commitTimeMs ||
      facts.commitPosition !== this.position ||
      facts.transactionId !== this.transactionId
    ) {
      this.renew(facts);
    }
    const { bytes } = out;
    const size = facts.transactionSize ?? 0;
    let to = copyBytes(bytes, out.used, this.times, 0, this.times.length);
    to = copyBytes(bytes, to, SEQ, 0, SEQ.length);
    to = writeDecimal(bytes, to, facts.sequence);
    to = copyBytes(bytes, to, SIZE, 0, SIZE.length);
    to = writeDecimal(bytes, to, size);
    to = copyBytes(bytes, to, IDX, 0, IDX.length);
    to = writeDecimal(bytes, to, facts.sequence);
    bytes[to++] = 0x2f;
    to = writeDecimal(bytes, to, size);
    bytes[to++] = 0x22;
    out.used = to;
  }

  private renew(facts: SourceFacts): void {
    this.commitTimeMs = facts.commitTimeMs;
    this.nowMs = facts.nowMs;
    this.position = facts.commitPosition;
    this.transactionId = facts.transactionId;
    const time = seconds(facts.commitTimeMs);
    const transaction = facts.transactionId ?? "";
    this.times = Buffer.from(
      `,"time":"${time}","posttime":"${seconds(facts.nowMs)}","scn":"${facts.commitPosition}","trans":"${transaction}"`,
    );
  }
}

/** UTC without a zone, as in SharePlex's own records. */
function seconds(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19);
}
