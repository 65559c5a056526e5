import { ErrorCode, GodwitError } from "../engine/errors.js";
import type { Ends, ServerFacts, TaskEndpoint } from "../engine/models/endpoint.js";
import type { RouteKind } from "../engine/routeKind.js";
import { analyticdbTarget } from "./analyticdb/dialect.js";
import { readAnalyticdbFacts } from "./analyticdb/serverFacts.js";
import { lazyRoute } from "./lazyRoute.js";
import { naturalName } from "./oracle/catalog/naturalName.js";
import { formatPosition as formatScn } from "./oracle/logMiner/position.js";
import { parseScn } from "./oracle/position.js";
import { polardbSource, polardbTarget, postgresFromPolardb } from "./polardbO/dialect.js";
import { polardbRoute } from "./polardbO/route.js";
import { withConnection } from "./postgres/connection.js";
import { postgresSource, postgresTarget } from "./postgres/dialect.js";
import { familyRoute } from "./postgres/familyRoute.js";
import { formatLsn, parseLsn } from "./postgres/lsn.js";
import { readSequences as readPostgresSequences, type SequenceCatalog } from "./postgres/sequences.js";
import { readPostgresFacts } from "./postgres/serverFacts.js";

const LSN = { formatPosition: formatLsn, parsePosition: parseLsn };
const SCN = { formatPosition: formatScn, parsePosition: parseScn };

/** Every pair of engines that Godwit moves data between: one line a route. */
const ROUTES: Readonly<Record<string, RouteKind>> = {
  "postgresql>postgresql": familyRoute(postgresSource, postgresTarget),
  "postgresql>analyticdb-postgresql": familyRoute(postgresSource, analyticdbTarget),
  "postgresql>polardb-o": polardbRoute(postgresSource, polardbTarget),
  "polardb-o>polardb-o": polardbRoute(polardbSource, polardbTarget),
  "polardb-o>postgresql": polardbRoute(polardbSource, postgresFromPolardb),
  "postgresql>kafka": lazyRoute(LSN, async () => (await import("./kafka/route/kafkaRoute.js")).kafkaRoute(postgresSource)),
  "polardb-o>kafka": lazyRoute(LSN, async () => (await import("./kafka/route/polardbToKafka.js")).polardbToKafka),
  "oracle>postgresql": lazyRoute(SCN, async () => (await import("./oracle/oracleRoute.js")).oracleRoute),
};

/** How each engine is asked what it is. */
const FACTS: Readonly<Record<string, (endpoint: TaskEndpoint, applicationName: string) => Promise<ServerFacts>>> = {
  postgresql: readPostgresFacts,
  "analyticdb-postgresql": readAnalyticdbFacts,
  "polardb-o": readPostgresFacts,
  kafka: async (...args) => (await import("./kafka/serverFacts.js")).readKafkaFacts(...args),
  oracle: async (...args) => (await import("./oracle/serverFacts.js")).readOracleServer(...args),
};

interface Sequences {
  read(endpoint: TaskEndpoint, applicationName: string, wanted: (key: string) => boolean): Promise<SequenceCatalog>;
  /** What a name of this engine is on PostgreSQL. */
  naturalName(name: string): string;
}

const POSTGRES_SEQUENCES: Sequences = {
  read: (endpoint, applicationName, wanted) =>
    withConnection(endpoint, { applicationName }, (client) => readPostgresSequences(client, wanted)),
  naturalName: (name) => name,
};

/** Engines that have sequences. */
const SEQUENCES: Readonly<Record<string, Sequences>> = {
  postgresql: POSTGRES_SEQUENCES,
  "analyticdb-postgresql": POSTGRES_SEQUENCES,
  "polardb-o": POSTGRES_SEQUENCES,
  oracle: { read: async (...args) => (await import("./oracle/sequences.js")).readOracleSequences(...args), naturalName },
};

/** Errors: GW1001 for an engine without sequences. */
export function sequencesOf({ engine }: TaskEndpoint): Sequences {
  const sequences = SEQUENCES[engine];
  if (sequences) return sequences;
  throw new GodwitError(ErrorCode.InvalidInput, `${engine} has no sequences`, {
    remedy: `engines with sequences are ${Object.keys(SEQUENCES).join(", ")}`,
  });
}

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
