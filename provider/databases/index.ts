import { ErrorCode, GodwitError } from "../engine/errors.js";
import type { Ends, ServerFacts, TaskEndpoint } from "../engine/models/endpoint.js";
import type { RouteKind } from "../engine/routeKind.js";
import { postgresSource, postgresTarget } from "./postgres/dialect.js";
import { familyRoute } from "./postgres/familyRoute.js";
import { readPostgresFacts } from "./postgres/serverFacts.js";

/** Every pair of engines that Godwit moves data between: one line a route. */
const ROUTES: Readonly<Record<string, RouteKind>> = {
  "postgresql>postgresql": familyRoute(postgresSource, postgresTarget),
};

/** How each engine is asked what it is. */
const FACTS: Readonly<Record<string, (endpoint: TaskEndpoint, applicationName: string) => Promise<ServerFacts>>> = {
  postgresql: readPostgresFacts,
};

/** Errors: GW1001 for a pair that is no route. */
export function routeKind({ source, target }: Ends): RouteKind {
  const kind = ROUTES[`${source.engine}>${target.engine}`];
  if (kind) return kind;
  throw new GodwitError(ErrorCode.InvalidInput, `there is no route from ${source.engine} to ${target.engine}`, {
    remedy: `routes are ${Object.keys(ROUTES).join(", ").replaceAll(">", " to ")}`,
  });
}

/** Connects and asks a server what it is. Errors: those of the engine's connections; GW1001 for an engine that is not built. */
export function readServerFacts(endpoint: TaskEndpoint, applicationName: string): Promise<ServerFacts> {
  const read = FACTS[endpoint.engine];
  if (read) return read(endpoint, applicationName);
  throw new GodwitError(ErrorCode.InvalidInput, `there are no ${endpoint.engine} endpoints yet`, {
    remedy: `engines are ${Object.keys(FACTS).join(", ")}`,
  });
}
