import { packageSchema } from "../../contract/packageSchema.js";
import { ErrorCode, GodwitError } from "../../engine/errors.js";
import type { ResourceType } from "../../resources/index.js";
import type { Declaration } from "../../resources/resource.js";

/** urn:pulumi:<stack>::<project>::<types of parents and its own, with $ between>::<name>; a name may hold colons. */
export function declarationOf(urn: string): Pick<Declaration, "project" | "stack" | "name"> {
  const [stack = "", project = "", , ...name] = urn.replace(/^urn:pulumi:/, "").split("::");
  return { project, stack, name: name.join("::") };
}

/** Which of our resources a URN is of. Errors: GW1001. */
export function resourceTypeOf(urn: string): ResourceType {
  const token = urn.split("::")[2]?.split("$").at(-1) ?? "";
  const name = token.split(":").at(-1) ?? "";
  if (Object.hasOwn(packageSchema.resources, name)) return name as ResourceType;
  throw new GodwitError(ErrorCode.InvalidInput, `there is no resource type ${token}`, {
    object: urn,
    remedy: `there are ${Object.keys(packageSchema.resources)
      .map((known) => `godwit:index:${known}`)
      .join(", ")}`,
  });
}
