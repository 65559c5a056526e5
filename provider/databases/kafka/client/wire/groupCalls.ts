import { type WireReader, WireWriter } from "./bytes.js";
import { Api, type WireCall } from "./call.js";
import { told } from "./metadata.js";
import { demand } from "./protocolErrors.js";

export interface CommittedOffset {
  /** -1n: none was committed. */
  readonly offset: bigint;
  readonly metadata: string;
}

/**
 * From version 7 (Kafka 2.5) on it asks for a settled answer: while a transaction with another offset is being committed the broker says so (88, which passes)
 * instead of telling the offset before.
 */
export function fetchOffset(groupId: string, topic: string, partition: number): WireCall<CommittedOffset> {
  return {
    api: Api.offsetFetch,
    versions: [1, 7],
    flexibleFrom: 6,
    body(version) {
      const body = new WireWriter();
      if (version < 6) {
        body.string(groupId).array([topic], () => body.string(topic).array([partition], () => body.int32(partition)));
        return [body.finish()];
      }
      // Compact arrays of one: their length plus one.
      body.compactString(groupId).int8(2).compactString(topic).int8(2).int32(partition).int8(0);
      if (version >= 7) body.boolean(true);
      return [body.int8(0).finish()];
    },
    read: (reader, version) => (version >= 6 ? readCompact(reader, groupId) : readOffset(reader, version, groupId)),
  };
}

function readOffset(reader: WireReader, version: number, groupId: string): CommittedOffset {
  if (version >= 3) reader.int32();
  const topics = reader.array(() => {
    reader.string();
    return reader.array(() => {
      reader.int32();
      const offset = reader.int64();
      if (version >= 5) reader.int32();
      const metadata = reader.string() ?? "";
      demand(reader.int16(), `consumer group ${groupId}`);
      return { offset, metadata };
    });
  });
  if (version >= 2) demand(reader.int16(), `consumer group ${groupId}`);
  return topics[0]?.[0] ?? NO_OFFSET;
}

function readCompact(reader: WireReader, groupId: string): CommittedOffset {
  reader.tagged();
  reader.int32();
  const topics = reader.compactArray(() => {
    reader.compactString();
    const partitions = reader.compactArray(() => {
      reader.int32();
      const offset = reader.int64();
      reader.int32();
      const metadata = reader.compactString();
      demand(reader.int16(), `consumer group ${groupId}`);
      reader.tagged();
      return { offset, metadata };
    });
    reader.tagged();
    return partitions;
  });
  demand(reader.int16(), `consumer group ${groupId}`);
  return topics[0]?.[0] ?? NO_OFFSET;
}

const NO_OFFSET: CommittedOffset = { offset: -1n, metadata: "" };

/** Resolves with the group's error number: 0, or why it was not deleted. */
export function deleteGroup(groupId: string): WireCall<number> {
  return {
    api: Api.deleteGroups,
    versions: [0, 1],
    body() {
      const body = new WireWriter();
      return [body.array([groupId], () => body.string(groupId)).finish()];
    },
    read(reader) {
      reader.int32();
      const results = reader.array(() => {
        reader.string();
        return reader.int16();
      });
      return results[0] ?? -1;
    },
  };
}

export interface DescribedGroup {
  readonly error: number;
  /** `Dead` for a group that does not exist. */
  readonly state: string;
  readonly members: number;
  /** What the user may do with it, as bits of AclOperation. */
  readonly operations: number | undefined;
}

/** Version 3 (Kafka 2.3) is the first that tells rights. */
export function describeGroup(groupId: string): WireCall<DescribedGroup> {
  return {
    api: Api.describeGroups,
    versions: [3, 3],
    body() {
      const body = new WireWriter();
      return [
        body
          .array([groupId], () => body.string(groupId))
          .boolean(true)
          .finish(),
      ];
    },
    read(reader) {
      reader.int32();
      const groups = reader.array(() => {
        const error = reader.int16();
        reader.string();
        const state = reader.string() ?? "";
        reader.string();
        reader.string();
        const members = reader.array(() => {
          for (let text = 0; text < 3; text++) reader.string();
          reader.bytesField();
          reader.bytesField();
        });
        return { error, state, members: members.length, operations: told(reader.int32()) };
      });
      return groups[0] ?? { error: 0, state: "Dead", members: 0, operations: undefined };
    },
  };
}
