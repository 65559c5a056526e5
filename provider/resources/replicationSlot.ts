import type { Client } from "pg";
import { defaultSlotName } from "../contract/defaultNames.js";
import type { Connection, ReplicationSlotInputs, ReplicationSlotOutputs, SlotWalStatus } from "../contract/types.js";
import { withConnection } from "../databases/postgres/connection.js";
import { formatLsn, parseLsn } from "../databases/postgres/lsn.js";
import { createSlot, dropSlot } from "../databases/postgres/replication/slot.js";
import { type SlotStatus, slotHealth, slotStatus } from "../databases/postgres/replication/slotStatus.js";
import { literal } from "../databases/postgres/sql.js";
import { ErrorCode, GodwitError, isServerGone } from "../engine/errors.js";
import { inputDiff } from "./inputDiff.js";
import { type Context, InitializationFailed, type Resource } from "./resource.js";
import { adjustSlot, mustAllowSlots, slotRefusal } from "./slotServer.js";
import { atEnd } from "./unreachableEnd.js";

const APPLICATION = "godwit/slot";
/** A slot waits for every transaction that was open when it began; silence would look like a hang. */
const PATIENCE_SECONDS = 10;

/** A logical replication slot as a thing of its own. */
export const replicationSlot: Resource<ReplicationSlotInputs, ReplicationSlotOutputs> = {
  diff(olds, news) {
    const { changed, replaces, details } = inputDiff("ReplicationSlot", olds, news);
    // The name is taken as long as the old slot is there.
    return { changes: changed.length > 0, replaces, deleteBeforeReplace: true, details };
  },

  declared: (inputs, { name }) => ({ name: defaultSlotName(name), ...inputs }),

  preview: (inputs, olds) => ({ ...inputs, ...(olds?.consistentPoint ? { consistentPoint: olds.consistentPoint } : {}) }),

  async create(inputs, context) {
    const consistentPoint = await made(inputs, context);
    const outputs = { ...inputs, consistentPoint };
    try {
      return { id: inputs.name, outputs: await converged(inputs, consistentPoint) };
    } catch (cause) {
      // The slot is there and retains WAL: the state must know of it, whatever failed after.
      throw new InitializationFailed(inputs.name, outputs, cause);
    }
  },

  async read(_id, outputs, { log }) {
    const { name } = outputs;
    const status = await statusOf(outputs);
    if (status.state === "missing") {
      log.warn(`slot "${name}" is gone; what it fed must be copied again`);
      return undefined;
    }
    if (status.state === "lost") throw slotLost(name, status);
    const health = slotHealth(name, status, outputs.maxRetainedMegabytes);
    if (health.level !== "ok") log.warn(`${health.message}; ${health.remedy}`);
    const failover = status.failover ?? false;
    return withWalStatus({ ...outputs, plugin: status.plugin, failover }, status);
  },

  async update(_id, olds, news) {
    const status = await statusOf(news);
    if (status.state === "missing") {
      throw new GodwitError(ErrorCode.SlotMissing, "the slot does not exist on the server", {
        object: news.name,
        remedy: "run pulumi refresh, and pulumi up to create it again; what it fed must be copied again",
      });
    }
    if (status.state === "lost") throw slotLost(news.name, status);
    return converged(news, olds.consistentPoint ?? formatLsn(status.confirmedFlushLsn));
  },

  async delete(_id, { endpoint, name }, { log }) {
    await atEnd(`replication slot "${name}"`, log, () =>
      withConnection(endpoint, { applicationName: APPLICATION }, (client) => dropSlot(client, name)),
    );
  },

  imports: {
    connections: ["connection"],
    thing: "slot",
    async find([endpoint], name) {
      if (!endpoint) return undefined;
      const slot = { endpoint, name, plugin: "pgoutput", failover: false, adopt: false };
      const status = await statusOf(slot);
      if (status.state === "missing") return undefined;
      if (status.state === "lost") throw slotLost(name, status);
      const { plugin, confirmedFlushLsn } = status;
      return { id: name, outputs: { ...slot, plugin, consistentPoint: formatLsn(confirmedFlushLsn) } };
    },
  },
};

/** Creates the slot, or takes an existing one over where that is asked. Returns the consistent point. */
async function made(inputs: ReplicationSlotInputs, context: Context): Promise<string> {
  const { endpoint, name, plugin } = inputs;
  const status = await withConnection(endpoint, { applicationName: APPLICATION }, async (client) => {
    await mustAllowSlots(client, inputs);
    return slotStatus(client, name);
  });
  if (status.state === "missing") return created(inputs, context);
  if (!inputs.adopt) {
    throw new GodwitError(ErrorCode.SlotExists, "a replication slot of this name exists already", {
      object: name,
      remedy: `give another name, set adopt: true to take it over, or SELECT pg_drop_replication_slot(${literal(name)})`,
    });
  }
  if (status.state === "lost") throw slotLost(name, status);
  if (status.plugin !== plugin || status.databaseName !== endpoint.databaseName) {
    throw new GodwitError(
      ErrorCode.SlotExists,
      `the slot cannot be taken over: it has plugin ${status.plugin} in database "${status.databaseName}", asked is ${plugin} in "${endpoint.databaseName}"`,
      { object: name, remedy: "give another name, or the plugin and database that it has" },
    );
  }
  context.log.info(`slot "${name}" is taken over at ${formatLsn(status.confirmedFlushLsn)}`);
  return formatLsn(status.confirmedFlushLsn);
}

async function created({ endpoint, name, plugin, failover }: ReplicationSlotInputs, context: Context): Promise<string> {
  const { log, signal } = context;
  const wait = setInterval(
    () => log.status(`slot "${name}": the server still waits for transactions that were open when its creation began`),
    PATIENCE_SECONDS * 1000,
  );
  try {
    return await withConnection(endpoint, { applicationName: APPLICATION, replication: true }, async (replication) => {
      const ended = endedBy(context, endpoint, await backendPid(replication));
      try {
        const slot = await createSlot(replication, name, plugin, { failover });
        return formatLsn(slot.consistentPoint);
      } finally {
        await ended();
      }
    });
  } catch (cause) {
    // The server drops a slot whose creation did not get to its end.
    if (signal?.aborted && isServerGone(cause)) throw signal.reason;
    throw slotRefusal(cause, name, plugin);
  } finally {
    clearInterval(wait);
  }
}

/**
 * Has the server end a session when the signal says so. A connection that is only closed would go on waiting, and make a slot that nobody
 * knows of.
 */
function endedBy({ signal, log }: Context, endpoint: Connection, pid: number): () => Promise<void> {
  let ending = Promise.resolve();
  const end = () => {
    ending = withConnection(endpoint, { applicationName: APPLICATION }, async (client) => {
      await client.query("SELECT pg_catalog.pg_terminate_backend($1)", [pid]);
    }).catch((cause: unknown) => log.warn(`the session that makes the slot could not be ended: ${cause}`));
  };
  signal?.addEventListener("abort", end, { once: true });
  if (signal?.aborted) end();
  return async () => {
    signal?.removeEventListener("abort", end);
    await ending;
  };
}

async function backendPid(client: Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>("SELECT pg_catalog.pg_backend_pid() AS pid");
  return rows[0]?.pid ?? 0;
}

async function converged(inputs: ReplicationSlotInputs, consistentPoint: string): Promise<ReplicationSlotOutputs> {
  const status = await adjustSlot(inputs, APPLICATION, inputs.advanceTo === undefined ? undefined : parseLsn(inputs.advanceTo));
  return withWalStatus({ ...inputs, consistentPoint }, status);
}

function statusOf({ endpoint, name }: ReplicationSlotInputs): Promise<SlotStatus> {
  return withConnection(endpoint, { applicationName: APPLICATION }, (client) => slotStatus(client, name));
}

function withWalStatus(outputs: ReplicationSlotOutputs, status: SlotStatus): ReplicationSlotOutputs {
  const { walStatus: _former, ...rest } = outputs;
  const now = status.state === "ok" ? status.walStatus : undefined;
  return now === undefined ? rest : { ...rest, walStatus: now as SlotWalStatus };
}

function slotLost(name: string, { reason }: Extract<SlotStatus, { state: "lost" }>): GodwitError {
  return new GodwitError(ErrorCode.SlotLost, `the slot is lost: ${reason}`, {
    object: name,
    remedy:
      `raise max_slot_wal_keep_size, SELECT pg_drop_replication_slot(${literal(name)}), then pulumi refresh and pulumi up; ` +
      "what the slot fed must be copied again",
  });
}
