import { describe, expect, it } from "vitest";
import { segmentedBatch } from "../../../provider/databases/analyticdb/apply/segmentedBatch.js";
import { type ApplyTable, applyTable } from "../../../provider/databases/postgres/apply/applyTable.js";
import type { BatchRules, Message } from "../../../provider/databases/postgres/apply/batchStatements.js";
import { KeyedBatch } from "../../../provider/databases/postgres/apply/keyedBatch.js";
import { Stages } from "../../../provider/databases/postgres/apply/stages.js";
import type { TargetColumn } from "../../../provider/databases/postgres/apply/targetTables.js";
import { WholeRowBatch } from "../../../provider/databases/postgres/apply/wholeRowBatch.js";

/**
 * Checked by hand against Greenplum's documents: CREATE TABLE (TEMPORARY ... storage, ON COMMIT, DISTRIBUTED BY last), COPY, DELETE ... USING, UPDATE ... FROM, DO,
 * and the system column gp_segment_id; "Concurrency control" for what they lock.
 */
const rules: BatchRules = { binary: true, overwrite: false, rowsMustExist: true, deletedMustExist: true };
const TYPES: Readonly<Record<string, number>> = { integer: 23, text: 25, bigint: 20 };

function table(columns: Readonly<Record<string, string>>, key: readonly string[], distributed: readonly string[]): ApplyTable {
  const names = Object.keys(columns);
  const target = (name: string): TargetColumn => ({
    type: columns[name] ?? "",
    bareType: columns[name] ?? "",
    identityAlways: false,
    typeId: TYPES[columns[name] ?? ""] ?? 0,
    equals: 'OPERATOR("pg_catalog".=)',
    distributed: distributed.includes(name),
  });
  return applyTable(
    {
      id: 1,
      schema: "s",
      name: "t",
      columns: names.map((name) => ({ name, partOfKey: key.includes(name), typeId: TYPES[columns[name] ?? ""] ?? 0 })),
      fullIdentity: key.length === 0,
    },
    {
      id: 1,
      source: { schema: "s", name: "t" },
      target: { schema: "s", name: "t" },
      columns: names.map((name, number) => ({
        source: name,
        target: name,
        number,
        type: columns[name] ?? "",
        nullable: true,
        generated: false,
        identity: undefined,
        binaryPortable: true,
      })),
      leftOut: [],
      key: { source: key.length > 0 ? "primaryKey" : "none", columns: key },
      replicaIdentity: { was: "default", needs: "keep" },
      streamed: true,
      operations: { insert: true, update: true, delete: true, truncate: true },
      estimatedRows: 0,
      bytes: 0,
    },
    { plain: true, columns: new Map(names.map((name) => [name, target(name)])) },
    true,
  );
}

/** A packed tuple: undefined is a value that was not sent. */
function tuple(...values: readonly (string | null | undefined)[]): Buffer {
  const head = Buffer.alloc(2);
  head.writeInt16BE(values.length);
  const parts = values.map((value) => {
    if (value === undefined) return Buffer.from("u");
    if (value === null) return Buffer.from("n");
    const length = Buffer.alloc(4);
    length.writeInt32BE(value.length);
    return Buffer.concat([Buffer.from("b"), length, Buffer.from(value)]);
  });
  return Buffer.concat([head, ...parts]);
}

function statements(
  of: ApplyTable,
  batch: KeyedBatch | WholeRowBatch,
  more: Partial<BatchRules> = {},
  heap = " USING heap",
): string[] {
  const message: Message = { statements: [], copies: [] };
  segmentedBatch(heap, 7)(message, of, 0, batch, new Stages(), { ...rules, ...more });
  return message.statements;
}

const sale = table({ region: "integer", id: "bigint", note: "text" }, ["region", "id"], ["region"]);
const counted = (statement: string, rows: number) =>
  `DO $godwit$
#variable_conflict use_column
DECLARE godwit_met bigint;
BEGIN
${statement};
GET DIAGNOSTICS godwit_met = ROW_COUNT;
IF godwit_met < ${rows} THEN
  RAISE EXCEPTION 'rows to change are missing' USING ERRCODE = 'GW003';
END IF;
END $godwit$`;
const KEY = 't."region" OPERATOR("pg_catalog".=) s.c0 AND t."id" OPERATOR("pg_catalog".=) s.c1';

function keyed(of: ApplyTable, change: (batch: KeyedBatch) => void, mayExist = false): KeyedBatch {
  const batch = new KeyedBatch(of, mayExist, true);
  change(batch);
  return batch;
}
const insert = (batch: KeyedBatch | WholeRowBatch, row: Buffer) => batch.insert(row, 0, row.length);
const update = (batch: KeyedBatch, old: Buffer | undefined, row: Buffer) => {
  const data = Buffer.concat([...(old ? [old] : []), row]);
  batch.update(data, old ? 0 : -1, old ? old.length : 0, data.length);
};

describe("a batch of a table with a key", () => {
  it("inserts by COPY into the table itself", () => {
    const batch = keyed(sale, (to) => insert(to, tuple("1", "2", "a")));
    expect(statements(sale, batch)).toEqual(['COPY "s"."t" ("region", "id", "note") FROM STDIN (FORMAT binary)']);
  });

  it("deletes by a stage of the keys that lies as the table does", () => {
    const old = tuple("1", "2", null);
    const batch = keyed(sale, (to) => to.delete(old, 0));
    expect(statements(sale, batch)).toEqual([
      'CREATE TEMPORARY TABLE pg_temp.godwit_1 (c0 integer, c1 bigint) USING heap ON COMMIT DELETE ROWS DISTRIBUTED BY ("c0")',
      "COPY pg_temp.godwit_1 (c0, c1) FROM STDIN (FORMAT binary)",
      counted(`DELETE FROM ONLY "s"."t" AS t USING pg_temp.godwit_1 AS s WHERE ${KEY}`, 1),
    ]);
  });

  it("updates by deleting the staged rows' predecessors and inserting them, on 6 with its own storage clause", () => {
    const batch = keyed(sale, (to) => update(to, undefined, tuple("1", "2", "b")));
    expect(statements(sale, batch, {}, " WITH (appendonly=false)")).toEqual([
      'CREATE TEMPORARY TABLE pg_temp.godwit_1 (c0 integer, c1 bigint, c2 text) WITH (appendonly=false) ON COMMIT DELETE ROWS DISTRIBUTED BY ("c0")',
      "COPY pg_temp.godwit_1 (c0, c1, c2) FROM STDIN (FORMAT binary)",
      counted(`DELETE FROM ONLY "s"."t" AS t USING pg_temp.godwit_1 AS s WHERE ${KEY}`, 1),
      'INSERT INTO "s"."t" ("region", "id", "note") SELECT s.c0, s.c1, s.c2 FROM pg_temp.godwit_1 AS s',
    ]);
  });

  it("takes values that were not sent from the row that goes", () => {
    const batch = keyed(sale, (to) => update(to, undefined, tuple("1", "2", undefined)));
    expect(statements(sale, batch)).toEqual([]);
    const wide = table({ id: "integer", n: "integer", body: "text" }, ["id"], ["id"]);
    const partial = keyed(wide, (to) => update(to, undefined, tuple("1", "5", undefined)));
    const match = 't."id" OPERATOR("pg_catalog".=) s.c0';
    expect(statements(wide, partial).slice(1)).toEqual([
      "COPY pg_temp.godwit_1 (c0, c1) FROM STDIN (FORMAT binary)",
      `UPDATE pg_temp.godwit_1 AS s SET c2 = t."body" FROM ONLY "s"."t" AS t WHERE ${match}`,
      counted(`DELETE FROM ONLY "s"."t" AS t USING pg_temp.godwit_1 AS s WHERE ${match}`, 1),
      'INSERT INTO "s"."t" ("id", "n", "body") SELECT s.c0, s.c1, s.c2 FROM pg_temp.godwit_1 AS s',
    ]);
  });

  it("moves a row to another key, its values half known, by the old key beside the new", () => {
    const batch = keyed(sale, (to) => update(to, tuple("1", "2", null), tuple("9", "2", undefined)));
    const match = 't."region" OPERATOR("pg_catalog".=) s.o0 AND t."id" OPERATOR("pg_catalog".=) s.o1';
    expect(statements(sale, batch)).toEqual([
      'CREATE TEMPORARY TABLE pg_temp.godwit_1 (c0 integer, c1 bigint, c2 text, o0 integer, o1 bigint) USING heap ON COMMIT DELETE ROWS DISTRIBUTED BY ("o0")',
      "COPY pg_temp.godwit_1 (c0, c1, o0, o1) FROM STDIN (FORMAT binary)",
      `UPDATE pg_temp.godwit_1 AS s SET c2 = t."note" FROM ONLY "s"."t" AS t WHERE ${match}`,
      counted(`DELETE FROM ONLY "s"."t" AS t USING pg_temp.godwit_1 AS s WHERE ${match}`, 1),
      'INSERT INTO "s"."t" ("region", "id", "note") SELECT s.c0, s.c1, s.c2 FROM pg_temp.godwit_1 AS s',
    ]);
  });

  it("overwrites what is there: no counting, and no row that is only half known and not there", () => {
    const wide = table({ id: "integer", n: "integer", body: "text" }, ["id"], ["id"]);
    const match = 't."id" OPERATOR("pg_catalog".=) s.c0';
    const more = { overwrite: true, rowsMustExist: false, deletedMustExist: false };
    const partial = keyed(wide, (to) => update(to, undefined, tuple("1", "5", undefined)), true);
    expect(statements(wide, partial, more).slice(2)).toEqual([
      `UPDATE pg_temp.godwit_1 AS s SET c2 = t."body" FROM ONLY "s"."t" AS t WHERE ${match}`,
      `DELETE FROM pg_temp.godwit_1 AS s WHERE NOT EXISTS (SELECT 1 FROM ONLY "s"."t" AS t WHERE ${match})`,
      `DELETE FROM ONLY "s"."t" AS t USING pg_temp.godwit_1 AS s WHERE ${match}`,
      'INSERT INTO "s"."t" ("id", "n", "body") SELECT s.c0, s.c1, s.c2 FROM pg_temp.godwit_1 AS s',
    ]);
    const inserted = keyed(wide, (to) => insert(to, tuple("1", "5", "x")), true);
    expect(statements(wide, inserted, more).slice(2)).toEqual([
      `DELETE FROM ONLY "s"."t" AS t USING pg_temp.godwit_1 AS s WHERE ${match}`,
      'INSERT INTO "s"."t" ("id", "n", "body") SELECT s.c0, s.c1, s.c2 FROM pg_temp.godwit_1 AS s',
    ]);
  });

  it("distributes a stage by the key where the table's own columns are not staged", () => {
    const other = table({ id: "integer", region: "integer" }, ["id"], ["region"]);
    const old = tuple("1", null);
    const batch = keyed(other, (to) => to.delete(old, 0));
    expect(statements(other, batch)[0]).toContain('(c0 integer) USING heap ON COMMIT DELETE ROWS DISTRIBUTED BY ("c0")');
  });
});

describe("a batch of a table without a key", () => {
  it("finds a row by its segment, its part and its place there", () => {
    const bag = table({ kind: "text", n: "integer" }, [], []);
    const batch = new WholeRowBatch(bag);
    const row = tuple("a", "1");
    batch.delete(row, 0, row.length);
    const mine = 'ROW(t."kind", t."n")::text';
    const staged = "ROW(s.c0, s.c1)::text";
    expect(statements(bag, batch)).toEqual([
      "CREATE TEMPORARY TABLE pg_temp.godwit_1 (c0 text, c1 integer) USING heap ON COMMIT DELETE ROWS DISTRIBUTED RANDOMLY",
      "COPY pg_temp.godwit_1 (c0, c1) FROM STDIN (FORMAT binary)",
      "SET enable_hashjoin = on",
      "SET enable_mergejoin = on",
      counted(
        `DELETE FROM ONLY "s"."t" AS t USING (
    SELECT a.segment, a.place, a.part
      FROM (SELECT t.gp_segment_id AS segment, t.ctid AS place, t.tableoid AS part, ${mine} AS content,
                   pg_catalog.row_number() OVER (PARTITION BY ${mine}) AS nth
              FROM ONLY "s"."t" AS t
             WHERE ${mine} IN (SELECT ${staged} FROM pg_temp.godwit_1 AS s)) a
      JOIN (SELECT ${staged} AS content, pg_catalog.row_number() OVER (PARTITION BY ${staged}) AS nth FROM pg_temp.godwit_1 AS s) b
        ON a.content = b.content AND a.nth = b.nth) AS d
 WHERE t.gp_segment_id = d.segment AND t.ctid = d.place AND t.tableoid = d.part`,
        1,
      ),
      "SET enable_mergejoin = off",
      "SET enable_hashjoin = off",
    ]);
  });

  it("without columns counts rows by segment and place", () => {
    const empty = table({}, [], []);
    const batch = new WholeRowBatch(empty);
    const row = tuple();
    batch.delete(row, 0, row.length);
    expect(statements(empty, batch)).toEqual([
      counted(
        'DELETE FROM ONLY "s"."t" AS t\n WHERE (t.gp_segment_id, t.ctid) IN (SELECT e.gp_segment_id, e.ctid FROM ONLY "s"."t" AS e LIMIT 1)',
        1,
      ),
    ]);
  });
});
