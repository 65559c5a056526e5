import { Config, type Output } from "@pulumi/pulumi";
import * as godwit from "godwit";

const config = new Config();

// A container database wants a common user (C##GODWIT) and the pluggable database's service: redo is mined in the root, rows are read here.
const source = new godwit.Endpoint("source", {
  engine: "oracle",
  hosts: [config.require("sourceHost")],
  username: config.require("sourceUsername"),
  password: config.requireSecret("sourcePassword"),
  oracle: { serviceName: config.require("sourceService") },
});

const target = new godwit.Endpoint("target", {
  engine: "postgresql",
  hosts: [config.require("targetHost")],
  username: config.require("targetUsername"),
  password: config.requireSecret("targetPassword"),
  databaseName: config.require("targetDatabase"),
});

// Tables, code and rows of one schema, then every change out of the redo. What could not be converted is in `skippedObjects`, with its reason.
const migration = new godwit.MigrationTask("schema", {
  source,
  target,
  objects: [{ schema: config.require("schema") }],
  migrationTypes: ["schema", "full", "incremental"],
});

// Runs with the first `up`, and again whenever `cutOver` changes: when the writers have stopped, before they begin at the target.
const sequences = new godwit.SequenceSync(
  "sequences",
  { source, target, triggers: { cutOver: config.get("cutOver") ?? "not yet" } },
  { dependsOn: migration },
);

export const state: Output<string> = migration.state;
export const startedAt: Output<string | undefined> = migration.startPosition;
export const leftOut = migration.skippedObjects.apply((objects) =>
  objects.map(({ kind, name, reason }) => `${kind} ${name}: ${reason}`),
);
export const sequencesMoved = sequences.sequences.apply((moved) => moved.length);
