import { isUnknown } from "../../contract/unknowns.js";
import type { CheckFailure, Declaration } from "../../resources/resource.js";
import type { Properties } from "../checkedInputs.js";
import { type SecretMask, secretsWithin } from "./secretMask.js";

/** The provider's own settings, `godwit:*` in a stack's configuration; schema.json describes them. */
export interface Configuration {
  readonly smtp: Declaration["smtp"];
  /** By the names that ids of imports begin with. */
  readonly connections: Readonly<Record<string, unknown>>;
}

const TEXTS = ["home", "smtpUrl", "smtpFrom"] as const;

/** Settings that are not ours pass: a project that is called godwit has its own configuration under the same prefix. */
export function configurationFailures(given: Properties): readonly CheckFailure[] {
  const failures: CheckFailure[] = TEXTS.filter((name) => !isText(given[name])).map((property) => ({
    property,
    reason: "must be a string",
  }));
  const { connections, leaveUnreachable, smtpUrl, smtpFrom } = given;
  if (!isUnknown(connections) && connections !== undefined && !recordOf(connections)) {
    const reason = 'must be an object from names to connections, such as {"shop": {"engine": "postgresql", "hosts": [...], ...}}';
    failures.push({ property: "", reason: `connections: ${reason}` });
  }
  if (!isUnknown(leaveUnreachable) && leaveUnreachable !== undefined && !/^(true|false)$/.test(String(leaveUnreachable))) {
    failures.push({ property: "leaveUnreachable", reason: "must be true or false" });
  }
  if ((smtpUrl === undefined) !== (smtpFrom === undefined)) {
    const [missing, there] = smtpUrl === undefined ? ["smtpUrl", "smtpFrom"] : ["smtpFrom", "smtpUrl"];
    failures.push({ property: missing ?? "", reason: `is required when ${there} is given` });
  }
  return failures;
}

/** What of the settings is secret, whether or not it came as such. */
export function configurationSecrets(given: Properties): SecretMask {
  return secretsWithin(["smtpUrl", "connections"].filter((name) => given[name] !== undefined).map((name) => [name, true]));
}

/**
 * Takes the settings in. What resources and the runner read from the environment is set there: this process serves one provider, and
 * no other one's settings can meet them.
 */
export function configured(given: Properties): Configuration {
  const { home, smtpUrl, smtpFrom, leaveUnreachable, connections } = given;
  if (typeof home === "string") process.env.GODWIT_HOME = home;
  if (leaveUnreachable !== undefined) process.env.GODWIT_LEAVE_UNREACHABLE = String(leaveUnreachable);
  const smtp = typeof smtpUrl === "string" && typeof smtpFrom === "string" ? { url: smtpUrl, from: smtpFrom } : undefined;
  return { smtp, connections: recordOf(connections) ?? {} };
}

function isText(value: unknown): boolean {
  return value === undefined || typeof value === "string";
}

/** Pulumi hands a setting that is no text over as JSON. */
function recordOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value === "string") {
    try {
      return recordOf(JSON.parse(value) as unknown);
    } catch {
      return undefined;
    }
  }
  const isRecord = value !== null && typeof value === "object" && !Array.isArray(value);
  return isRecord ? (value as Readonly<Record<string, unknown>>) : undefined;
}
