import { UNKNOWN } from "../../contract/unknowns.js";
import { Struct, type StructMessage } from "./pulumiModules.js";
import { isSecretAt, type SecretMask, secretsWithin } from "./secretMask.js";

/** What Pulumi puts under this key says that the object is no object but one of its own kinds of value (sdk/go/common/resource/sig.go). */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4";

export interface Decoded {
  /** Plain values; unknown ones are the sentinels of contract/unknowns.ts. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Which of them came as secrets. */
  readonly secrets: SecretMask;
}

/** Takes Pulumi's wrappings off a message's values. A null is a value that is not there. */
export function decoded(struct: StructMessage | undefined): Decoded {
  const { value, secrets } = unwrapped(struct?.toJavaScript() ?? {});
  return { values: value as Record<string, unknown>, secrets };
}

/** Plain values as a message, secrets wrapped as such. */
export function encoded(values: object, secrets: SecretMask): StructMessage {
  return Struct.fromJavaScript(wrappedFields(values, secrets) as Parameters<typeof Struct.fromJavaScript>[0]);
}

interface Unwrapped {
  readonly value: unknown;
  readonly secrets: SecretMask;
}

function unwrapped(wire: unknown): Unwrapped {
  if (Array.isArray(wire)) {
    const items = wire.map(unwrapped);
    return {
      value: items.map(({ value }) => value),
      secrets: secretsWithin(items.map(({ secrets }, index) => [index, secrets])),
    };
  }
  if (wire === null || typeof wire !== "object") return { value: wire, secrets: undefined };
  const fields = wire as Readonly<Record<string, unknown>>;
  if (fields[SIGNATURE] === SECRET) return { value: unwrapped(fields.value).value, secrets: true };
  if (fields[SIGNATURE] === OUTPUT) {
    const { value, secrets } = unwrapped(fields.value ?? UNKNOWN);
    return { value, secrets: fields.secret === true ? true : secrets };
  }
  const entries = Object.entries(fields)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => [name, unwrapped(value)] as const)
    .filter(([, { value }]) => value !== null);
  return {
    value: Object.fromEntries(entries.map(([name, { value }]) => [name, value])),
    secrets: secretsWithin(entries.map(([name, { secrets }]) => [name, secrets])),
  };
}

function wrapped(value: unknown, secrets: SecretMask): unknown {
  if (secrets === true) return { [SIGNATURE]: SECRET, value: wrapped(value, undefined) };
  if (Array.isArray(value)) return value.map((item, index) => wrapped(item, isSecretAt(secrets, index)));
  if (value !== null && typeof value === "object") return wrappedFields(value, secrets);
  return value;
}

function wrappedFields(values: object, secrets: SecretMask): Record<string, unknown> {
  const present = Object.entries(values).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(present.map(([name, value]) => [name, wrapped(value, isSecretAt(secrets, name))]));
}
