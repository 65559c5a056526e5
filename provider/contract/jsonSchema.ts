import { type PropertySpec, packageSchema, type ResourceSpec, refName, type TypeSpec } from "./packageSchema.js";

/** The JSON Schema of a resource's inputs: what ajv checks. The types of schema.json become its `$defs`. */
export function inputsJsonSchema(resource: ResourceSpec): object {
  return {
    ...objectSchema(resource.inputProperties, resource.requiredInputs),
    $defs: Object.fromEntries(Object.entries(packageSchema.types).map(([name, type]) => [name, typeSchema(type)])),
  };
}

function typeSchema(type: TypeSpec): object {
  return type.enum
    ? { type: "string", enum: type.enum.map(({ value }) => value) }
    : objectSchema(type.properties ?? {}, type.required ?? []);
}

function objectSchema(properties: Readonly<Record<string, PropertySpec>>, required: readonly string[]): object {
  return {
    type: "object",
    properties: Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, propertySchema(property)])),
    required,
    additionalProperties: false,
  };
}

function propertySchema(property: PropertySpec): object {
  const { $ref, items, additionalProperties, secret: _secret, willReplaceOnChanges: _replace, ...keywords } = property;
  return {
    ...keywords,
    ...($ref ? { $ref: `#/$defs/${refName($ref)}` } : {}),
    ...(items ? { items: propertySchema(items) } : {}),
    ...(additionalProperties ? { additionalProperties: propertySchema(additionalProperties) } : {}),
  };
}
