import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { compareDatabases } from "../support/compareTables.js";
import { listLeftovers, listLocalLeftovers } from "../support/leftovers.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { createProgram, type PulumiProgram } from "../support/pulumi.js";
import { REPOSITORY } from "../support/pulumiProject.js";
import { describeYaml } from "../support/yamlTests.js";

let source: PostgresServer;
let target: PostgresServer;
let program: PulumiProgram;

/** The program that docs/_index.md shows, with the test's servers in it, and without a word of where the plugin is. */
async function documented(): Promise<string> {
  const page = await readFile(join(REPOSITORY, "docs/_index.md"), "utf8");
  const text = /```yaml\n(name: shop-migration\n[\s\S]*?)```/.exec(page)?.[1] ?? "";
  return text
    .replace(/plugins:\n(?: .*\n)+/, "")
    .replace("old.internal", `"127.0.0.1:${source.port}"`)
    .replace("new.internal", `"127.0.0.1:${target.port}"`)
    .replaceAll("username: godwit", "username: postgres");
}

describeYaml("the YAML program of the documentation, with the plugin on the PATH", () => {
  beforeAll(async () => {
    [source, target] = await Promise.all([startPostgres({ major: 15 }), startPostgres({ major: 18 })]);
    for (const server of [source, target]) await server.createDatabase("shop");
    await source.query(
      "CREATE TABLE item (id int PRIMARY KEY); INSERT INTO item SELECT generate_series(1, 1000)",
      undefined,
      "shop",
    );
    program = await createProgram({ files: { "Pulumi.yaml": await documented() }, commandsOnPath: true });
    await program.config.set("sourcePassword", source.password, { secret: true });
    await program.config.set("targetPassword", target.password, { secret: true });
  });
  afterAll(() => Promise.all([program?.remove(), source?.remove(), target?.remove()]));

  it("previews, comes up, and finds nothing to do", async () => {
    expect((await program.preview()).changes).toEqual({ create: 4 });
    expect(await listLeftovers(source)).toEqual([]);
    expect((await program.up()).changes).toEqual({ create: 4 });
    expect(await program.outputs()).toEqual({ phase: "incremental" });
    expect((await program.up()).changes).toEqual({ same: 4 });
    const compared = await compareDatabases(source.clientConfig("shop"), target.clientConfig("shop"));
    expect(compared.differences).toEqual([]);
  });

  it("keeps passwords out of the state, though a connection went from one resource to another", async () => {
    const state = JSON.stringify(await program.stackExport());
    for (const { password } of [source, target]) expect(state).not.toContain(password);
  });

  it("leaves the data and nothing else after destroy", async () => {
    expect((await program.destroy()).changes).toEqual({ delete: 4 });
    expect([...(await listLeftovers(source)), ...(await listLeftovers(target))]).toEqual([]);
    expect(await listLocalLeftovers(program.godwitHome)).toEqual([]);
  });
});
