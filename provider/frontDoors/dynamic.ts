import type { dynamic } from "@pulumi/pulumi";
import { packageSchema } from "../contract/packageSchema.js";
import { validate, withDefaults } from "../contract/validate.js";
import { ErrorCode, GodwitError } from "../engine/errors.js";
import { type ResourceType, resourceOf } from "../resources/index.js";
import type { CheckFailure, Context, Log } from "../resources/resource.js";

type Properties = Readonly<Record<string, unknown>>;
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
      const inputs = withoutProvider(news);
      const failures = validate(resourceType, inputs);
      if (failures.length > 0) return { inputs, failures: failures.map((failure) => reported(resourceType, failure)) };
      const checked = withDefaults(resourceType, inputs);
      return { inputs: checked, failures: (resource.check?.(checked) ?? []).map((failure) => reported(resourceType, failure)) };
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

/**
 * Pulumi prints the value of a failing top-level property beside the reason. Secrets are marked as such and stay hidden, but not one
 * under a misspelt name: no value belongs to a failure without a property, so there the reason names it.
 */
function reported(resourceType: ResourceType, { property, reason }: CheckFailure): dynamic.CheckFailure {
  const known = packageSchema.resources[resourceType]?.inputProperties ?? {};
  const printsValue = !/[.[]/.test(property);
  if (printsValue && !Object.hasOwn(known, property))
    return { property: "", reason: `${ErrorCode.InvalidInput}: ${property}: ${reason}` };
  return { property, reason: `${ErrorCode.InvalidInput}: ${reason}` };
}

function printed(resourceType: string): Log {
  return {
    info: (message) => console.log(`${resourceType}: ${message}`),
    warn: (message) => console.log(`${resourceType}: warning: ${message}`),
  };
}
