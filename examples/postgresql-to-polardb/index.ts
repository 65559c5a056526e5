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

// The primary endpoint of the cluster; without a port it is 1521.
const target = new godwit.Endpoint("target", {
  engine: "polardb-o",
  hosts: [config.require("targetHost")],
  username: config.require("targetUsername"),
  password: config.requireSecret("targetPassword"),
  databaseName: config.require("targetDatabase"),
});

// What the target converts (dates, names it reserves) is said in skippedObjects; rows with '' in NOT NULL columns fail the precheck.
const migration = new godwit.MigrationTask("orders", {
  source,
  target,
  migrationTypes: ["schema", "full", "incremental"],
  objects: [{ schema: "orders" }],
});

export const state: Output<string> = migration.state;
export const slot: Output<string | undefined> = migration.slotName;
export const converted = migration.skippedObjects.apply((objects) =>
  objects.filter(({ kind }) => kind === "columnType" || kind === "emptyDefault").map(({ name, reason }) => `${name}: ${reason}`),
);
