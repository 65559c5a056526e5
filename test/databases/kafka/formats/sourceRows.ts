import type { Client } from "pg";
import { type BaseType, readBaseTypes } from "../../../../provider/databases/kafka/formats/columnTypes.js";
import { CopyTextRows } from "../../../../provider/databases/kafka/formats/copyText.js";
import type { FormatTable } from "../../../../provider/databases/kafka/formats/recordFormat.js";
import type { PostgresEndpoint } from "../../../../provider/databases/postgres/connection.js";
import { copyOut } from "../../../../provider/databases/postgres/copy/copyOut.js";
import { decodeMessage } from "../../../../provider/databases/postgres/replication/pgoutput.js";
import type { ChangeSink, StreamedTable } from "../../../../provider/engine/models/change.js";

/** A table of a real server as the formats see it. `oldTuples` is what its replica identity brings. */
export async function describeTable(client: Client, schema: string, name: string): Promise<FormatTable> {
  const { rows } = await client.query<{ name: string; oid: string; type: string; key: boolean; whole: boolean }>(
    `SELECT a.attname::text AS name, a.atttypid::int8::text AS oid, format_type(a.atttypid, a.atttypmod) AS type,
            c.relreplident = 'f' AS whole, a.attnum = ANY (i.indkey) IS TRUE AS key
       FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
      WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    [schema, name],
  );
  const bases: ReadonlyMap<number, BaseType> = await readBaseTypes(
    client,
    rows.map(({ oid }) => Number(oid)),
  );
  return {
    database: "postgres",
    schema,
    name,
    columns: rows.map((row) => {
      const typeId = Number(row.oid);
      const baseType = bases.get(typeId);
      return { name: row.name, typeId, type: row.type, partOfKey: row.key || row.whole, ...(baseType ? { baseType } : {}) };
    }),
    primaryKey: rows.filter(({ key }) => key).map((row) => row.name),
    uniqueKeys: [],
    oldTuples: rows[0]?.whole ? "wholeRow" : "identity",
  };
}

/** Every row of a table as a packed tuple, by a real copy in text format, in the order of its key. */
export async function copiedRows(client: Client, endpoint: PostgresEndpoint, table: FormatTable): Promise<Buffer[]> {
  const tuples: Buffer[] = [];
  const rows = new CopyTextRows(
    table.columns.length,
    (data, tuple, end) => tuples.push(Buffer.from(data.subarray(tuple, end))),
    table.name,
  );
  const sql = `COPY (SELECT * FROM ${table.schema}.${table.name} ORDER BY 1) TO STDOUT (FORMAT text)`;
  await copyOut(client, endpoint, sql, {
    write: (frames) => {
      rows.push(frames);
      return undefined;
    },
  });
  return tuples;
}

/** A change as the stream brought it, with a copy of its bytes. */
export interface Change {
  readonly kind: "insert" | "update" | "delete";
  readonly table: StreamedTable;
  readonly data: Buffer;
  readonly older: number;
  readonly tuple: number;
}

/** Takes what a slot of pgoutput has, for a publication. */
export async function streamedChanges(client: Client, slot: string, publication: string): Promise<Change[]> {
  const { rows } = await client.query<{ data: Buffer }>(
    `SELECT data FROM pg_catalog.pg_logical_slot_get_binary_changes($1, NULL, NULL, 'proto_version', '1', 'publication_names', $2)`,
    [slot, publication],
  );
  const tables = new Map<number, StreamedTable>();
  const changes: Change[] = [];
  const add = (kind: Change["kind"], id: number, data: Buffer, older: number, tuple: number) => {
    const table = tables.get(id);
    if (!table) throw new Error(`a change of a table that was not described: ${id}`);
    changes.push({ kind, table, data: Buffer.from(data), older, tuple });
  };
  const sink: ChangeSink = {
    table: (table) => tables.set(table.id, table),
    begin: () => undefined,
    insert: (id, data, tuple) => add("insert", id, data, -1, tuple),
    update: (id, data, older, tuple) => add("update", id, data, older, tuple),
    delete: (id, data, older) => add("delete", id, data, older, -1),
    truncate: () => undefined,
    commit: () => undefined,
    idle: () => undefined,
    lull: () => undefined,
    full: () => undefined,
  };
  for (const { data } of rows) decodeMessage(data, 0, data.length, sink);
  return changes;
}
