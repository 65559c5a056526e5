import type { Cursor } from "../read/cursor.js";
import type { Expression } from "../read/expression.js";
import { readExpression } from "../read/readExpression.js";
import type { Environment } from "../write/environment.js";
import { fitName, quoteName, quoteNames } from "../write/names.js";
import { writeSql } from "../write/writeExpression.js";

export interface Partition {
  readonly name?: string;
  /** Bounds of VALUES LESS THAN or VALUES; "max" for MAXVALUE, "default" for DEFAULT. */
  readonly values: readonly (Expression | "max" | "default")[];
  /** VALUES LESS THAN: the values are an upper bound. */
  readonly below: boolean;
  readonly sub: readonly Partition[];
  readonly subCount?: number;
}

export interface Partitioning {
  readonly method: "RANGE" | "LIST" | "HASH" | "REFERENCE" | "SYSTEM" | "CONSISTENT HASH";
  readonly columns: readonly string[];
  readonly interval: boolean;
  readonly partitions: readonly Partition[];
  /** PARTITIONS n. */
  readonly count?: number;
  readonly sub?: Partitioning;
}

/** PARTITION BY ... with its subpartitions. */
export function readPartitioning(cursor: Cursor): Partitioning {
  cursor.next();
  cursor.expect("BY");
  return readMethod(cursor);
}

function readMethod(cursor: Cursor, isSub = false): Partitioning {
  const word = cursor.accept("CONSISTENT") ? "CONSISTENT HASH" : cursor.peek().text;
  if (word === "CONSISTENT HASH") cursor.accept("HASH");
  else cursor.next();
  const method = word as Partitioning["method"];
  if (!["RANGE", "LIST", "HASH", "REFERENCE", "SYSTEM", "CONSISTENT HASH"].includes(method))
    cursor.fail("expected RANGE, LIST or HASH");
  const columns = cursor.at("(") && method !== "SYSTEM" ? cursor.listed(() => cursor.name()) : [];
  let interval = false;
  let count: number | undefined;
  let sub: Partitioning | undefined;
  for (;;) {
    if (cursor.accept("INTERVAL")) {
      cursor.bracketed();
      interval = true;
    } else if (cursor.accept("AUTOMATIC")) interval = true;
    else if (cursor.accept("STORE", "IN")) cursor.bracketed();
    else if (!isSub && cursor.accept("SUBPARTITION", "BY")) sub = readMethod(cursor, true);
    else if (isSub && cursor.accept("SUBPARTITION", "TEMPLATE"))
      return finish(cursor, method, columns, interval, count, sub, isSub);
    else if (cursor.acceptAny(isSub ? "SUBPARTITIONS" : "PARTITIONS")) count = Number(cursor.next().value);
    else if (cursor.accept("TABLESPACE") || cursor.accept("OVERFLOW")) cursor.skip();
    else break;
  }
  return finish(cursor, method, columns, interval, count, sub, isSub);
}

function finish(
  cursor: Cursor,
  method: Partitioning["method"],
  columns: string[],
  interval: boolean,
  count: number | undefined,
  sub: Partitioning | undefined,
  isSub: boolean,
): Partitioning {
  const word = isSub ? "SUBPARTITION" : "PARTITION";
  const partitions = cursor.at("(", word) ? cursor.listed(() => readPartition(cursor, word)) : [];
  const references = method === "REFERENCE" || method === "SYSTEM";
  return {
    method,
    columns: references ? [] : columns,
    interval,
    partitions,
    ...(count === undefined ? {} : { count }),
    ...(sub ? { sub } : {}),
  };
}

/** A partition with its bounds and subpartitions; its storage is stepped over. */
export function readPartition(cursor: Cursor, word: "PARTITION" | "SUBPARTITION"): Partition {
  cursor.expect(word);
  const name = cursor.atName() && !cursor.atAny("VALUES", "TABLESPACE") ? cursor.name() : undefined;
  let values: Partition["values"] = [];
  let below = false;
  if (cursor.accept("VALUES")) {
    below = cursor.accept("LESS", "THAN");
    values = cursor.listed(() => readBound(cursor));
  }
  let sub: Partition[] = [];
  let subCount: number | undefined;
  while (!cursor.done && !cursor.atAny(",", ")")) {
    if (cursor.at("(", "SUBPARTITION")) sub = cursor.listed(() => readPartition(cursor, "SUBPARTITION"));
    else if (cursor.accept("SUBPARTITIONS")) subCount = Number(cursor.next().value);
    else cursor.skip();
  }
  return { ...(name === undefined ? {} : { name }), values, below, sub, ...(subCount === undefined ? {} : { subCount }) };
}

function readBound(cursor: Cursor): Expression | "max" | "default" {
  if (cursor.accept("MAXVALUE")) return "max";
  if (cursor.accept("(", "MAXVALUE", ")")) return "max";
  if (cursor.accept("DEFAULT")) return "default";
  return readExpression(cursor);
}

/** The PARTITION BY clause and the statements that create the partitions. */
export function writePartitions(
  table: readonly string[],
  partitioning: Partitioning,
  env: Environment,
): { clause: string; statements: string[] } {
  const statements = writeLevel(table, table.at(-1) ?? "", partitioning, undefined, env);
  if (partitioning.interval)
    env.output.warn("PostgreSQL makes no partitions by itself: rows beyond the given ones go to a default partition", 0);
  return { clause: clauseOf(partitioning), statements };
}

function clauseOf({ method, columns }: Partitioning): string {
  return `PARTITION BY ${method === "CONSISTENT HASH" ? "HASH" : method} (${columns.map(quoteName).join(", ")})`;
}

function writeLevel(
  table: readonly string[],
  parent: string,
  partitioning: Partitioning,
  of: Partition | undefined,
  env: Environment,
): string[] {
  const schema = table.slice(0, -1);
  const given = of && of.sub.length > 0 ? of.sub : partitioning.partitions;
  const count = of?.subCount ?? partitioning.count ?? 1;
  const partitions: readonly Partition[] =
    given.length > 0
      ? given
      : Array.from({ length: partitioning.method.endsWith("HASH") ? count : 0 }, () => ({ values: [], below: false, sub: [] }));
  const statements: string[] = [];
  let previous: string | undefined;
  let hasDefault = false;
  const sub = of ? undefined : partitioning.sub;
  for (const [index, partition] of partitions.entries()) {
    const name = fitName(`${parent}_${partition.name ?? `p${index + 1}`}`);
    const [bound, upper] = writeBounds(partitioning, partition, index, partitions.length, previous, env);
    previous = upper;
    hasDefault ||= bound === "DEFAULT";
    statements.push(
      `CREATE TABLE ${quoteNames([...schema, name])} PARTITION OF ${quoteNames([...schema, parent])} ${bound}${sub ? ` ${clauseOf(sub)}` : ""}`,
    );
    if (sub) statements.push(...writeLevel(table, name, sub, partition, env));
  }
  const open =
    partitions.length === 0 ||
    partitioning.interval ||
    (partitioning.method === "LIST" && of !== undefined && given.length === 0);
  if (open && !hasDefault && !partitioning.method.endsWith("HASH")) {
    statements.push(
      `CREATE TABLE ${quoteNames([...schema, fitName(`${parent}_default`)])} PARTITION OF ${quoteNames([...schema, parent])} DEFAULT`,
    );
  }
  return statements;
}

function writeBounds(
  partitioning: Partitioning,
  partition: Partition,
  index: number,
  total: number,
  previous: string | undefined,
  env: Environment,
): [string, string | undefined] {
  const values = partition.values.map((value) =>
    typeof value === "string" ? value : writeSql(value, { ...env, place: "definition" }),
  );
  if (partitioning.method.endsWith("HASH")) return [`FOR VALUES WITH (MODULUS ${total}, REMAINDER ${index})`, undefined];
  if (partitioning.method === "LIST")
    return values.includes("default") ? ["DEFAULT", undefined] : [`FOR VALUES IN (${values.join(", ")})`, undefined];
  const upper = `(${values.map((value) => (value === "max" ? "MAXVALUE" : value)).join(", ")})`;
  const lower = previous ?? `(${partitioning.columns.map(() => "MINVALUE").join(", ")})`;
  return [`FOR VALUES FROM ${lower} TO ${upper}`, upper];
}
