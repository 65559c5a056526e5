import { Client } from "pg";
import { describeDatabase } from "../databases/postgres/schema/describeDatabase.js";
import type { TestTask } from "../support/task.js";

export interface Comparison {
  /** Lines of the catalog that only one side has. */
  readonly onlySource: readonly string[];
  readonly onlyTarget: readonly string[];
  /** Tables whose rows differ. */
  readonly rows: readonly string[];
}

/**
 * Waits until both sides are alike, in structure and in rows; what differs when they never are. The servers must be of one version: their catalogs
 * are compared as they print them.
 */
export async function settled(task: TestTask, seconds = 60): Promise<Comparison> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await compareAll(task).catch((cause: unknown) => {
      // An object that was there when the catalog was read and gone when it was described.
      if (Date.now() > end) throw cause;
    });
    if (found && (found.onlySource.length + found.onlyTarget.length + found.rows.length === 0 || Date.now() > end)) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

export const ALIKE: Comparison = { onlySource: [], onlyTarget: [], rows: [] };

async function compareAll(task: TestTask): Promise<Comparison> {
  // Structure first: while it differs, tables can't be compared.
  const source = await structure(task, "source");
  const target = await structure(task, "target");
  const onlySource = source.filter((line) => !target.includes(line));
  const onlyTarget = target.filter((line) => !source.includes(line));
  if (onlySource.length + onlyTarget.length > 0) return { onlySource, onlyTarget, rows: [] };
  const { differences } = await task.compare();
  return { onlySource, onlyTarget, rows: differences.map((each) => JSON.stringify(each)) };
}

/** What the capture and the task set at the source alone does not count: its own schema, replica identities. */
async function structure(task: TestTask, side: "source" | "target"): Promise<string[]> {
  const { server, name } = task[side];
  const client = new Client(server.clientConfig(name));
  await client.connect();
  try {
    const lines = await describeDatabase(client);
    return lines
      .filter((line) => !line.includes('"schema":"godwit'))
      .map((line) =>
        line
          .replace(/"relreplident":"."/, "")
          .replace(/"indisreplident":(true|false)/, "")
          // A column that joined an inheritance tree by itself says so.
          .replace(/"attislocal":(true|false)/, ""),
      );
  } finally {
    await client.end();
  }
}
