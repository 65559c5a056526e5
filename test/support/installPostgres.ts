import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory, type PostgresMajor, postgresBinaries, VERSIONS } from "./postgresBinaries.js";

/** Installs the servers of the majors named on the command line, so that no test has to wait for a download. */
async function installPostgres(majors: readonly PostgresMajor[]): Promise<void> {
  const cache = await cacheDirectory();
  for (const major of majors) {
    if (!existsSync(join(cache, `postgres-${VERSIONS[major]}`)))
      console.error(`set-up: installing PostgreSQL ${VERSIONS[major]} into ${cache}`);
    await postgresBinaries(major);
  }
}

installPostgres(process.argv.slice(2).map((argument) => Number(argument) as PostgresMajor)).catch((error: unknown) => {
  console.error(`set-up: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
