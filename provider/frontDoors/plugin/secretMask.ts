import { ANY, type PropertySpec, packageSchema, refName, typeNamed } from "../../contract/packageSchema.js";
import { isUnknown } from "../../contract/unknowns.js";

/** Which of some values are secret: all of it, or what lies under these names (and indexes of lists). */
export type SecretMask = true | SecretFields | undefined;

interface SecretFields {
  readonly [name: string]: SecretMask;
}

export function isSecretAt(mask: SecretMask, name: string | number): SecretMask {
  return mask === true ? true : mask?.[name];
}

export function secretsWithin(fields: readonly (readonly [string | number, SecretMask])[]): SecretMask {
  const secret = fields.filter(([, mask]) => mask !== undefined);
  return secret.length > 0 ? Object.fromEntries(secret) : undefined;
}

/** What is secret by either. */
export function bothMasks(a: SecretMask, b: SecretMask): SecretMask {
  if (a === undefined || b === undefined) return a ?? b;
  if (a === true || b === true) return true;
  return secretsWithin([...new Set([...Object.keys(a), ...Object.keys(b)])].map((name) => [name, bothMasks(a[name], b[name])]));
}

/** What schema.json calls secret among a resource's values, inputs and outputs alike. */
export function contractSecrets(resourceType: string, values: Readonly<Record<string, unknown>>): SecretMask {
  const resource = packageSchema.resources[resourceType];
  return ofFields({ ...resource?.inputProperties, ...resource?.properties }, values);
}

/** Whether the property is, or may hold, something that schema.json calls secret. */
export function mayHoldSecrets(property: PropertySpec | undefined): boolean {
  if (!property) return false;
  if (property.secret) return true;
  if (property.items) return mayHoldSecrets(property.items);
  if (property.$ref === undefined || property.$ref === ANY) return false;
  return Object.values(typeNamed(refName(property.$ref)).properties ?? {}).some(mayHoldSecrets);
}

/** Whether Pulumi may print what a program gave for an input: it hides what came as a secret, and nothing else. */
export function mayPrint(resourceType: string, input: string, given: SecretMask): boolean {
  return isSecretAt(given, input) === true || !mayHoldSecrets(packageSchema.resources[resourceType]?.inputProperties[input]);
}

function ofFields(properties: Readonly<Record<string, PropertySpec>>, values: Readonly<Record<string, unknown>>): SecretMask {
  return secretsWithin(Object.entries(values).map(([name, value]) => [name, ofValue(properties[name], value)]));
}

function ofValue(property: PropertySpec | undefined, value: unknown): SecretMask {
  if (!property) return undefined;
  if (property.secret) return true;
  if (!mayHoldSecrets(property)) return undefined;
  // Something else than the contract says, or not known yet: no one can tell which part of it is secret.
  if (value === null || typeof value !== "object" || isUnknown(value)) return true;
  if (property.items && Array.isArray(value)) {
    return secretsWithin(value.map((item, index) => [index, ofValue(property.items, item)]));
  }
  const fields = property.$ref ? (typeNamed(refName(property.$ref)).properties ?? {}) : {};
  return ofFields(fields, value as Readonly<Record<string, unknown>>);
}
