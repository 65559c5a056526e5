import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listLocalLeftovers } from "./leftovers.js";
import { createProgram, type PulumiProgram } from "./pulumi.js";

const PROGRAM = (length: number) => `
import * as pulumi from "@pulumi/pulumi";

class Ruler implements pulumi.dynamic.ResourceProvider {
  async create(inputs: { length: number; token: string }) {
    return { id: "ruler", outs: inputs };
  }
  async update(id: string, olds: unknown, news: { length: number; token: string }) {
    return { outs: news };
  }
}

class RulerResource extends pulumi.dynamic.Resource {
  declare readonly length: pulumi.Output<number>;
  constructor(name: string, args: { length: number; token: pulumi.Input<string> }) {
    super(new Ruler(), name, args);
  }
}

const token = new pulumi.Config().requireSecret("token");
const ruler = new RulerResource("ruler", { length: ${length}, token });
export const length: pulumi.Output<number> = ruler.length;
`;

describe("a Pulumi program run by the real CLI", () => {
  let program: PulumiProgram;

  beforeAll(async () => {
    program = await createProgram({ files: { "index.ts": PROGRAM(30) }, godwit: false });
    await program.config.set("token", "hold-the-line", { secret: true });
  });

  afterAll(() => program?.remove());

  it("creates, finds nothing to do, updates and destroys", async () => {
    const created = await program.up();
    expect(created.changes).toEqual({ create: 2 });
    expect(await program.outputs()).toEqual({ length: 30 });

    expect((await program.preview()).changes).toEqual({ same: 2 });
    expect((await program.up()).changes).toEqual({ same: 2 });

    await program.write({ "index.ts": PROGRAM(50) });
    const updated = await program.up();
    expect(updated.changes).toEqual({ update: 1, same: 1 });
    expect(updated.steps.find((step) => step.op === "update")).toMatchObject({ type: "pulumi-nodejs:dynamic:Resource" });
    expect(await program.outputs()).toEqual({ length: 50 });

    expect((await program.refresh()).exitCode).toBe(0);
    const state = JSON.stringify(await program.stackExport());
    expect(state).toContain('"length":50');
    expect(state).not.toContain("hold-the-line");
    expect(JSON.stringify(await program.stackExport({ showSecrets: true }))).toContain("hold-the-line");

    expect((await program.destroy()).changes).toEqual({ delete: 2 });
  });

  it("reports a failing program with its diagnostics and exit code", async () => {
    await program.write({ "index.ts": `throw new Error("the tide is out");` });
    const failed = await program.up({ mayFail: true });
    expect(failed.exitCode).not.toBe(0);
    expect(failed.diagnostics.map((diagnostic) => diagnostic.message).join()).toContain("the tide is out");
    await expect(program.up()).rejects.toThrow("the tide is out");
  });

  it("shares no file that another program writes over", async () => {
    const manifest = () => readFile(join(program.folder, "package.json"), "utf8");
    const before = await manifest();
    const other = await createProgram({ files: { "index.ts": "", "package.json": "{" }, godwit: false });
    await other.remove();
    expect(await manifest()).toBe(before);
  });

  it("takes its processes and its folder with it", async () => {
    const worker = spawn("sleep", ["300"], { env: program.environment, detached: true, stdio: "ignore" });
    const gone = once(worker, "exit");
    await mkdir(program.godwitHome, { recursive: true });
    await writeFile(join(program.godwitHome, "worker.log"), "");
    expect(await listLocalLeftovers(program.godwitHome)).toEqual([
      { kind: "process", name: `${worker.pid} sleep 300` },
      { kind: "file", name: join(program.godwitHome, "worker.log") },
    ]);

    await program.remove();
    expect(await gone).toEqual([null, "SIGKILL"]);
    expect(await listLocalLeftovers(program.godwitHome)).toEqual([]);
    await expect(readdir(program.folder)).rejects.toThrow("ENOENT");
  });
});
