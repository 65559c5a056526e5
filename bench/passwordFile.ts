import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PostgresServer } from "../test/support/postgres.js";
import { startWatchdog } from "../test/support/watchdog.js";

export interface PasswordFile {
  /** For a child that uses libpq. Passwords are in the file only: arguments and environments show in process lists. */
  readonly environment: NodeJS.ProcessEnv;
  /** A folder for whatever else the child writes; it goes with the file. */
  readonly folder: string;
  remove(): Promise<void>;
}

export async function passwordFile(...servers: readonly PostgresServer[]): Promise<PasswordFile> {
  const folder = await mkdtemp(join(tmpdir(), "godwit-bench-peer-"));
  // Also when the bench is killed: there are passwords in it.
  const watchdog = startWatchdog('rm -rf "$1"', [folder]);
  const file = join(folder, "pgpass");
  const lines = servers.map(({ host, port, username, password }) => `${host}:${port}:*:${username}:${password}\n`);
  await writeFile(file, lines.join(""), { mode: 0o600 });
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("PG"));
  return {
    environment: { ...Object.fromEntries(own), PGPASSFILE: file, PGSSLMODE: "disable" },
    folder,
    remove: async () => {
      await rm(folder, { recursive: true, force: true });
      watchdog.release();
    },
  };
}

export function connectionUri({ host, port, username }: PostgresServer, database: string): string {
  return `postgresql://${username}@${host}:${port}/${database}`;
}
