import { packageSchema } from "../contract/packageSchema.js";
import { validate, withDefaults } from "../contract/validate.js";
import { ErrorCode } from "../engine/errors.js";
import { type ResourceType, resourceOf } from "../resources/index.js";
import type { CheckFailure } from "../resources/resource.js";

export type Properties = Readonly<Record<string, unknown>>;

export interface CheckedInputs {
  /** With defaults, when they fit. */
  readonly inputs: Properties;
  /** In the form that Pulumi prints. */
  readonly failures: readonly CheckFailure[];
}

/**
 * What every front door's check does: schema.json, its rules, the defaults, and what only the resource knows. `mayPrint` says of a property
 * that does not fit whether Pulumi may print its value.
 */
export function checkedInputs(
  resourceType: ResourceType,
  inputs: Properties,
  mayPrint: (name: string) => boolean,
): CheckedInputs {
  const known = packageSchema.resources[resourceType]?.inputProperties ?? {};
  const report = (failure: CheckFailure) => reported(failure, (name) => Object.hasOwn(known, name) && mayPrint(name));
  const failures = validate(resourceType, inputs);
  if (failures.length > 0) return { inputs, failures: failures.map(report) };
  const checked = withDefaults(resourceType, inputs);
  return { inputs: checked, failures: (resourceOf(resourceType).check?.(checked) ?? []).map(report) };
}

/**
 * Pulumi prints the value of a failing top-level property beside the reason. One under a misspelt name may be a secret that nobody marked: no
 * value belongs to a failure without a property, so there the reason names it.
 */
function reported({ property, reason }: CheckFailure, mayPrint: (name: string) => boolean): CheckFailure {
  const printsValue = !/[.[]/.test(property);
  if (printsValue && !mayPrint(property)) return { property: "", reason: `${ErrorCode.InvalidInput}: ${property}: ${reason}` };
  return { property, reason: `${ErrorCode.InvalidInput}: ${reason}` };
}
