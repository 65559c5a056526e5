import { text } from "node:stream/consumers";
import { type Numbered, openNumbered, writeNumbered } from "./numberedChanges.js";

/** A writer in a process of its own, to be killed. Takes a Numbered as JSON on standard input, says "writing" when it begins, ends at its `until`. */
async function main(): Promise<void> {
  const task = JSON.parse(await text(process.stdin)) as Numbered;
  const producer = await openNumbered(task.endpoint);
  process.stdout.write("writing\n");
  await writeNumbered(task, producer);
  producer.close();
}

main().catch((cause: unknown) => {
  console.error(cause);
  process.exitCode = 1;
});
