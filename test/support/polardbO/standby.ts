import { execFile } from "node:child_process";
import { appendFile, cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { startPostgres } from "../postgres.js";
import { startFrontendProxy } from "./frontendProxy.js";
import type { PolardbStandIn } from "./standIn.js";

const run = promisify(execFile);

/** A second node of a stand-in: a real streaming standby, which confirms every commit of the primary. */
export interface StandbyNode extends PolardbStandIn {
  /** Both nodes, the primary first, as an endpoint's hosts. */
  readonly hosts: string[];
  /**
   * Ends the primary at once, as a power cut would, and makes this node the primary. `slots`: with the primary's logical slots, as PolarDB's slot failover
   * (polar_failover_slot_mode) leaves them; PostgreSQL 14 has none, so their files are copied.
   */
  takeOver(options: { readonly slots: boolean }): Promise<void>;
}

/** Restarts the primary, whose data it copies. PostgreSQL 12 and up. */
export async function addStandby(primary: PolardbStandIn): Promise<StandbyNode> {
  const { server: first, release } = primary;
  const server = await startPostgres({
    major: first.major,
    settings: { fsync: "off", wal_keep_size: "1GB" },
    name: "polardb-standby",
  });
  const data = server.dataDirectory;
  await server.stop();
  const configuration = await readFile(join(data, "postgresql.conf"), "utf8");
  await first.query("ALTER SYSTEM SET synchronous_standby_names = '*'");
  await first.query("ALTER SYSTEM SET wal_keep_size = '1GB'");
  // A commit would wait for a standby that is not there yet: only this and the next lines come before it.
  await first.stop();
  await rm(data, { recursive: true, force: true });
  await run("cp", ["-a", first.dataDirectory, data]);
  await rm(join(data, "postmaster.pid"), { force: true });
  await rm(join(data, "postgresql.auto.conf"), { force: true });
  await writeKept(join(data, "postgresql.auto.conf"), "");
  await writeKept(join(data, "postgresql.conf"), configuration);
  const conninfo = `host=127.0.0.1 port=${first.port} user=${first.username} password=${first.password} application_name=standby`;
  await appendFile(join(data, "postgresql.conf"), `primary_conninfo = '${conninfo}'\nhot_standby = on\n`);
  // The copy has the first server's superuser and password: the support code knows this node by another.
  const hba = await readFile(join(data, "pg_hba.conf"), "utf8");
  await writeKept(join(data, "pg_hba.conf"), hba.replace("local all postgres scram-sha-256", "local all postgres trust"));
  await run("cp", ["-p", join(data, "pg_hba.conf"), join(data, "standby.signal")]);
  await writeFile(join(data, "standby.signal"), "");
  await first.start();
  await server.start();
  const proxy = await startFrontendProxy(server.port);
  return {
    server,
    proxy,
    release,
    hosts: [`127.0.0.1:${primary.proxy.port}`, `127.0.0.1:${proxy.port}`],
    set: primary.set,
    endpoint: (databaseName) => ({
      ...primary.endpoint(databaseName),
      hosts: [`127.0.0.1:${primary.proxy.port}`, `127.0.0.1:${proxy.port}`],
    }),
    async takeOver({ slots }) {
      await first.kill9();
      if (slots) {
        await server.stop();
        const from = join(first.dataDirectory, "pg_replslot");
        for (const slot of await readdir(from)) {
          await run("cp", ["-a", join(from, slot), join(data, "pg_replslot", slot)]);
        }
        await server.start();
      }
      await server.query("SELECT pg_promote(true, 60)");
    },
    async remove() {
      await proxy.close();
      await server.remove();
    },
  };
}

/** Keeps owner and rights of a file that is there; a copy's owner where it is not. */
async function writeKept(path: string, text: string): Promise<void> {
  const there = await readFile(path).catch(() => undefined);
  if (there === undefined) await cp(join(path, "..", "pg_hba.conf"), path);
  await writeFile(path, text);
}
