import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory } from "../postgresBinaries.js";
import { KAFKA_VERSION, kafkaJars, registryProgram } from "./kafkaJars.js";
import { javaProblem } from "./mavenJars.js";

/** Downloads Kafka and a Schema Registry, so that no test has to wait for it. A machine without Java has to do without: its tests say so. */
async function installKafka(): Promise<void> {
  const cache = join(await cacheDirectory(), "jars");
  if (!existsSync(join(cache, `kafka-${KAFKA_VERSION}`))) {
    const problem = javaProblem();
    if (problem) {
      console.error(`set-up: ${problem}`);
      return;
    }
    console.error(`set-up: downloading Kafka ${KAFKA_VERSION} into ${cache} (Maven)`);
  }
  await kafkaJars();
  await registryProgram();
}

installKafka().catch((error: unknown) => {
  console.error(`set-up: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
