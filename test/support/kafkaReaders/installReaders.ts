import { prepareKafkaReaders, readersProblem } from "./readers.js";

/** Downloads and compiles the readers, so that no test has to wait for it. A machine without Java has to do without: its tests say so. */
async function installReaders(): Promise<void> {
  const problem = readersProblem();
  if (problem === undefined) await prepareKafkaReaders();
  else console.error(`set-up: ${problem}`);
}

installReaders().catch((error: unknown) => {
  console.error(`set-up: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
