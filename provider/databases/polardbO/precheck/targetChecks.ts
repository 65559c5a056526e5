import type { Client } from "pg";
import type { PlannedTable, PrecheckItem } from "../../../engine/models/plan.js";
import type { TaskDefinition } from "../../../engine/taskDefinition.js";
import type { PostgresEndpoint } from "../../postgres/connection.js";
import { listed, precheckItem } from "../../postgres/precheck/precheckItem.js";
import { targetChecks } from "../../postgres/precheck/targetChecks.js";
import { readTraits } from "../readTraits.js";
import { readKeywords } from "../schema/keywords.js";
import { endpointItem, withClusterRemedies } from "./clusterItems.js";
import { editionItem } from "./editionItem.js";

/** What a PolarDB O target must have and allow. PostgreSQL's own versions say nothing of it: 1.0 builds on 11. */
export async function polardbTargetChecks(
  client: Client,
  endpoint: PostgresEndpoint,
  tables: readonly PlannedTable[],
  definition: TaskDefinition,
): Promise<PrecheckItem[]> {
  const traits = await readTraits(client);
  const base = await targetChecks(client, endpoint, tables, definition);
  return [
    editionItem("targetEdition", traits),
    await endpointItem("targetEndpoint", client),
    ...withClusterRemedies(
      base.filter(({ item }) => item !== "targetVersion"),
      traits,
    ),
    reservedNames(tables, await readKeywords(client)),
  ];
}

/** Godwit quotes every name; the applications that follow have to as well. */
function reservedNames(tables: readonly PlannedTable[], keywords: ReadonlySet<string>): PrecheckItem {
  const found = tables.flatMap(({ target, columns }) => [
    ...(keywords.has(target.name) ? [`${target.schema}.${target.name}`] : []),
    ...columns
      .filter((column) => keywords.has(column.target) || SYSTEM_COLUMNS.has(column.target))
      .map((column) => `${target.schema}.${target.name}.${column.target}`),
  ]);
  return precheckItem({
    item: "targetReservedNames",
    severity: "warning",
    passed: found.length === 0,
    message:
      found.length === 0
        ? "no name is a reserved word of the target"
        : `${listed(found)}: reserved words of the target, made as they are; statements have to write them in quotes`,
    remedy: "rename them with rename, or write them in quotes in the applications",
  });
}

/** Names that are values in Oracle's SQL, wherever they stand without quotes. */
const SYSTEM_COLUMNS: ReadonlySet<string> = new Set(["rowid", "rownum", "level", "sysdate", "uid"]);
