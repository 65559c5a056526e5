import type { PlannedTable } from "../../../engine/models/plan.js";
import type { KafkaSettings } from "../../../engine/taskDefinition.js";
import type { PartitionWriter } from "../client/producer.js";
import type { FormatTable, RecordFormat, TableEncoder } from "../formats/recordFormat.js";
import { type Partitioner, tablePartitioner } from "../partitioning.js";
import { rowDescription } from "./rowDescription.js";
import { type TableTopics, tableTopics } from "./topicPlan.js";

/** What the task says of every table. */
export interface TableRules {
  readonly settings: KafkaSettings;
  readonly database: string;
  /** By topic: with a Schema Registry each topic has a schema of its own. */
  readonly format: (topic: string) => RecordFormat;
  /** Partition counts by topic; topics that join are added to it. */
  readonly partitions: ReadonlyMap<string, number>;
}

/** How one table's rows become records, and where those go. */
export interface WrittenTable {
  readonly planned: PlannedTable;
  readonly table: FormatTable;
  readonly encoder: TableEncoder;
  readonly partitioner: Partitioner;
  readonly topics: TableTopics;
  readonly ddlPartition: number;
  /** By partition of the data's topic, filled as they are met. */
  readonly writers: (PartitionWriter | undefined)[];
  /** Names a row, for messages. */
  readonly describe: (data: Buffer, tuple: number) => string;
}

export function writtenTable(table: FormatTable, planned: PlannedTable, rules: TableRules): WrittenTable {
  const { settings, database, format, partitions } = rules;
  const topics = tableTopics(planned, settings, database);
  // The program names columns as the source does, records call them otherwise.
  const targets = new Map(planned.columns.map(({ source, target }) => [source, target]));
  const key = planned.options?.partitionKey?.map((name) => targets.get(name) ?? name);
  const partitioner = (topic: string) => tablePartitioner(settings.partitioning, table, partitions.get(topic) ?? 1, key);
  return {
    planned,
    table,
    encoder: format(topics.data).table(table),
    partitioner: partitioner(topics.data),
    topics,
    ddlPartition: partitioner(topics.ddl).ofDdl,
    writers: [],
    describe: rowDescription(table),
  };
}
