import type { Client } from "pg";
import type { PlannedTable, PrecheckItem } from "../../../engine/models/plan.js";
import { listed, precheckItem } from "../../postgres/precheck/precheckItem.js";
import { ident, qualified } from "../../postgres/sql.js";
import type { TopicDescription } from "../client/clusterAdmin.js";
import { DEFAULT_MAX_MESSAGE_BYTES } from "./sureBytes.js";
import type { TaskTopic } from "./topicPlan.js";

/** Rows looked at in each table that has values out of line; only those can be as large as a message. */
const SAMPLED_ROWS = 2000;
const MOST_TABLES = 100;

/**
 * Compares the widest row of a sample with what its topic takes. The sizes come from the rows' own headers: values that lie out of line are not read
 * (octet_length of text and bytea, pg_column_size of what else there is, which is its compressed size).
 */
export async function rowSizeChecks(
  client: Client,
  topics: readonly TaskTopic[],
  existing: readonly TopicDescription[],
): Promise<PrecheckItem[]> {
  const limits = new Map(existing.map(({ name, maxMessageBytes }) => [name, maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES]));
  const limitOf = new Map(
    topics.flatMap(({ name, tables }) => tables.map(({ id }) => [id, limits.get(name) ?? DEFAULT_MAX_MESSAGE_BYTES] as const)),
  );
  const topicOf = new Map(topics.flatMap(({ name, tables }) => tables.map(({ id }) => [id, name] as const)));
  const wide: string[] = [];
  let remedy = "";
  for (const table of await withLargeValues(
    client,
    topics.flatMap(({ tables }) => tables),
  )) {
    const bytes = await widestRow(client, table);
    if (bytes <= (limitOf.get(table.id) ?? DEFAULT_MAX_MESSAGE_BYTES)) continue;
    wide.push(`${table.source.schema}.${table.source.name} (${bytes} bytes in topic "${topicOf.get(table.id)}")`);
    remedy ||= `kafka-configs.sh --alter --topic ${topicOf.get(table.id)} --add-config max.message.bytes=${bytes * 2}`;
  }
  return [
    precheckItem({
      item: "targetMessageSize",
      severity: "warning",
      passed: wide.length === 0,
      message:
        wide.length === 0
          ? "no sampled row is larger than its topic takes"
          : `rows larger than their topics take, unless they compress well: ${listed(wide)}`,
      remedy,
    }),
  ];
}

async function withLargeValues(client: Client, tables: readonly PlannedTable[]): Promise<PlannedTable[]> {
  const { rows } = await client.query<{ id: string }>(
    `SELECT c.oid::pg_catalog.int8::text AS id
       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid
      WHERE c.oid = ANY ($1::pg_catalog.int8[]::pg_catalog.oid[]) AND pg_catalog.pg_relation_size(t.oid) > 0
        AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
      ORDER BY pg_catalog.pg_relation_size(t.oid) DESC LIMIT ${MOST_TABLES}`,
    [tables.map(({ id }) => id)],
  );
  const found = new Set(rows.map(({ id }) => Number(id)));
  return tables.filter(({ id }) => found.has(id));
}

/** Text grows by its quotes and escapes; bytea is written as hexadecimal digits. */
async function widestRow(client: Client, table: PlannedTable): Promise<number> {
  // Of what expressions make nothing is sampled: those are short, as a rule, and one that fails would fail the plan.
  const own = table.columns.filter(({ value }) => !value);
  const sizes = own.map(({ source, type }) => {
    const name = ident(source);
    if (/^(text|character varying|character)\b/.test(type)) return `coalesce(pg_catalog.octet_length(${name}::text), 0)`;
    if (type === "bytea") return `coalesce(pg_catalog.octet_length(${name}) * 2, 0)`;
    return `coalesce(pg_catalog.pg_column_size(${name}), 0)`;
  });
  const { rows } = await client.query<{ bytes: string | null }>(
    `SELECT max(s.bytes)::text AS bytes
       FROM (SELECT ${sizes.join(" + ") || "0"} AS bytes FROM ONLY ${qualified(table.source)} LIMIT ${SAMPLED_ROWS}) s`,
  );
  return Number(rows[0]?.bytes ?? 0);
}
