// biome-ignore lint/correctness/useImportExtensions: the rule knows no JSON
import schema from "../../schema.json";

/** A property or item of schema.json: Pulumi Package Schema, with JSON Schema's keywords for what Pulumi has no words for. */
export interface PropertySpec {
  readonly type?: "string" | "integer" | "number" | "boolean" | "array" | "object";
  readonly $ref?: string;
  readonly description?: string;
  readonly items?: PropertySpec;
  readonly additionalProperties?: PropertySpec;
  readonly default?: string | number | boolean;
  readonly secret?: boolean;
  readonly willReplaceOnChanges?: boolean;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minItems?: number;
  readonly uniqueItems?: boolean;
}

export interface TypeSpec {
  readonly type: "string" | "object";
  readonly description?: string;
  readonly enum?: readonly { readonly value: string; readonly description?: string }[];
  readonly properties?: Readonly<Record<string, PropertySpec>>;
  readonly required?: readonly string[];
}

export interface ResourceSpec {
  readonly description: string;
  readonly inputProperties: Readonly<Record<string, PropertySpec>>;
  readonly requiredInputs: readonly string[];
  readonly properties: Readonly<Record<string, PropertySpec>>;
  readonly required: readonly string[];
}

export interface PackageSpec {
  readonly types: Readonly<Record<string, TypeSpec>>;
  readonly resources: Readonly<Record<string, ResourceSpec>>;
}

const TOKEN_PREFIX = "godwit:index:";

/** schema.json, its types and resources by their plain names. */
export const packageSchema: PackageSpec = {
  types: plainNames(schema.types as Record<string, TypeSpec>),
  resources: plainNames(schema.resources as Record<string, ResourceSpec>),
};

/**
 * The `$ref` of a value of any type. An Endpoint's `connection` is such: to give it the type Connection would be right, but Pulumi's YAML takes no output
 * that has an enum in it for an input.
 */
export const ANY = "pulumi.json#/Any";

/** The plain name of the type that a `$ref` means. */
export function refName(ref: string): string {
  return ref.slice(`#/types/${TOKEN_PREFIX}`.length);
}

export function typeNamed(name: string): TypeSpec {
  const type = packageSchema.types[name];
  if (!type) throw new RangeError(`schema.json has no type ${name}`);
  return type;
}

function plainNames<T>(byToken: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(byToken).map(([token, spec]) => [token.slice(TOKEN_PREFIX.length), spec]));
}
