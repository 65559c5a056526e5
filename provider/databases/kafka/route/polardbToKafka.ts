import type { Ends } from "../../../engine/models/endpoint.js";
import type { RouteKind } from "../../../engine/routeKind.js";
import { polardbSource } from "../../polardbO/dialect.js";
import { askSource } from "../../polardbO/endpoint.js";
import { kafkaRoute } from "./kafkaRoute.js";

/** PolarDB O as the source: its sessions need settings that depend on what the server is (polardbO/sessionSettings.ts). */
export const polardbToKafka: RouteKind = withSourceSessions(kafkaRoute(polardbSource));

function withSourceSessions(route: RouteKind): RouteKind {
  return {
    ...route,
    plan: async (ends, definition, options, known) =>
      route.plan(await withSettings(ends, definition.taskId), definition, options, known),
    open: async (ends, definition) => route.open(await withSettings(ends, definition.taskId), definition),
  };
}

async function withSettings(ends: Ends, taskId: string): Promise<Ends> {
  return { ...ends, source: (await askSource(ends.source, `godwit/${taskId}/sessions`)).endpoint };
}
