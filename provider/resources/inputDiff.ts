import { isDeepStrictEqual } from "node:util";
import { packageSchema, refName } from "../contract/packageSchema.js";
import type { Connection } from "../contract/types.js";
import { containsUnknown, isUnknown } from "../contract/unknowns.js";
import { withDefaults } from "../contract/validate.js";
import type { PropertyChange } from "./resource.js";
import { valueChanges } from "./valueChanges.js";

export interface InputDiff {
  readonly changed: readonly string[];
  /** Those of `changed` that only a new resource can take. */
  readonly replaces: readonly string[];
  /** Value by value. */
  readonly details: readonly PropertyChange[];
}

/**
 * What differs between the inputs in a resource's outputs and new inputs. `computed` names inputs that the resource fills in
 * when they are left out: leaving them out is no change. Values that a preview does not know count as changed.
 */
export function inputDiff(resourceType: string, olds: object, news: object, computed: readonly string[] = []): InputDiff {
  const properties = packageSchema.resources[resourceType]?.inputProperties ?? {};
  // A default that joined the contract after the state was written is no change either.
  const before = withDefaults(resourceType, inputsAmong(olds, properties));
  const after = news as Readonly<Record<string, unknown>>;
  const changed: string[] = [];
  const replaces: string[] = [];
  const details: PropertyChange[] = [];
  for (const [name, property] of Object.entries(properties)) {
    if (computed.includes(name) && after[name] === undefined) continue;
    if (isDeepStrictEqual(before[name], after[name]) && !containsUnknown(after[name])) continue;
    changed.push(name);
    const connection = property.$ref !== undefined && refName(property.$ref) === "Connection";
    const replaced = property.willReplaceOnChanges && (!connection || isAnotherDatabase(before[name], after[name]));
    if (replaced) replaces.push(name);
    for (const change of valueChanges(name, before[name], after[name])) {
      details.push({ ...change, replaces: replaced === true && (!connection || leadsElsewhere(name, change.property)) });
    }
  }
  return { changed, replaces, details };
}

/** What a resource found at a server, not in its inputs, and an update mends. */
export function foundOtherwise(property: string): PropertyChange {
  return { property, kind: "update", replaces: false, found: true };
}

/**
 * Whether a connection leads to another database than before: engine or database name changed, or no host is the same. A password, a
 * certificate, or one more host of the cluster changes the way, not the place.
 */
function isAnotherDatabase(before: unknown, after: unknown): boolean {
  if (!isConnection(before) || !isConnection(after)) return before !== undefined && !isUnknown(after);
  return (
    before.engine !== after.engine ||
    before.databaseName !== after.databaseName ||
    before.oracle?.serviceName !== after.oracle?.serviceName ||
    before.oracle?.sid !== after.oracle?.sid ||
    (!containsUnknown(after.hosts) && !after.hosts.some((host) => before.hosts.includes(host)))
  );
}

/** Whether a path within a connection is of what `isAnotherDatabase` asks. */
function leadsElsewhere(name: string, path: string): boolean {
  return path === name || /^\.(engine|databaseName|hosts|oracle$|oracle\.(serviceName|sid))/.test(path.slice(name.length));
}

function isConnection(value: unknown): value is Connection {
  return value !== null && typeof value === "object" && Array.isArray((value as { hosts?: unknown }).hosts);
}

function inputsAmong(outputs: object, properties: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(outputs).filter(([name]) => Object.hasOwn(properties, name)));
}
