import type { Client } from "pg";
import type { Route } from "../../engine/database.js";
import type { Ends } from "../../engine/models/endpoint.js";
import type { RouteKind } from "../../engine/routeKind.js";
import type { TaskDefinition } from "../../engine/taskDefinition.js";
import { connect, withConnection } from "../postgres/connection.js";
import { isConnectionError } from "../postgres/connectionErrors.js";
import { Connections } from "../postgres/connections.js";
import { selectResume } from "../postgres/store/records.js";
import { storeExists } from "../postgres/store/storeSchema.js";
import { takeLease } from "../postgres/store/taskLease.js";
import { openTaskStore } from "../postgres/store/taskStore.js";
import { openPostgresTarget } from "../postgres/target.js";
import { captureStatus } from "./captureStatus.js";
import { openOracleCounts } from "./compare/countRows.js";
import { OracleConnections } from "./connections.js";
import { followRedo } from "./follow/followRedo.js";
import { formatPosition } from "./logMiner/position.js";
import { decodeResumePoint } from "./logMiner/resumePoint.js";
import { isOracleConnectionError } from "./oracleErrors.js";
import { planOracleTask } from "./planOracleTask.js";
import { parseScn } from "./position.js";
import { openOracleSource } from "./source.js";

/** From an Oracle database into PostgreSQL. State and lease are at the target; nothing is made at the source. */
export const oracleRoute: RouteKind = {
  plan: planOracleTask,
  formatPosition,
  parsePosition: parseScn,
  openStore: async ({ target }) => openTaskStore(await connect(target, { applicationName: "godwit/store" })),
  takeLease: ({ target }, taskId, options) => takeLease(target, taskId, options),
  open,
  async captureStatus(ends, { taskId }) {
    const applicationName = `godwit/${taskId}/status`;
    const text = await withConnection(ends.target, { applicationName }, async (client) =>
      (await storeExists(client)) ? selectResume(client, taskId) : undefined,
    );
    // What is known of the capture is all that there is of it.
    if (text === undefined) return { kind: "missing" };
    const sources = new OracleConnections(ends.source, `godwit/${taskId}`);
    try {
      const { connection } = await sources.connectMining("status");
      return await captureStatus(connection, restartOf(text));
    } finally {
      sources.close();
    }
  },
  release: async () => undefined,
};

async function open(ends: Ends, definition: TaskDefinition): Promise<Route> {
  const { taskId } = definition;
  const sources = new OracleConnections(ends.source, `godwit/${taskId}/source`);
  const targets = new Connections(ends.target, `godwit/${taskId}/target`);
  const takenOut = { zeros: 0 };
  let told = 0;
  const warnings: string[] = [];
  const close = async () => {
    sources.close();
    targets.close();
  };
  try {
    const source = await openOracleSource({
      connections: sources,
      definition,
      takenOut,
      restartScn: async () => restartOf(await withTarget(targets, (client) => selectResume(client, taskId))),
    });
    const target = await openPostgresTarget(targets, taskId);
    return {
      source,
      target,
      follow: (options) =>
        followRedo({
          ...options,
          source: sources,
          target: targets,
          quiet: target.quietsTriggers,
          selection: definition.selection,
          onWarning: (message) => void warnings.push(message),
        }),
      openComparison: async (snapshot) =>
        openOracleCounts(
          new OracleConnections(ends.source, `godwit/${taskId}/source`),
          new Connections(ends.target, `godwit/${taskId}/target`),
          snapshot,
        ),
      isConnectionError: (cause) => isConnectionError(cause) || isOracleConnectionError(cause),
      takeWarnings() {
        if (takenOut.zeros > told) {
          told = takenOut.zeros;
          warnings.push(`${told} characters of value 0 were taken out of rows being loaded: PostgreSQL cannot hold them`);
        }
        return warnings.splice(0);
      },
      close,
    };
  } catch (cause) {
    await close();
    throw cause;
  }
}

function restartOf(text: string | undefined): bigint | undefined {
  return text === undefined ? undefined : decodeResumePoint(0n, text).restartScn;
}

async function withTarget<T>(targets: Connections, use: (client: Client) => Promise<T>): Promise<T> {
  const client = await targets.connect("resume");
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
