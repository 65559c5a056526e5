import type { FlowOptions } from "../../engine/database.js";
import type { TaskDefinition } from "../../engine/taskDefinition.js";
import type { Connections } from "./connections.js";

export async function followChanges(_from: Connections, _to: Connections, _definition: TaskDefinition, _quiet: boolean, options: FlowOptions): Promise<void> {
  await new Promise<void>((resolve) => options.signal.addEventListener("abort", () => resolve(), { once: true }));
}
