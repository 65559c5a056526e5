import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PostgresServer } from "../test/support/postgres.js";

export interface PasswordFile {
  /** For a child that uses libpq. Passwords are in the file only: arguments and environments show in process lists. */
  readonly environment: NodeJS.ProcessEnv;
  /** A folder for whatever else the child writes; it goes with the file. */
  readonly folder: string;
  remove(): Promise<void>;
}

export async function passwordFile(...servers: readonly PostgresServer[]): Promise<PasswordFile> {
  const folder = await mkdtemp(join(tmpdir(), "godwit-bench-peer-"));
  const file = join(folder, "pgpass");
  const lines = servers.map(({ host, port, username, password }) => `${host}:${port}:*:${username}:${password}\n`);
  await writeFile(file, lines.join(""), { mode: 0o600 });
  const foreign = Object.keys(process.env).filter((name) => name.startsWith("PG"));
  const environment: NodeJS.ProcessEnv = { ...process.env, PGPASSFILE: file, PGSSLMODE: "disable" };
  for (const name of foreign) delete environment[name];
  return {
    environment: { ...environment, PGPASSFILE: file, PGSSLMODE: "disable" },
    folder,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

export function connectionUri({ host, port, username }: PostgresServer, database: string): string {
  return `postgresql://${username}@${host}:${port}/${database}`;
}
