import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { createProgram, type PulumiProgram } from "../support/pulumi.js";

const PASSWORD = "the-password-of-the-mover";

/** No class of godwit's: what any language's program registers is a type's token and inputs. */
const PROGRAM = `
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";

const settings = JSON.parse(readFileSync("settings.json", "utf8"));
const password = new pulumi.Config().requireSecret("password");

class Declared extends pulumi.CustomResource {
  declare readonly connection: pulumi.Output<object>;
  declare readonly serverId: pulumi.Output<string>;
  constructor(type: string, name: string, inputs: object, opts?: pulumi.CustomResourceOptions) {
    super("godwit:index:" + type, name, { ...inputs, connection: undefined, serverId: undefined, name: undefined, ...inputs }, opts);
  }
}

const source = new Declared("Endpoint", "source", { ...settings.source, password });
export const serverId = source.serverId;
`;

let source: PostgresServer;
let program: PulumiProgram;
let output = "";

beforeAll(async () => {
  source = await startPostgres({ major: 15, name: "plugin" });
  await source.query(`CREATE ROLE mover SUPERUSER LOGIN PASSWORD '${PASSWORD}'`);
  program = await createProgram({
    files: {
      "index.ts": PROGRAM,
      "Pulumi.yaml":
        "name: program\nruntime: nodejs\nplugins:\n  providers:\n    - name: godwit\n      path: ./node_modules/godwit/plugin\n",
    },
    onOutput: (text) => {
      output += text;
    },
  });
  await program.config.set("password", PASSWORD, { secret: true });
  await settings({});
});
afterAll(() => Promise.all([program?.remove(), source?.remove()]));

const settings = (given: object) =>
  writeFile(
    join(program.folder, "settings.json"),
    JSON.stringify({
      source: { engine: "postgresql", hosts: [`127.0.0.1:${source.port}`], username: "mover", databaseName: "postgres" },
      ...given,
    }),
  );

describe("a program that uses the plugin", () => {
  it("previews, comes up and finds nothing to do", async () => {
    expect((await program.preview()).changes).toEqual({ create: 2 });
    expect((await program.up()).changes).toEqual({ create: 2 });
    expect((await program.up()).changes).toEqual({ same: 2 });
    await program.refresh();
    expect((await program.destroy()).changes).toEqual({ delete: 2 });
    expect(output).not.toContain(PASSWORD);
  });
});
