import { ErrorCode, GodwitError } from "../engine/errors.js";
import type { Ends } from "../engine/models/endpoint.js";
import type { RouteKind } from "../engine/routeKind.js";
import { postgresRoute } from "./postgres/postgresRoute.js";

/** Every pair of engines that Godwit moves data between: one line a route. */
const ROUTES: Readonly<Record<string, RouteKind>> = {
  "postgresql>postgresql": postgresRoute,
};

/** Errors: GW1001 for a pair that is no route. */
export function routeKind({ source, target }: Ends): RouteKind {
  const kind = ROUTES[`${source.engine}>${target.engine}`];
  if (kind) return kind;
  throw new GodwitError(ErrorCode.InvalidInput, `there is no route from ${source.engine} to ${target.engine}`, {
    remedy: `routes are ${Object.keys(ROUTES).join(", ").replaceAll(">", " to ")}`,
  });
}
