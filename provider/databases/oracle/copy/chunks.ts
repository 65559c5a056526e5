import type { Chunk } from "../../../engine/database.js";
import type { PlannedTable } from "../../../engine/models/plan.js";
import type { OracleConnection } from "../driver.js";
import { oracleCode } from "../oracleErrors.js";
import { literal } from "../sql.js";

const WHOLE: readonly Chunk[] = [{ index: 0, condition: undefined }];

/** From the first row of an extent's first block to the last possible of its last one. */
const EXTENTS = `
SELECT e.blocks AS "blocks",
       DBMS_ROWID.ROWID_CREATE(1, o.data_object_id, e.relative_fno, e.block_id, 0) AS "from",
       DBMS_ROWID.ROWID_CREATE(1, o.data_object_id, e.relative_fno, e.block_id + e.blocks - 1, 32767) AS "to"
  FROM dba_extents e
  JOIN dba_objects o ON o.owner = e.owner AND o.object_name = e.segment_name
                    AND COALESCE(o.subobject_name, '-') = COALESCE(e.partition_name, '-')
 WHERE e.owner = :schema AND e.segment_name = :name AND e.segment_type LIKE 'TABLE%' AND o.data_object_id IS NOT NULL
 ORDER BY o.data_object_id, e.relative_fno, e.block_id`;

interface Extent {
  readonly blocks: string;
  readonly from: string;
  readonly to: string;
}

/**
 * Splits a table by physical place, extent by extent, in ranges of row ids: no key is needed, and every row is in one. Asked after the
 * snapshot was taken, so that no extent of it is missed. One chunk when the extents may not be read (SELECT_CATALOG_ROLE) or there are none
 * (index-organized tables).
 */
export async function tableChunks(connection: OracleConnection, table: PlannedTable, atMost: number): Promise<readonly Chunk[]> {
  if (atMost < 2) return WHOLE;
  let extents: readonly Extent[];
  try {
    extents = await connection.query<Extent>(EXTENTS, { schema: table.source.schema, name: table.source.name });
  } catch (cause) {
    if (oracleCode(cause) === undefined) throw cause;
    return WHOLE;
  }
  const blocks = extents.reduce((sum, extent) => sum + Number(extent.blocks), 0);
  const share = Math.ceil(blocks / atMost);
  const groups: Extent[][] = [];
  let held = share;
  for (const extent of extents) {
    if (held >= share) {
      groups.push([]);
      held = 0;
    }
    groups.at(-1)?.push(extent);
    held += Number(extent.blocks);
  }
  if (groups.length < 2) return WHOLE;
  return groups.map((group, index) => ({ index, condition: group.map(within).join(" OR ") }));
}

function within({ from, to }: Extent): string {
  return `ROWID BETWEEN CHARTOROWID(${literal(from)}) AND CHARTOROWID(${literal(to)})`;
}
