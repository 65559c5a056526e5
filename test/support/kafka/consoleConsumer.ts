import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { kafkaJars } from "./kafkaJars.js";

const run = promisify(execFile);

/**
 * What kafka-console-consumer prints for a topic from its beginning: `partition<tab>key<tab>value` a line, committed records only. Ends when nothing more
 * has come for a while.
 */
export async function consoleConsumer(host: string, topic: string, records: number): Promise<string[]> {
  const args = [
    ...[
      "-Xmx128m",
      "-XX:TieredStopAtLevel=1",
      "-cp",
      `${await kafkaJars()}/*`,
      "org.apache.kafka.tools.consumer.ConsoleConsumer",
    ],
    ...["--bootstrap-server", host, "--topic", topic, "--from-beginning", "--isolation-level", "read_committed"],
    ...["--max-messages", String(records), "--timeout-ms", "20000"],
    ...["--property", "print.partition=true", "--property", "print.key=true"],
  ];
  const { stdout } = await run("java", args, { maxBuffer: 256 * 1024 * 1024 });
  return stdout.split("\n").filter((line) => line.startsWith("Partition:"));
}
