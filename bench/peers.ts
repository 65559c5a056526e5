import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Opened } from "./largeTables.js";
import { connectionUri, passwordFile } from "./passwordFile.js";

/** Seconds of one pipe per table, all at once: what a user writes who wants rows moved fast with what is installed. */
export async function timePsqlPipes(
  { source, target, sourceDatabase, targetDatabase }: Opened,
  tables: readonly string[],
): Promise<number> {
  const { environment, folder, remove } = await passwordFile(source, target);
  const pipe = `set -o pipefail
    psql -X -q -d "$1" -c "COPY $3 TO STDOUT (FORMAT binary)" | psql -X -q -d "$2" -c "COPY $3 FROM STDIN (FORMAT binary)"`;
  try {
    return await seconds(() =>
      Promise.all(
        tables.map((table) =>
          run(
            "bash",
            ["-c", pipe, "bash", connectionUri(source, sourceDatabase), connectionUri(target, targetDatabase), table],
            environment,
            folder,
          ),
        ),
      ),
    );
  } finally {
    await remove();
  }
}

/** Seconds of `pgcopydb clone`, with as many jobs as it takes to be fastest here. */
export async function timePgcopydb({ source, target, sourceDatabase, targetDatabase }: Opened, jobs: number): Promise<number> {
  const { environment, folder, remove } = await passwordFile(source, target);
  const args = [
    "clone",
    ...["--source", connectionUri(source, sourceDatabase), "--target", connectionUri(target, targetDatabase)],
    ...["--dir", join(folder, "work"), "--table-jobs", String(jobs), "--index-jobs", String(jobs)],
  ];
  try {
    return await seconds(() => run("pgcopydb", args, environment, folder));
  } finally {
    await remove();
  }
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - began) / 1e9;
}

async function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv, cwd: string): Promise<void> {
  const child = spawn(program, args, { env, cwd, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const code = await new Promise<number | null>((settle, fail) => child.once("error", fail).once("close", settle));
  if (code !== 0) throw new Error(`${program} ended with ${code}:\n${output.split("\n").slice(-15).join("\n")}`);
}
