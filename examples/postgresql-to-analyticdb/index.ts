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

// The primary endpoint of the instance: the cluster endpoint takes no temporary tables.
const warehouse = new godwit.Endpoint("warehouse", {
  engine: "analyticdb-postgresql",
  hosts: [config.require("targetHost")],
  username: config.require("targetUsername"),
  password: config.requireSecret("targetPassword"),
  databaseName: config.require("targetDatabase"),
});

// Three tables of one schema, under another name. Sales are joined with customers, so they lie where those do: their key
// must hold the column they are distributed by.
const migration = new godwit.MigrationTask("shop", {
  source,
  target: warehouse,
  migrationTypes: ["schema", "full", "incremental"],
  objects: [
    {
      schema: "shop",
      rename: "lake",
      tables: [
        { name: "customer" },
        { name: "sale", primaryKey: ["customer", "id"], distributedBy: ["customer"] },
        { name: "visit", distributedBy: ["page"] },
      ],
    },
  ],
  analyticdb: { storage: "beam" },
});

export const state: Output<string> = migration.state;
export const slot: Output<string | undefined> = migration.slotName;
export const left = migration.skippedObjects.apply((objects) => objects.map(({ kind, name }) => `${kind} ${name}`));
