import { type ColumnType, columnType, type ValueKind } from "./columnTypes.js";
import { JsonColumns } from "./jsonColumns.js";
import { copyBytes, type RecordBytes, writeDecimal } from "./recordBytes.js";
import type { DdlStatement, FormatTable, RecordFormat, SourceFacts, TableEncoder } from "./recordFormat.js";
import { RowChange } from "./rowChange.js";

export interface CanalJsonOptions {
  /**
   * The type of the full load's rows. DTS writes INIT; Flink's canal-json reader refuses a type it does not know (or passes over
   * it when told to ignore errors) and takes the rows as INSERT.
   */
  readonly loadType?: "INIT" | "INSERT";
}

/** Canal's flat messages as DTS writes them; docs/kafka-formats.md tells each field. */
export function canalJson({ loadType = "INIT" }: CanalJsonOptions = {}): RecordFormat {
  return { table: (table) => new CanalJsonTable(table, loadType), ddl: writeDdl };
}

const DATA = Buffer.from(',"data":[');
const OLD = Buffer.from('],"old":[');
const END = Buffer.from("]}");
const NO_OLD = Buffer.from('],"old":null}');
const NUMBERS = { es: Buffer.from(',"es":'), ts: Buffer.from(',"ts":'), id: Buffer.from(',"id":') };
/** Room for the numbers, the names of the last fields and the brackets. */
const FRAME = 128;

class CanalJsonTable implements TableEncoder {
  private readonly change: RowChange;
  private readonly columns: JsonColumns;
  /** The record up to what changes from one to the next, by its type. */
  private readonly heads: Readonly<Record<"INSERT" | "UPDATE" | "DELETE" | "LOAD", Buffer>>;

  constructor(table: FormatTable, loadType: string) {
    this.change = new RowChange(table);
    this.columns = new JsonColumns(table);
    const head = (type: string) => Buffer.from(tableHead(table, type));
    this.heads = { INSERT: head("INSERT"), UPDATE: head("UPDATE"), DELETE: head("DELETE"), LOAD: head(loadType) };
  }

  insert(data: Buffer, tuple: number, older: number, facts: SourceFacts, out: RecordBytes): void {
    this.change.readNew(data, tuple, older);
    this.writeRow(this.heads.INSERT, data, facts, out);
  }

  load(data: Buffer, tuple: number, facts: SourceFacts, out: RecordBytes): void {
    this.change.readNew(data, tuple, -1);
    this.writeRow(this.heads.LOAD, data, facts, out);
  }

  update(data: Buffer, older: number, tuple: number, facts: SourceFacts, out: RecordBytes): void {
    const { change, columns } = this;
    change.readUpdate(data, older, tuple);
    const room = columns.room(data, change.row, change.size) + (older < 0 ? 2 : columns.room(data, change.old, change.size));
    writeHead(this.heads.UPDATE, facts, out, room);
    columns.write(data, change.row, change.present, out);
    // Readers take what `old` leaves out for unchanged, and need an object for each row: an empty one where nothing is known.
    out.used = copyBytes(out.bytes, out.used, OLD, 0, OLD.length);
    columns.write(data, change.old, change.changed, out);
    out.used = copyBytes(out.bytes, out.used, END, 0, END.length);
  }

  delete(data: Buffer, older: number, facts: SourceFacts, out: RecordBytes): void {
    const { change, columns } = this;
    change.readOld(data, older);
    writeHead(this.heads.DELETE, facts, out, columns.room(data, change.old, change.size));
    columns.write(data, change.old, change.inOld, out);
    out.used = copyBytes(out.bytes, out.used, NO_OLD, 0, NO_OLD.length);
  }

  private writeRow(head: Buffer, data: Buffer, facts: SourceFacts, out: RecordBytes): void {
    const { change, columns } = this;
    writeHead(head, facts, out, columns.room(data, change.row, change.size));
    columns.write(data, change.row, change.present, out);
    out.used = copyBytes(out.bytes, out.used, NO_OLD, 0, NO_OLD.length);
  }
}

/** Makes room for the whole record and writes it up to the bracket of `data`. */
function writeHead(head: Buffer, facts: SourceFacts, out: RecordBytes, room: number): void {
  out.reserve(head.length + room + FRAME);
  const { bytes } = out;
  let to = copyBytes(bytes, out.used, head, 0, head.length);
  to = writeNumbers(bytes, to, facts);
  out.used = copyBytes(bytes, to, DATA, 0, DATA.length);
}

function writeNumbers(bytes: Buffer, at: number, facts: SourceFacts): number {
  let to = copyBytes(bytes, at, NUMBERS.es, 0, NUMBERS.es.length);
  to = writeDecimal(bytes, to, Math.floor(facts.commitTimeMs));
  to = copyBytes(bytes, to, NUMBERS.ts, 0, NUMBERS.ts.length);
  to = writeDecimal(bytes, to, Math.floor(facts.nowMs));
  to = copyBytes(bytes, to, NUMBERS.id, 0, NUMBERS.id.length);
  return writeDecimal(bytes, to, facts.recordId);
}

function tableHead(table: FormatTable, type: string): string {
  const types = table.columns.flatMap((column) => (column ? [{ name: column.name, type: canalType(columnType(column)) }] : []));
  return JSON.stringify({
    database: table.database,
    schema: table.schema,
    table: table.name,
    type,
    isDdl: false,
    pkNames: table.primaryKey.length > 0 ? table.primaryKey : null,
    mysqlType: Object.fromEntries(types.map(({ name, type: { mysql } }) => [name, mysql])),
    sqlType: Object.fromEntries(types.map(({ name, type: { jdbc } }) => [name, jdbc])),
    sql: "",
    gtid: "",
  }).slice(0, -1);
}

function writeDdl(statement: DdlStatement, facts: SourceFacts, out: RecordBytes): void {
  const head = Buffer.from(
    JSON.stringify({
      database: statement.database,
      schema: statement.schema ?? "",
      table: statement.table ?? "",
      type: "DDL",
      isDdl: true,
      sql: statement.sql,
    }).slice(0, -1),
  );
  out.reserve(head.length + FRAME);
  let to = copyBytes(out.bytes, out.used, head, 0, head.length);
  to = writeNumbers(out.bytes, to, facts);
  out.bytes[to++] = 0x7d;
  out.used = to;
}

interface CanalType {
  /** MySQL's nearest type without a length: readers that make tables from canal's records know no other names. */
  readonly mysql: string;
  /** java.sql.Types, as canal gives them for that type. */
  readonly jdbc: number;
}

const VARCHAR: CanalType = { mysql: "varchar", jdbc: 12 };
const TEXT: CanalType = { mysql: "text", jdbc: 2005 };
const CANAL_TYPES: Readonly<Record<ValueKind, CanalType>> = {
  int2: { mysql: "smallint", jdbc: 5 },
  int4: { mysql: "int", jdbc: 4 },
  int8: { mysql: "bigint", jdbc: -5 },
  numeric: { mysql: "decimal", jdbc: 3 },
  float4: { mysql: "float", jdbc: 7 },
  float8: { mysql: "double", jdbc: 8 },
  text: TEXT,
  char: { mysql: "char", jdbc: 1 },
  varchar: VARCHAR,
  bool: { mysql: "boolean", jdbc: 16 },
  bytea: { mysql: "blob", jdbc: 2004 },
  json: { mysql: "json", jdbc: 12 },
  jsonb: { mysql: "json", jdbc: 12 },
  xml: TEXT,
  uuid: VARCHAR,
  date: { mysql: "date", jdbc: 91 },
  time: { mysql: "time", jdbc: 92 },
  timetz: VARCHAR,
  timestamp: { mysql: "datetime", jdbc: 93 },
  timestamptz: { mysql: "timestamp", jdbc: 93 },
  userText: TEXT,
  other: TEXT,
};

function canalType({ kind }: ColumnType): CanalType {
  return CANAL_TYPES[kind];
}
