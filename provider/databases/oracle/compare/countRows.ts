import type { Snapshot } from "../../../engine/database.js";
import type { PlannedTable } from "../../../engine/models/plan.js";
import type { Cells, ComparedSide, Comparison } from "../../../engine/validation/comparison.js";
import { cellsSql } from "../../postgres/compare/cellSql.js";
import { describeSide } from "../../postgres/compare/describeSide.js";
import type { Connections } from "../../postgres/connections.js";
import { qualified } from "../../postgres/sql.js";
import type { OracleConnections } from "../connections.js";
import { positionAt } from "../logMiner/position.js";
import { currentScn } from "../logMiner/settledScn.js";
import { quoted } from "../sql.js";

/**
 * Compares numbers of rows, and no more: Oracle and PostgreSQL write numbers, dates and empty texts down in different ways, so that checksums over texts would differ
 * where the values are the same. The source is counted as of an SCN (flashback query), the snapshot's or that of now.
 */
export function openOracleCounts(sources: OracleConnections, targets: Connections, snapshot?: Snapshot): Comparison {
  return {
    async openLane() {
      const [from, to] = await Promise.all([sources.connect("compare"), targets.connect("compare")]);
      let read = 0n;
      return {
        async open(table) {
          const described = await describeSide(to, table.target);
          if (!described) throw new Error("there is no such table at the target now");
          return {
            columnsLeftOut: [],
            ranged: false,
            keyed: false,
            counted: true,
            nextBound: async () => undefined,
            source: counted(async () => {
              read = snapshot ? BigInt(snapshot.id) : await currentScn(from);
              const [row] = await from.query<{ readonly N: string }>(countSql(table, read));
              return Number(row?.N);
            }),
            target: counted(async () => {
              const { rows } = await to.query<{ rows: string }>(targetSql(table, described.partitioned));
              return Number(rows[0]?.rows);
            }),
          };
        },
        // What committed at the SCN itself was counted.
        position: async () => positionAt(read + 1n),
      };
    },
    async close() {
      sources.close();
      targets.close();
    },
  };
}

function counted(count: () => Promise<number>): ComparedSide {
  return {
    async read(): Promise<Cells> {
      return new Map([["", { rows: await count(), digest: "" }]]);
    },
    show: async () => new Map(),
  };
}

function countSql({ source, filter }: PlannedTable, scn: bigint): string {
  const where = filter ? ` WHERE ${filter.condition}` : "";
  return `SELECT COUNT(*) AS "N" FROM ${quoted(source.schema)}.${quoted(source.name)} AS OF SCN ${scn}${where}`;
}

function targetSql({ target }: PlannedTable, partitioned: boolean): string {
  const table = `${partitioned ? "" : "ONLY "}${qualified(target)}`;
  const nothing = {
    filter: undefined,
    columns: [],
    key: [],
    bounds: [],
    recode: false,
    bucketDigits: 0,
    stamped: false,
    checksums: false,
  };
  return cellsSql({ table, ...nothing }, { range: undefined, level: "range" });
}
