import type { AnalyticdbSettings } from "../../engine/taskDefinition.js";
import type { SegmentedServer } from "./serverKind.js";

/** How a table's rows are kept. */
export interface Storage {
  readonly engine: AnalyticdbSettings["storage"];
  /** Clause of CREATE TABLE, between the columns and the distribution. */
  readonly clause: string;
  /** Primary keys and unique constraints: append-optimized tables have none. */
  readonly takesKeys: boolean;
  /** Why it is not what was asked for. */
  readonly note: string | undefined;
}

/**
 * The wanted storage in this server's words. Pure. Always said, since a server's default may be set to any of them
 * (gp_default_storage_options on 6, default_table_access_method on 7).
 * `USING beam`: AnalyticDB's document "Beam usage"; USING heap, ao_row, ao_column and WITH (appendonly=...): Greenplum 7's and 6's CREATE
 * TABLE; that AO tables have no keys: AnalyticDB's "Change a Heap or AO table to a Beam table".
 */
export function chooseStorage(wanted: AnalyticdbSettings["storage"], server: SegmentedServer): Storage {
  if (wanted === "appendoptimized") {
    const clause = server.accessMethods ? " USING ao_column" : " WITH (appendonly=true, orientation=column)";
    return { engine: wanted, clause, takesKeys: false, note: undefined };
  }
  if (wanted === "beam" && server.beam) {
    return { engine: "beam", clause: " USING beam", takesKeys: true, note: undefined };
  }
  const note =
    wanted === "beam"
      ? `the server offers no Beam storage (it needs AnalyticDB 7.0.6.6${server.minorVersion ? `, this is ${server.minorVersion}` : ""}): tables are heap tables`
      : undefined;
  return { engine: "heap", clause: heapClause(server), takesKeys: true, note };
}

/** Row storage, which everything that is updated in place by one row needs: the store's tables, the stages of a batch. */
export function heapClause(server: SegmentedServer, parameters?: string): string {
  if (server.accessMethods) return ` USING heap${parameters ? ` WITH (${parameters})` : ""}`;
  return ` WITH (appendonly=false${parameters ? `, ${parameters}` : ""})`;
}
