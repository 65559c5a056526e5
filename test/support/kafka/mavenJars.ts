import { execFile, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheDirectory, exists, publish } from "../postgresBinaries.js";

const run = promisify(execFile);

/** The plugin's version is pinned: each Maven would otherwise bring the one it was built with. */
const COPY_DEPENDENCIES = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/** `group:artifact:version[:type[:classifier]]`, as Maven writes coordinates. */
export type Coordinates = string;

/**
 * A folder of the cache that holds these artifacts and all they depend on, from Maven Central on first use; a tar.gz is unpacked there. `name` is
 * the folder's and must change with the versions, for what is there is taken as it is.
 */
export async function mavenJars(name: string, artifacts: readonly Coordinates[]): Promise<string> {
  const cache = join(await cacheDirectory(), "jars");
  const home = join(cache, name);
  if (await exists(home)) return home;
  const problem = javaProblem();
  if (problem) throw new Error(problem);
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, ".install-"));
  try {
    await writeFile(join(work, "pom.xml"), project(artifacts));
    const args = ["-B", "-q", COPY_DEPENDENCIES, "-DincludeScope=runtime", `-DoutputDirectory=${join(work, "jars")}`];
    await run("mvn", args, { cwd: work, maxBuffer: 16 * 1024 * 1024 });
    for (const name of (await readdir(join(work, "jars"))).filter((file) => file.endsWith(".tar.gz"))) {
      await run("tar", ["-xzf", name], { cwd: join(work, "jars") });
      await rm(join(work, "jars", name));
    }
    await publish(join(work, "jars"), home);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return home;
}

/** Why no Kafka can be started on this machine, in a sentence; undefined when it can. */
export function javaProblem(): string | undefined {
  const missing = [
    { program: "java", args: ["-version"], name: "Java 17 or newer" },
    { program: "mvn", args: ["-version"], name: "Maven" },
  ].filter(({ program, args }) => spawnSync(program, args, { stdio: "ignore" }).status !== 0);
  if (missing.length === 0) return undefined;
  return `Kafka's brokers come from Maven Central and need ${missing.map(({ name }) => name).join(" and ")} on the PATH`;
}

function project(artifacts: readonly Coordinates[]): string {
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>godwit</groupId><artifactId>jars</artifactId><version>1</version>
  <dependencies>${artifacts.map(dependency).join("")}</dependencies>
</project>`;
}

function dependency(coordinates: Coordinates): string {
  const [group, artifact, version, type, classifier] = coordinates.split(":");
  // An archive holds all that it needs; as a dependency it would bring every jar that it was built from once more.
  const alone = "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>";
  const optional = `${type ? `<type>${type}</type>` : ""}${classifier ? `<classifier>${classifier}</classifier>` : ""}${type && type !== "jar" ? alone : ""}`;
  return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>${optional}</dependency>`;
}
