import type { Client } from "pg";
import type { Chunk } from "../../../engine/database.js";
import type { PlannedTable } from "../../../engine/models/plan.js";

const WHOLE: readonly Chunk[] = [{ index: 0, condition: undefined }];

/**
 * Splits a table by physical place, in ranges of pages. Needs no key and no statistics, and every row is in one range of one snapshot.
 * Before PostgreSQL 14 a range of ctids is a scan of the whole table, so older sources are not split.
 */
export async function tableChunks(client: Client, table: PlannedTable, atMost: number): Promise<readonly Chunk[]> {
  if (atMost < 2) return WHOLE;
  const { rows } = await client.query<{ pages: string; version: number }>(
    `SELECT pg_catalog.pg_relation_size($1::oid) / pg_catalog.current_setting('block_size')::bigint AS pages,
            pg_catalog.current_setting('server_version_num')::integer AS version`,
    [table.id],
  );
  const pages = Number(rows[0]?.pages ?? 0);
  if ((rows[0]?.version ?? 0) < 140000 || pages < atMost) return WHOLE;
  const step = Math.ceil(pages / atMost);
  const count = Math.ceil(pages / step);
  return Array.from({ length: count }, (_, index) => {
    const from = `ctid >= '(${index * step},0)'::pg_catalog.tid`;
    // No upper bound on the last: the table grows, and the snapshot may hold rows on newer pages.
    return { index, condition: index === count - 1 ? from : `${from} AND ctid < '(${(index + 1) * step},0)'::pg_catalog.tid` };
  });
}
