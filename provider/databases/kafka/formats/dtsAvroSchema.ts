/**
 * The Avro schema of DTS's record, in the order and with the names that its readers have (com.alibaba.dts.formats.avro.Record). The
 * documentation and the defaults of that schema are left out: neither is part of what goes over the wire.
 */
const NAMESPACE = "com.alibaba.dts.formats.avro";

type Schema = string | { readonly [key: string]: unknown } | readonly Schema[];

const optional = (type: Schema): Schema => ["null", type];
const field = (name: string, type: Schema, defaultValue?: unknown) =>
  defaultValue === undefined ? { name, type } : { name, type, default: defaultValue };
const record = (name: string, fields: readonly object[]): Schema => ({ type: "record", namespace: NAMESPACE, name, fields });
const enumeration = (name: string, symbols: readonly string[]): Schema => ({ type: "enum", namespace: NAMESPACE, name, symbols });

const DATE_TIME = record(
  "DateTime",
  ["year", "month", "day", "hour", "minute", "second", "millis"].map((name) => field(name, optional("int"), null)),
);

/** Branches of a value, in the union's order: `Branch` in dtsAvroValues.ts counts on it. */
const VALUE: readonly Schema[] = [
  "null",
  record("Integer", [field("precision", "int"), field("value", "string")]),
  record("Character", [field("charset", "string"), field("value", "bytes")]),
  record("Decimal", [field("value", "string"), field("precision", "int"), field("scale", "int")]),
  record("Float", [field("value", "double"), field("precision", "int"), field("scale", "int")]),
  record("Timestamp", [field("timestamp", "long"), field("millis", "int")]),
  DATE_TIME,
  record("TimestampWithTimeZone", [field("value", `${NAMESPACE}.DateTime`), field("timezone", "string")]),
  record("BinaryGeometry", [field("type", "string"), field("value", "bytes")]),
  record("TextGeometry", [field("type", "string"), field("value", "string")]),
  record("BinaryObject", [field("type", "string"), field("value", "bytes")]),
  record("TextObject", [field("type", "string"), field("value", "string")]),
  enumeration("EmptyObject", ["NULL", "NONE"]),
];

/** Once a type is defined, it is named. */
const VALUE_BY_NAME = VALUE.map((type) =>
  typeof type === "object" && "name" in type ? `${NAMESPACE}.${String(type.name)}` : (type as string),
);

export const SOURCE_TYPES = [
  "MySQL",
  "Oracle",
  "SQLServer",
  "PostgreSQL",
  "MongoDB",
  "Redis",
  "DB2",
  "PPAS",
  "DRDS",
  "HBASE",
  "HDFS",
  "FILE",
  "OTHER",
] as const;

export const OPERATIONS = [
  "INSERT",
  "UPDATE",
  "DELETE",
  "DDL",
  "BEGIN",
  "COMMIT",
  "ROLLBACK",
  "ABORT",
  "HEARTBEAT",
  "CHECKPOINT",
  "COMMAND",
  "FILL",
  "FINISH",
  "CONTROL",
  "RDB",
  "NOOP",
  "INIT",
] as const;

/** As JSON text, for a Schema Registry or a reader: one record with everything it uses defined inside. */
export const DTS_RECORD_SCHEMA = JSON.stringify(
  record("Record", [
    field("version", "int"),
    field("id", "long"),
    field("sourceTimestamp", "long"),
    field("sourcePosition", "string"),
    field("safeSourcePosition", "string", ""),
    field("sourceTxid", "string", ""),
    field("source", record("Source", [field("sourceType", enumeration("SourceType", SOURCE_TYPES)), field("version", "string")])),
    field("operation", enumeration("Operation", OPERATIONS)),
    field("objectName", optional("string"), null),
    field("processTimestamps", optional({ type: "array", items: "long" }), null),
    field("tags", { type: "map", values: "string" }, {}),
    field(
      "fields",
      ["null", "string", { type: "array", items: record("Field", [field("name", "string"), field("dataTypeNumber", "int")]) }],
      null,
    ),
    field("beforeImages", ["null", "string", { type: "array", items: VALUE }], null),
    field("afterImages", ["null", "string", { type: "array", items: VALUE_BY_NAME }], null),
    field("bornTimestamp", "long", 0),
  ]),
);
