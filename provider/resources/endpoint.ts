import { randomUUID } from "node:crypto";
import type { EndpointInputs, EndpointOutputs } from "../contract/types.js";
import { containsUnknown } from "../contract/unknowns.js";
import { readServerFacts } from "../databases/index.js";
import { ErrorCode, GodwitError } from "../engine/errors.js";
import { inputDiff } from "./inputDiff.js";
import type { Context, Resource } from "./resource.js";

/** A registered, verified connection. There is nothing to make: creating one connects and notes who answered. */
export const endpoint: Resource<EndpointInputs, EndpointOutputs> = {
  diff(olds, news) {
    const { changed, replaces, details } = inputDiff("Endpoint", olds, news);
    return { changes: changed.length > 0, replaces, deleteBeforeReplace: false, details };
  },

  preview(inputs, olds) {
    // Under a host that was registered, another server is an error.
    const same =
      olds?.serverId !== undefined && !containsUnknown(inputs.hosts) && inputs.hosts.some((host) => olds.hosts.includes(host));
    return { ...inputs, ...(same ? { serverId: olds.serverId, encoding: olds.encoding } : {}) };
  },

  async create(inputs, { log }) {
    const outputs = await register(inputs);
    log.info(`connected to ${described(outputs)}`);
    return { id: randomUUID(), outputs };
  },

  /** Another server under the same address is drift. The state takes the new identity over, so that a refresh accepts it. */
  async read(_id, outputs, { log }) {
    const current = await register(inputsOf(outputs));
    if (current.serverId !== outputs.serverId) warnOfOther(outputs, current, log);
    return current;
  },

  async update(_id, olds, news, { log }) {
    const current = await register(news);
    if (olds.serverId !== undefined && current.serverId !== olds.serverId) {
      // Under a host that was registered, another server is a mishap (a restored copy, a recycled address); under new hosts it is the wish.
      if (news.hosts.some((host) => olds.hosts.includes(host))) throw serverChanged(olds, current);
      log.info(`now another server: ${described(current)}`);
    }
    return current;
  },

  async delete() {
    // Nothing was made.
  },

  imports: {
    connections: ["connection"],
    find: async ([connection]) => connection && { id: randomUUID(), outputs: await register({ ...connection }) },
  },
};

async function register(inputs: EndpointInputs): Promise<EndpointOutputs> {
  return { ...inputs, ...(await readServerFacts(inputs, "godwit/endpoint")) };
}

function inputsOf(outputs: EndpointOutputs): EndpointInputs {
  const {
    serverVersion: _version,
    serverId: _id,
    encoding: _encoding,
    timeZone: _zone,
    superuser: _superuser,
    ...inputs
  } = outputs;
  return inputs;
}

function warnOfOther(before: EndpointOutputs, now: EndpointOutputs, log: Context["log"]): void {
  log.warn(serverChanged(before, now).message);
}

function serverChanged(before: EndpointOutputs, now: EndpointOutputs): GodwitError {
  return new GodwitError(
    ErrorCode.ServerChanged,
    `another server answers: its identifier is ${now.serverId}, registered was ${before.serverId}`,
    {
      object: now.hosts.join(","),
      remedy:
        "check where the hosts lead; if the change is meant, pulumi refresh registers the new server, and tasks must copy again",
    },
  );
}

function described({ hosts, databaseName, serverVersion, encoding, timeZone }: EndpointOutputs): string {
  return `database "${databaseName}" on ${hosts.join(", ")}: PostgreSQL ${serverVersion}, ${encoding}, time zone ${timeZone}`;
}
