import type { TaskEndpoint } from "../../engine/models/endpoint.js";
import { type PostgresEndpoint, withConnection } from "../postgres/connection.js";
import { readTraits } from "./readTraits.js";
import { readTypeLengths, type TypeLengths } from "./representation.js";
import { sourceSettings, targetSettings } from "./sessionSettings.js";
import type { PolardbTraits } from "./traits.js";

/** An end of a task with what its server is, and with the settings that our sessions there need. */
export interface PolardbEnd {
  readonly endpoint: TaskEndpoint & PostgresEndpoint;
  readonly traits: PolardbTraits;
  readonly lengths: TypeLengths;
}

/** Asks a source what it is; a PostgreSQL server answers as well, and needs no settings. Errors: those of `connect`. */
export function askSource(endpoint: TaskEndpoint, applicationName: string): Promise<PolardbEnd> {
  return ask(endpoint, applicationName, sourceSettings);
}

/** The same for a target. */
export function askTarget(endpoint: TaskEndpoint, applicationName: string): Promise<PolardbEnd> {
  return ask(endpoint, applicationName, targetSettings);
}

function ask(
  endpoint: TaskEndpoint,
  applicationName: string,
  settings: (traits: PolardbTraits) => Readonly<Record<string, string>>,
): Promise<PolardbEnd> {
  return withConnection(endpoint, { applicationName }, async (client) => {
    const traits = await readTraits(client);
    return { endpoint: { ...endpoint, sessionSettings: settings(traits) }, traits, lengths: await readTypeLengths(client) };
  });
}
