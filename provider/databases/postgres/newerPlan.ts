import type { Plan } from "../../engine/models/plan.js";
import type { PlanOptions } from "../../engine/plan.js";
import type { PlannedTask } from "../../engine/routeKind.js";
import type { TaskDefinition } from "../../engine/taskDefinition.js";
import { readShapes } from "./catalog/shapes.js";
import { type PostgresEndpoint, withConnection } from "./connection.js";

/** The plan of now, if anything that plans are made of is another at the source than when the task's was read. */
export async function newerPlan(
  source: PostgresEndpoint,
  { selection, taskId }: TaskDefinition,
  plan: (options: PlanOptions) => Promise<PlannedTask>,
): Promise<Plan | undefined> {
  const before = selection?.shape;
  if (!before) return undefined;
  const now = await withConnection(source, { applicationName: `godwit/${taskId}/plan` }, readShapes);
  return now.all === before ? undefined : (await plan(selection.options)).plan;
}
