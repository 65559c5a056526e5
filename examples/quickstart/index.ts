import { Config, type Output } from "@pulumi/pulumi";
import * as godwit from "godwit";

const config = new Config();

const source = new godwit.Endpoint("source", {
  engine: "postgresql",
  hosts: [config.require("sourceHost")],
  username: config.require("sourceUsername"),
  password: config.requireSecret("sourcePassword"),
  databaseName: config.require("sourceDatabase"),
});

const target = new godwit.Endpoint("target", {
  engine: "postgresql",
  hosts: [config.require("targetHost")],
  username: config.require("targetUsername"),
  password: config.requireSecret("targetPassword"),
  databaseName: config.require("targetDatabase"),
});

// Structures, then rows, then every change from then on. `pulumi up` returns once the target has caught up; the worker goes on.
const migration = new godwit.MigrationTask("travel", {
  source,
  target,
  migrationTypes: ["schema", "full", "incremental"],
});

// Runs with the first `up`, and again whenever `cutOver` changes: when the writers have stopped, before they begin at the target.
const sequences = new godwit.SequenceSync(
  "sequences",
  { source, target, triggers: { cutOver: config.get("cutOver") ?? "not yet" } },
  { dependsOn: migration },
);

export const state: Output<string> = migration.state;
export const slot: Output<string | undefined> = migration.slotName;
export const sequencesMoved = sequences.sequences.apply((moved) => moved.length);
