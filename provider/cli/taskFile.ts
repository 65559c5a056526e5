import { readFile } from "node:fs/promises";
import type { Connection, MigrationTaskInputs } from "../contract/types.js";
import { validate, withDefaults } from "../contract/validate.js";
import { ErrorCode, GodwitError } from "../engine/errors.js";

/** Reads a MigrationTask's inputs from a JSON file, or from standard input for "-". Errors: GW1001 with every property that is wrong. */
export async function readTask(path: string): Promise<MigrationTaskInputs> {
  const inputs = await readJsonFile(path);
  const failures = validate("MigrationTask", inputs);
  if (failures.length > 0) {
    throw new GodwitError(ErrorCode.InvalidInput, failures.map(({ property, reason }) => `${property}: ${reason}`).join("; "), {
      object: path,
    });
  }
  return withDefaults("MigrationTask", inputs) as unknown as MigrationTaskInputs;
}

export async function readEndpoint(path: string): Promise<Connection> {
  const inputs = await readJsonFile(path);
  const failures = validate("Endpoint", inputs);
  if (failures.length > 0) {
    throw new GodwitError(ErrorCode.InvalidInput, failures.map(({ property, reason }) => `${property}: ${reason}`).join("; "), {
      object: path,
    });
  }
  return inputs as unknown as Connection;
}

async function readJsonFile(path: string): Promise<Record<string, unknown>> {
  try {
    return JSON.parse(await readFile(path === "-" ? "/dev/stdin" : path, "utf8")) as Record<string, unknown>;
  } catch (cause) {
    throw new GodwitError(ErrorCode.InvalidInput, `it can't be read as JSON: ${(cause as Error).message}`, {
      object: path,
      cause,
    });
  }
}
