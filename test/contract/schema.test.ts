import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { packageSchema } from "../../provider/contract/packageSchema.js";
import { cliFolder } from "../support/pulumi.js";
import { REPOSITORY } from "../support/pulumiProject.js";

describe("schema.json", () => {
  it("is a Pulumi package schema by the CLI's own check", async () => {
    const cli = join(cliFolder(), "bin/pulumi");
    const { stdout, stderr } = await promisify(execFile)(cli, ["schema", "check", join(REPOSITORY, "schema.json")]);
    expect(`${stdout}${stderr}`).not.toMatch(/error|warning/i);
  });

  it("describes every resource, type, property and value, and carries the package's version", async () => {
    const versionIn = async (file: string) =>
      (JSON.parse(await readFile(join(REPOSITORY, file), "utf8")) as { version: string }).version;
    expect(await versionIn("schema.json")).toBe(await versionIn("package.json"));
    const undescribed: string[] = [];
    const visit = (path: string, spec: object) => {
      if (!("description" in spec)) undescribed.push(path);
    };
    for (const [name, resource] of Object.entries(packageSchema.resources)) {
      visit(name, resource);
      for (const [key, property] of Object.entries({ ...resource.inputProperties, ...resource.properties }))
        visit(`${name}.${key}`, property);
    }
    for (const [name, type] of Object.entries(packageSchema.types)) {
      visit(name, type);
      for (const [key, property] of Object.entries(type.properties ?? {})) visit(`${name}.${key}`, property);
    }
    expect(undescribed).toEqual([]);
  });

  it("marks the secrets that the sdk wraps, and only those", () => {
    const secrets: string[] = [];
    for (const [name, { properties }] of [...Object.entries(packageSchema.types), ...Object.entries(packageSchema.resources)]) {
      for (const [key, property] of Object.entries(properties ?? {})) if (property.secret) secrets.push(`${name}.${key}`);
    }
    expect(secrets.sort()).toEqual([
      "Alerts.contacts",
      "Connection.password",
      "Endpoint.password",
      "OracleConnection.walletPassword",
      "SchemaRegistry.password",
      "SmtpRelay.url",
      "Ssl.clientKey",
      "Ssl.clientKeyPassphrase",
    ]);
  });

  it("gives an Endpoint and an endpoint written inline the same fields", () => {
    const inline = Object.keys(packageSchema.types.Connection?.properties ?? {});
    expect(Object.keys(packageSchema.resources.Endpoint?.inputProperties ?? {})).toEqual(inline);
  });
});
