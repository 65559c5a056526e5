import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory } from "../postgresBinaries.js";
import { KAFKA_VERSIONS, kafkaJars, registryProgram } from "./kafkaJars.js";
import { javaProblem } from "./mavenJars.js";

/** Downloads Kafka and a Schema Registry, so that no test has to wait for it. A machine without Java has to do without: its tests say so. */
async function installKafka(): Promise<void> {
  const cache = join(await cacheDirectory(), "jars");
  const missing = KAFKA_VERSIONS.filter((version) => !existsSync(join(cache, `kafka-${version}`)));
  if (missing.length > 0) {
    const problem = javaProblem();
    if (problem) {
      console.error(`set-up: ${problem}`);
      return;
    }
    console.error(`set-up: downloading Kafka ${missing.join(" and ")} into ${cache} (Maven)`);
  }
  for (const version of KAFKA_VERSIONS) await kafkaJars(version);
  await registryProgram();
}

installKafka().catch((error: unknown) => {
  console.error(`set-up: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
