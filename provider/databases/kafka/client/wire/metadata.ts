import { WireWriter } from "./bytes.js";
import { Api, type WireCall } from "./call.js";

export interface ClusterMetadata {
  readonly brokers: readonly { readonly id: number; readonly host: string; readonly port: number }[];
  /** Absent on brokers that were never given one (before 0.10.1). */
  readonly clusterId: string | undefined;
  readonly topics: readonly TopicMetadata[];
  /** What the user may do with the cluster, as bits of AclOperation; undefined where the broker does not tell (before 2.3). */
  readonly operations: number | undefined;
}

export interface TopicMetadata {
  /** Error number of the protocol, 0 when all is well. */
  readonly error: number;
  readonly name: string;
  readonly partitions: readonly PartitionMetadata[];
  readonly operations: number | undefined;
}

export interface PartitionMetadata {
  readonly error: number;
  readonly partition: number;
  /** Node id; -1 while there is none. */
  readonly leader: number;
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
}

/** Brokers and the given topics; undefined: all topics that the user may see. Never creates a topic. */
export function metadata(topics: readonly string[] | undefined, withOperations = false): WireCall<ClusterMetadata> {
  return {
    api: Api.metadata,
    versions: [4, 8],
    body(version) {
      const body = new WireWriter();
      body.array(topics, (topic) => body.string(topic)).boolean(false);
      if (version >= 8) body.boolean(withOperations).boolean(withOperations);
      return [body.finish()];
    },
    read(reader, version) {
      reader.int32();
      const brokers = reader.array(() => {
        const broker = { id: reader.int32(), host: reader.string() ?? "", port: reader.int32() };
        reader.string();
        return broker;
      });
      const clusterId = reader.string();
      reader.int32();
      const partition = (): PartitionMetadata => {
        const [error, index, leader] = [reader.int16(), reader.int32(), reader.int32()];
        if (version >= 7) reader.int32();
        const [replicas, inSync] = [reader.array(() => reader.int32()), reader.array(() => reader.int32())];
        if (version >= 5) reader.array(() => reader.int32());
        return { error, partition: index, leader, replicas, inSync };
      };
      const read = reader.array(() => {
        const [error, name] = [reader.int16(), reader.string() ?? ""];
        reader.boolean();
        return { error, name, partitions: reader.array(partition), operations: version >= 8 ? told(reader.int32()) : undefined };
      });
      return { brokers, clusterId, topics: read, operations: version >= 8 ? told(reader.int32()) : undefined };
    },
  };
}

/** The smallest int32 stands for "not asked for or not known". */
export function told(operations: number): number | undefined {
  return operations === -0x80000000 ? undefined : operations;
}
