import type { Ends } from "../../../engine/models/endpoint.js";
import type { PlannedTable, PrecheckItem } from "../../../engine/models/plan.js";
import { migrates, type TaskDefinition } from "../../../engine/taskDefinition.js";
import { listed, precheckItem } from "../../postgres/precheck/precheckItem.js";
import { kafkaSettings } from "./cluster.js";

export interface DeliveryFindings {
  readonly ends: Ends;
  readonly definition: TaskDefinition;
  readonly tables: readonly PlannedTable[];
  /** Those that are new to the task. */
  readonly shown: readonly PlannedTable[];
}

/** What the task's own settings mean for what arrives. Asks nobody. */
export function deliveryChecks({ ends, definition, tables, shown }: DeliveryFindings): PrecheckItem[] {
  const settings = kafkaSettings(definition);
  const registry = ends.target.kafka?.schemaRegistry;
  const once = settings.acks === "all";
  const strangers = tables.flatMap((table) =>
    (table.options?.partitionKey ?? [])
      .filter((name) => !table.columns.some(({ source }) => source === name))
      .map((name) => `${table.source.schema}.${table.source.name} has no column "${name}" that is copied`),
  );
  // Without the whole row before, a DELETE tells the columns of the identity only.
  const undecided = tables.flatMap(({ source, options, key, replicaIdentity }) =>
    replicaIdentity.was !== "full" &&
    replicaIdentity.needs === "keep" &&
    options?.partitionKey?.some((name) => !key.columns.includes(name))
      ? [`deletes of ${source.schema}.${source.name} do not tell its partition key`]
      : [],
  );
  const keyProblems = settings.partitioning === "primaryKey" ? [...strangers, ...undecided] : strangers;
  const unused = settings.partitioning === "primaryKey" ? [] : tables.filter(({ options }) => options?.partitionKey);
  const whole = shown.filter(({ replicaIdentity }) => replicaIdentity.needs === "full");
  return [
    precheckItem({
      item: "targetDelivery",
      severity: "warning",
      passed: once,
      message: once
        ? "every record comes exactly once to consumers with isolation.level=read_committed"
        : `kafka.acks is ${settings.acks}: records may come twice after a failure, and a broker's failure may lose some`,
      remedy: "kafka.acks all is what transactions need",
    }),
    precheckItem({
      item: "targetSchemaRegistryUse",
      severity: "warning",
      passed: settings.format === "dts-avro" || registry === undefined,
      message:
        registry === undefined
          ? "no Schema Registry is used"
          : settings.format === "dts-avro"
            ? "records begin with the id of their schema in the Schema Registry"
            : `the Schema Registry of the endpoint is of no use to ${settings.format}`,
      remedy: "leave kafka.schemaRegistry of the endpoint out, or take the format dts-avro",
    }),
    precheckItem({
      item: "targetPartitionKeys",
      passed: keyProblems.length === 0,
      message: keyProblems.length === 0 ? "every change tells its partition key" : listed(keyProblems),
      remedy:
        "name columns of the table, by their names at the source, that are not excluded; on a slot of your own, ALTER TABLE ... REPLICA IDENTITY FULL before it is made",
    }),
    precheckItem({
      item: "targetPartitioning",
      severity: "warning",
      passed: unused.length === 0,
      message:
        unused.length === 0
          ? "the partition keys fit the partitioning"
          : `kafka.partitioning is ${settings.partitioning}, so the partitionKey of ${listed(unused.map(({ source }) => source.name))} does nothing`,
      remedy: "partitionKey goes with kafka.partitioning primaryKey",
    }),
    ...(migrates(definition, "incremental")
      ? [
          precheckItem({
            item: "sourceWholeRows",
            severity: "warning" as const,
            passed: whole.length === 0,
            message:
              whole.length === 0
                ? "changes of every table carry the row before"
                : `${whole.length} table(s) get REPLICA IDENTITY FULL for the time of the task, so that records hold the row before: ${listed(whole.map(({ source }) => `${source.schema}.${source.name}`))}`,
            remedy: "updates and deletes write more WAL meanwhile; a destroy puts the identities back",
          }),
        ]
      : []),
  ];
}
