import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import { suggestion } from "../engine/suggestion.js";
import { inputsJsonSchema } from "./jsonSchema.js";
import { packageSchema } from "./packageSchema.js";
import { type Failure, rulesOf } from "./rules.js";
import { isUnknown } from "./unknowns.js";

export type { Failure } from "./rules.js";

const ajv = new Ajv({ allErrors: true, useDefaults: true, verbose: true });
const validators = new Map<string, ValidateFunction>();

/**
 * Checks a resource's inputs against schema.json and against the rules that span several properties. Touches no server; values
 * that a preview does not know yet pass. A reason never repeats a value, for it may be a secret in the wrong place.
 */
export function validate(resourceType: string, inputs: object): readonly Failure[] {
  const copy = structuredClone(inputs);
  const check = validatorOf(resourceType);
  check(copy);
  const failures = (check.errors ?? []).filter((error) => !isOfUnknowns(error)).map((error) => failureOf(error));
  // Rules read properties as the schema describes them: they would trip over what does not fit it.
  return failures.length > 0 ? failures : rulesOf(resourceType)(copy);
}

/** The inputs with schema.json's defaults filled in. */
export function withDefaults<I extends object>(resourceType: string, inputs: I): I {
  const copy = structuredClone(inputs);
  validatorOf(resourceType)(copy);
  return copy;
}

function validatorOf(resourceType: string): ValidateFunction {
  const known = validators.get(resourceType);
  if (known) return known;
  const resource = packageSchema.resources[resourceType];
  if (!resource) throw new RangeError(`no such resource type: ${resourceType}`);
  const validator = ajv.compile(inputsJsonSchema(resource));
  validators.set(resourceType, validator);
  return validator;
}

/** Whether only values fail that are not known yet. Of two such in a list nobody knows that they are the same. */
function isOfUnknowns({ keyword, data, params }: ErrorObject): boolean {
  if (keyword !== "uniqueItems") return isUnknown(data);
  const { i } = params as { i: number };
  return Array.isArray(data) && isUnknown(data[i]);
}

interface Verbose {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, { readonly description?: string }>>;
}

function failureOf(error: ErrorObject): Failure {
  const property = pathOf(error.instancePath);
  const schema = (error.parentSchema ?? {}) as Verbose;
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case "required": {
      const name = String(params.missingProperty);
      return { property: join(property, name), reason: withText("is required", schema.properties?.[name]?.description) };
    }
    case "additionalProperties": {
      const name = String(params.additionalProperty);
      return { property: join(property, name), reason: unknownProperty(name, Object.keys(schema.properties ?? {})) };
    }
    case "enum": {
      const values = (params.allowedValues as readonly string[]).map(String);
      const near = typeof error.data === "string" ? suggestion(error.data, values) : undefined;
      const list = values.map((value) => `"${value}"`).join(", ");
      return {
        property,
        reason: `must be ${values.length > 1 ? "one of " : ""}${list}${near ? `; did you mean "${near}"?` : ""}`,
      };
    }
    case "type":
      return {
        property,
        reason: withText(`must be ${article(String(params.type))}, not ${kindOf(error.data)}`, schema.description),
      };
    case "pattern":
      return { property, reason: withText(`must have the form ${String(params.pattern)}`, schema.description) };
    case "minimum":
    case "maximum":
    case "exclusiveMinimum":
      return { property, reason: withText(boundsOf(error), schema.description) };
    case "minItems":
      return { property, reason: withText("must not be empty", schema.description) };
    case "minLength":
      return { property, reason: "must not be empty" };
    case "uniqueItems":
      return { property, reason: `holds the same value twice, at [${String(params.j)}] and [${String(params.i)}]` };
    default:
      return { property, reason: error.message ?? error.keyword };
  }
}

function unknownProperty(name: string, known: readonly string[]): string {
  const near = suggestion(name, known);
  return near ? `there is no such property; did you mean "${near}"?` : `there is no such property; there are ${known.join(", ")}`;
}

function boundsOf(error: ErrorObject): string {
  const { minimum, maximum, exclusiveMinimum } = error.parentSchema as Record<string, number | undefined>;
  if (exclusiveMinimum !== undefined) return `must be above ${exclusiveMinimum}`;
  if (minimum !== undefined && maximum !== undefined) return `must be from ${minimum} to ${maximum}`;
  return minimum === undefined ? `must be at most ${maximum}` : `must be at least ${minimum}`;
}

function withText(reason: string, description: string | undefined): string {
  return description ? `${reason}. ${description}` : reason;
}

function article(type: string): string {
  const words: Record<string, string> = { array: "a list", object: "an object", integer: "a whole number" };
  return words[type] ?? `a ${type}`;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "number" && !Number.isInteger(value)) return "a fraction";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** A JSON pointer as a property path: `/objects/0/schema` is `objects[0].schema`. */
function pathOf(pointer: string): string {
  const parts = pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  return parts.reduce((path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : join(path, part)), "");
}

function join(path: string, name: string): string {
  return path ? `${path}.${name}` : name;
}
