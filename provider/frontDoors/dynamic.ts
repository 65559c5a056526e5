import type { dynamic } from "@pulumi/pulumi";
import { GodwitError } from "../engine/errors.js";
import { type ResourceType, resourceOf } from "../resources/index.js";
import type { Context, Log } from "../resources/resource.js";
import { checkedInputs, type Properties } from "./checkedInputs.js";

type Provider = Required<Omit<dynamic.ResourceProvider<Properties, object>, "configure">>;

/**
 * The door that the sdk's classes call. They are saved in the state of every stack that uses them, so this signature can never
 * change; what lies behind it can. Runs in Pulumi's dynamic provider process, where whatever is printed shows during `up`.
 */
export async function call<M extends keyof Provider>(
  resourceType: ResourceType,
  method: M,
  ...args: Parameters<Provider[M]>
): Promise<Awaited<ReturnType<Provider[M]>>> {
  try {
    const operation = providerOf(resourceType)[method] as (...args: unknown[]) => Promise<Awaited<ReturnType<Provider[M]>>>;
    return await operation(...args);
  } catch (cause) {
    // The dynamic provider prints an error's stack beside the message; ours say what happened and what mends it without one.
    if (cause instanceof GodwitError) cause.stack = "";
    throw cause;
  }
}

function providerOf(resourceType: ResourceType): Provider {
  const resource = resourceOf(resourceType);
  const context: Context = { log: printed(resourceType) };
  return {
    async check(_olds, news) {
      // The sdk marks what schema.json calls secret, and Pulumi prints no secret.
      const { inputs, failures } = checkedInputs(resourceType, withoutProvider(news), () => true);
      return { inputs, failures: [...failures] };
    },
    async diff(_id, olds, news) {
      const { changes, replaces, deleteBeforeReplace } = resource.diff(withoutProvider(olds), withoutProvider(news));
      return { changes, replaces: [...replaces], deleteBeforeReplace };
    },
    async create(inputs) {
      const { id, outputs } = await resource.create(withoutProvider(inputs), context);
      return { id, outs: outputs };
    },
    async read(id, props) {
      const outputs = await resource.read(id, withoutProvider(props ?? {}), context);
      // An empty id is how a dynamic provider says that the thing is gone.
      return outputs ? { id, props: outputs } : { id: "", props: {} };
    },
    async update(id, olds, news) {
      return { outs: await resource.update(id, withoutProvider(olds), withoutProvider(news), context) };
    },
    async delete(id, props) {
      await resource.delete(id, withoutProvider(props), context);
    },
  };
}

/** Pulumi keeps the serialized class among the properties. */
function withoutProvider(properties: object): Properties {
  const { __provider: _provider, ...own } = properties as Properties;
  return own;
}

function printed(resourceType: string): Log {
  return {
    info: (message) => console.log(`${resourceType}: ${message}`),
    status: (message) => console.log(`${resourceType}: ${message}`),
    warn: (message) => console.log(`${resourceType}: warning: ${message}`),
  };
}
