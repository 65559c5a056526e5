import { Config, type Output } from "@pulumi/pulumi";
import * as godwit from "godwit";

const config = new Config();

const source = new godwit.Endpoint("source", {
  engine: "polardb-o",
  hosts: config.requireObject<string[]>("sourceHosts"),
  username: config.require("sourceUsername"),
  password: config.requireSecret("sourcePassword"),
  databaseName: config.require("sourceDatabase"),
});

// Any of the brokers will do, the cluster names the others. A listener without passwords takes neither username nor password.
const target = new godwit.Endpoint("target", {
  engine: "kafka",
  hosts: config.requireObject<string[]>("brokers"),
  ...(config.get("kafkaUsername") === undefined
    ? {}
    : {
        username: config.require("kafkaUsername"),
        password: config.requireSecret("kafkaPassword"),
        kafka: { saslMechanism: "scram-sha-256" as const },
      }),
});

// Rows first, as INIT records from one snapshot; then every change, in the order of the commits. `pulumi up` returns once the
// topics are level with the source; the worker goes on.
const migration = new godwit.MigrationTask("shop", {
  source,
  target,
  migrationTypes: ["schema", "full", "incremental"],
  objects: [
    {
      schema: "shop",
      tables: [
        { name: "customer" },
        // All orders of a customer in one partition, in their order.
        { name: "orders", topic: "orders-by-customer", partitions: 6, partitionKey: ["customer_id"] },
      ],
    },
  ],
  kafka: {
    format: "canal-json",
    partitioning: "primaryKey",
    topic: "{database}.{schema}.{table}",
    ddlTopic: "{database}.ddl",
    createTopics: { partitions: 3 },
  },
});

export const state: Output<string> = migration.state;
export const warnings = migration.prechecks.apply((items) => items.filter(({ passed }) => !passed).map(({ item }) => item));
