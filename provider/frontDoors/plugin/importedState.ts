import { isDeepStrictEqual } from "node:util";
import { packageSchema } from "../../contract/packageSchema.js";
import type { Connection } from "../../contract/types.js";
import { ErrorCode, GodwitError } from "../../engine/errors.js";
import { type ResourceType, resourceOf } from "../../resources/index.js";
import type { Context, Created, Importable } from "../../resources/resource.js";
import { checkedInputs, type Properties } from "../checkedInputs.js";
import type { Configuration } from "./configuration.js";
import { inputsAmong } from "./outputs.js";

/**
 * Reads what exists under an id that a user wrote: names of connections in the configuration (`godwit:connections`, where the passwords are: an id
 * lies in the state in clear), then the thing's own name. Undefined when there is no such thing. Errors: GW1001.
 */
export async function importedState(
  type: ResourceType,
  id: string,
  { connections }: Configuration,
  context: Context,
): Promise<Created<object> | undefined> {
  const resource = resourceOf(type);
  const { imports } = resource;
  if (!imports) {
    throw new GodwitError(ErrorCode.InvalidInput, `a ${type} can't be imported: it has no state of its own at a server`, {
      object: id,
      remedy: `declare it and run pulumi up: creating a ${type} is what an import would be`,
    });
  }
  const parts = id.split("/");
  const named = parts.slice(0, imports.connections.length);
  // A task's name may hold slashes.
  const thing = parts.slice(imports.connections.length).join("/");
  const form = importForm(imports);
  if (named.length < imports.connections.length || named.includes("") || (thing !== "") !== (imports.thing !== undefined)) {
    throw new GodwitError(ErrorCode.InvalidInput, `the id of a ${type} to import has the form ${form}`, {
      object: id,
      remedy: `give it as ${form}; a connection is one of those named in the configuration godwit:connections`,
    });
  }
  const found = await imports.find(
    named.map((name) => connectionNamed(name, connections)),
    thing,
    context,
  );
  const outputs = found && (await resource.read(found.id, found.outputs, context));
  return outputs && { id: found.id, outputs };
}

/** The inputs that a program would have to give for an imported thing: those at their defaults it may leave out. */
export function importedInputs(type: ResourceType, outputs: object): Properties {
  const properties = packageSchema.resources[type]?.inputProperties ?? {};
  return Object.fromEntries(
    Object.entries(inputsAmong(type, outputs)).filter(([name, value]) => !isDeepStrictEqual(value, properties[name]?.default)),
  );
}

/** `<source>/<target>/<taskName>` */
function importForm({ connections, thing }: Importable<object>): string {
  return [...connections, ...(thing ? [thing] : [])].map((part) => `<${part}>`).join("/");
}

function connectionNamed(name: string, connections: Readonly<Record<string, unknown>>): Connection {
  const given = Object.hasOwn(connections, name) ? connections[name] : undefined;
  const known = Object.keys(connections);
  if (given === null || typeof given !== "object") {
    throw new GodwitError(ErrorCode.InvalidInput, "the configuration has no connection of this name", {
      object: `godwit:connections.${name}`,
      remedy: `pulumi config set --secret --path 'godwit:connections.${name}.hosts[0]' ... and its other fields; ${known.length === 0 ? "there is none" : `there are ${known.join(", ")}`}`,
    });
  }
  // An Endpoint's inputs are a connection's fields.
  const { inputs, failures } = checkedInputs("Endpoint", given as Properties, () => true);
  if (failures.length === 0) return inputs as unknown as Connection;
  const reasons = failures.map(({ property, reason }) => `${property ? `${property}: ` : ""}${reason}`).join("; ");
  throw new GodwitError(ErrorCode.InvalidInput, `the connection does not fit: ${reasons}`, {
    object: `godwit:connections.${name}`,
    remedy: "its fields are those of an Endpoint",
  });
}
