import { Config, type Output } from "@pulumi/pulumi";
import * as godwit from "godwit";

const config = new Config();

// Every node of the cluster: they are tried in order, and after a failover the one that takes writes is found.
const source = new godwit.Endpoint("source", {
  engine: "polardb-o",
  hosts: config.requireObject<string[]>("sourceHosts"),
  username: config.require("sourceUsername"),
  password: config.requireSecret("sourcePassword"),
  databaseName: config.require("sourceDatabase"),
});

const target = new godwit.Endpoint("target", {
  engine: "polardb-o",
  hosts: config.requireObject<string[]>("targetHosts"),
  username: config.require("targetUsername"),
  password: config.requireSecret("targetPassword"),
  databaseName: config.require("targetDatabase"),
});

// Tables, views, packages, synonyms, types and the rest of two schemas.
const migration = new godwit.MigrationTask("bank", {
  source,
  target,
  migrationTypes: ["schema", "full", "incremental"],
  objects: [{ schema: "bank" }, { schema: "web" }],
});

export const state: Output<string> = migration.state;
/** What the source says of a failover; Oracle-compatible 2.0 may lose the slot then. */
export const failover = migration.prechecks.apply((items) => items.find(({ item }) => item === "sourceSlotFailover")?.message);
export const left = migration.skippedObjects.apply((objects) => objects.map(({ kind, name }) => `${kind} ${name}`));
