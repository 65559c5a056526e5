import { packageSchema } from "../../contract/packageSchema.js";
import { UNKNOWN } from "../../contract/unknowns.js";
import type { ResourceType } from "../../resources/index.js";
import type { Resource } from "../../resources/resource.js";
import type { Properties } from "../checkedInputs.js";
import { bothMasks, type SecretMask, secretsWithin } from "./secretMask.js";

type AnyResource = Resource<object, object>;

/**
 * An Endpoint's inputs once more as one value, `connection`: what a program of any language gives to another resource that takes an
 * endpoint. (The sdk's classes take the Endpoint itself. Through them the copy's password would lie in the state in clear: Pulumi marks a dynamic
 * resource's outputs as secret by the names of its inputs.)
 */
export function withDoorOutputs(type: ResourceType, outputs: object, secrets: SecretMask): readonly [Properties, SecretMask] {
  if (type !== "Endpoint") return [{ ...outputs }, secrets];
  // Secret as a whole when a part of it is: that is what every SDK makes of it, except that of YAML, which loses a secret within a value.
  const connection = secrets === undefined ? undefined : secretsWithin([["connection", true]]);
  return [{ ...outputs, connection: inputsAmong(type, outputs) }, bothMasks(secrets, connection)];
}

/** What a resource made of them: it knows nothing of what a door adds. */
export function withoutDoorOutputs(type: ResourceType, outputs: Properties): Properties {
  if (type !== "Endpoint") return outputs;
  const { connection: _connection, ...own } = outputs;
  return own;
}

export function inputsAmong(type: ResourceType, outputs: object): Properties {
  const inputs = packageSchema.resources[type]?.inputProperties ?? {};
  return Object.fromEntries(Object.entries(outputs).filter(([name]) => Object.hasOwn(inputs, name)));
}

/** What a preview says of a resource's outputs: what it knows, and of everything else that it is not known yet. */
export function previewed(type: ResourceType, resource: AnyResource, inputs: object, olds: object | undefined): Properties {
  const known = (resource.preview?.(inputs, olds) ?? inputs) as Properties;
  const { properties = {}, inputProperties = {}, required = [] } = packageSchema.resources[type] ?? {};
  const comes = (name: string) =>
    required.includes(name) || !Object.hasOwn(inputProperties, name) || (resource.computed?.includes(name) ?? false);
  const unknown = Object.keys(withoutDoorOutputs(type, properties)).filter((name) => known[name] === undefined && comes(name));
  return { ...Object.fromEntries(unknown.map((name) => [name, UNKNOWN])), ...known };
}
