import type { Client } from "pg";
import type { RowFormat, TargetDatabase } from "../../engine/database.js";
import { ErrorCode, GodwitError } from "../../engine/errors.js";
import type { PlannedTable } from "../../engine/models/plan.js";
import type { Connections } from "../postgres/connections.js";
import { createRowLoader } from "../postgres/copy/rowLoader.js";
import { analyze, sameType, stepRunner } from "../postgres/target.js";
import { describeSegmentedTables } from "./apply/segmentedTables.js";
import { segmentedLoad } from "./load.js";
import { readServerKind } from "./serverKind.js";

/**
 * AnalyticDB as the target of a task. Commits are left as durable as the server makes them: they are two-phase over the segments. Errors: GW1201 when the server
 * is of another kind than when the task was checked.
 */
export async function openAnalyticdbTarget(connections: Connections, taskId: string): Promise<TargetDatabase> {
  const client = await connections.connect("main");
  const server = await readServerKind(client);
  if (server.kind === "other") {
    throw new GodwitError(ErrorCode.PrecheckFailed, server.reason, { object: connections.endpoint.hosts.join(",") });
  }
  return {
    // There are no triggers ("Limits" of AnalyticDB's documents), and foreign keys are not enforced.
    quietsTriggers: true,
    openLoader: async () =>
      createRowLoader(await connections.connect("load"), connections.endpoint, taskId, segmentedLoad(server)),
    openStepRunner: async () => stepRunner(await connections.connect("schema"), taskId),
    analyze: (tables) => analyze(tables, () => connections.connect("analyze")),
    rowFormats: (tables) => rowFormats(client, tables),
    close: async () => connections.close(),
  };
}

/** The target's own types decide: a table made by hand may differ from the source's. */
async function rowFormats(client: Client, tables: readonly PlannedTable[]): Promise<ReadonlyMap<number, RowFormat>> {
  const described = await describeSegmentedTables(client, tables);
  return new Map(
    tables.map((table) => {
      const columns = described.get(table.id)?.columns;
      const same = table.columns.every(
        (column) => column.binaryPortable && sameType(column.type, columns?.get(column.target)?.type),
      );
      return [table.id, same ? "binary" : "text"];
    }),
  );
}
