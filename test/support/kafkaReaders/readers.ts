import { execFile, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { javaProblem, mavenJars } from "../kafka/mavenJars.js";
import { cacheDirectory, exists, publish } from "../postgresBinaries.js";

const run = promisify(execFile);

/**
 * Readers of Kafka records that nobody here wrote, each behind a small Java program (java/*.java): Apache Flink's canal-json format,
 * Apache Avro's generic reader, and the DTS client of the format's vendor.
 */
export type ReaderName = "FlinkCanalReader" | "AvroRecordReader" | "DtsSdkReader";

const ARTIFACTS: Readonly<Record<ReaderName, readonly string[]>> = {
  FlinkCanalReader: [
    "org.apache.flink:flink-json:2.2.0",
    "org.apache.flink:flink-table-common:2.2.0",
    "org.apache.flink:flink-table-runtime:2.2.0",
  ],
  AvroRecordReader: ["org.apache.avro:avro:1.12.1", "org.slf4j:slf4j-nop:2.0.17"],
  DtsSdkReader: ["com.aliyun.dts:dts-new-subscribe-sdk:2.0.0"],
};
/** Small and quick to start. The vendor's client is of Java 8's time and looks into the JDK's time zones. */
const JVM_OPTIONS = [
  "-Xmx256m",
  "-XX:+UseSerialGC",
  "-XX:TieredStopAtLevel=1",
  "--add-exports=java.base/sun.util.calendar=ALL-UNNAMED",
];
const NAMES = Object.keys(ARTIFACTS) as ReaderName[];

let problem: string | undefined | null = null;

/** Why the readers cannot run on this machine, in a sentence; undefined when they can. Asks once. */
export function readersProblem(): string | undefined {
  if (problem === null) {
    const compiles = javaProblem() === undefined && spawnSync("javac", ["-version"], { stdio: "ignore" }).status === 0;
    problem = compiles
      ? undefined
      : "the readers of Kafka records are Java programs over jars from Maven Central: install a JDK of Java 17 or newer, and Maven";
  }
  return problem;
}

/** Leaves a test out on a machine that has no Java, with the reason; where CI is set that is a failure. */
export function needReaders(context: { readonly skip: (note?: string) => never }): void {
  const reason = readersProblem();
  if (reason === undefined) return;
  if (process.env.CI) throw new Error(reason);
  context.skip(reason);
}

/** Downloads the jars and compiles the programs, once for a machine and a version of their sources. Two processes may do so at once. */
export async function prepareKafkaReaders(): Promise<void> {
  const reason = readersProblem();
  if (reason !== undefined) throw new Error(reason);
  for (const name of NAMES) await classPath(name);
}

/** Has a reader read these records: its lines, one a record, and before them what it says of itself. */
export async function readRecords(name: ReaderName, args: readonly string[], records: readonly Buffer[]): Promise<unknown[]> {
  // The vendor's client writes a log file into its working directory.
  const cwd = await mkdtemp(join(tmpdir(), "godwit-reader-"));
  try {
    return await readIn(cwd, name, args, records);
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

async function readIn(cwd: string, name: ReaderName, args: readonly string[], records: readonly Buffer[]): Promise<unknown[]> {
  const java = spawn("java", [...JVM_OPTIONS, "-cp", await classPath(name), name, ...args], { cwd });
  const output: Buffer[] = [];
  let errors = "";
  java.stdout.on("data", (data: Buffer) => output.push(data));
  java.stderr.on("data", (data: Buffer) => (errors += data.toString()));
  const ended = new Promise<void>((resolve, reject) => {
    java.once("error", reject);
    java.once("close", (code) => (code === 0 ? resolve() : reject(new Error(`${name} ended with ${code}:\n${errors}`))));
  });
  // A reader that dies says why by its end; the broken pipe adds nothing.
  java.stdin.on("error", () => undefined);
  for (const record of records) {
    const length = Buffer.alloc(4);
    length.writeInt32BE(record.length);
    java.stdin.write(length);
    java.stdin.write(record);
  }
  java.stdin.end();
  await ended;
  const lines = Buffer.concat(output).toString("utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as unknown);
}

async function classPath(name: ReaderName): Promise<string> {
  const folder = join(__dirname, "java");
  const sources = [join(folder, "JsonLines.java"), join(folder, `${name}.java`)];
  const artifacts = JSON.stringify(ARTIFACTS[name]);
  const jars = join(await mavenJars(`${name}-${digest([artifacts])}`, ARTIFACTS[name]), "*");
  const cache = join(await cacheDirectory(), "kafka-readers");
  const texts = await Promise.all(sources.map((source) => readFile(source, "utf8")));
  const classes = join(cache, `${name}-${digest([artifacts, ...texts])}`);
  if (!(await exists(classes))) {
    await mkdir(cache, { recursive: true });
    const work = await mkdtemp(join(cache, ".compile-"));
    try {
      await run("javac", ["-d", join(work, "classes"), "-cp", jars, ...sources]);
      await publish(join(work, "classes"), classes);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  return `${classes}:${jars}`;
}

function digest(texts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(texts)).digest("hex").slice(0, 16);
}
