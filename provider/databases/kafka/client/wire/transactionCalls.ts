import { type WireReader, WireWriter } from "./bytes.js";
import { Api, type WireCall } from "./call.js";
import { demand } from "./protocolErrors.js";

/** Who writes: an id that the cluster gave, and the epoch that fences whoever had it before. */
export interface ProducerIdentity {
  readonly id: bigint;
  readonly epoch: number;
}

export interface TopicPartitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}

export interface GroupOffset {
  readonly groupId: string;
  /** Any partition that exists: a group's offsets need one to hang on. */
  readonly topic: string;
  readonly partition: number;
  /** Int64, not below 0. */
  readonly offset: bigint;
  readonly metadata: string;
}

/** Which broker looks after a group or a transactional id. */
export function findCoordinator(
  key: string,
  kind: "group" | "transaction",
): WireCall<{ id: number; host: string; port: number }> {
  return {
    api: Api.findCoordinator,
    versions: [1, 2],
    body: () => [
      new WireWriter()
        .string(key)
        .int8(kind === "group" ? 0 : 1)
        .finish(),
    ],
    read(reader) {
      reader.int32();
      demand(reader.int16(), `${kind === "group" ? "consumer group" : "transactional id"} ${key}`, reader.string());
      return { id: reader.int32(), host: reader.string() ?? "", port: reader.int32() };
    },
  };
}

/** Ends what an earlier producer of the id left open, fences it, and gives this one its identity. */
export function initProducerId(transactionalId: string, timeoutMs: number): WireCall<ProducerIdentity> {
  return {
    api: Api.initProducerId,
    versions: [0, 1],
    body: () => [new WireWriter().string(transactionalId).int32(timeoutMs).finish()],
    read(reader) {
      reader.int32();
      demand(reader.int16(), `transactional id ${transactionalId}`);
      return { id: reader.int64(), epoch: reader.int16() };
    },
  };
}

/**
 * A new epoch for the producer that has the identity (KIP-360, Kafka 2.5): one that was fenced without knowing is refused, where `initProducerId` would
 * have it fence its successor.
 */
export function nextEpoch(
  transactionalId: string,
  timeoutMs: number,
  { id, epoch }: ProducerIdentity,
): WireCall<ProducerIdentity> {
  return {
    api: Api.initProducerId,
    versions: [3, 3],
    flexibleFrom: 2,
    body: () => [new WireWriter().compactString(transactionalId).int32(timeoutMs).int64(id).int16(epoch).int8(0).finish()],
    read(reader) {
      reader.tagged();
      reader.int32();
      demand(reader.int16(), `transactional id ${transactionalId}`);
      return { id: reader.int64(), epoch: reader.int16() };
    },
  };
}

export function addPartitions(
  transactionalId: string,
  { id, epoch }: ProducerIdentity,
  topics: readonly TopicPartitions[],
): WireCall<void> {
  return {
    api: Api.addPartitionsToTxn,
    versions: [0, 2],
    body() {
      const body = new WireWriter().string(transactionalId).int64(id).int16(epoch);
      const int32 = (value: number) => void body.int32(value);
      return [body.array(topics, ({ topic, partitions }) => body.string(topic).array(partitions, int32)).finish()];
    },
    read(reader) {
      reader.int32();
      const results = reader.array(() => {
        const topic = reader.string() ?? "";
        return reader.array(() => ({ about: `topic ${topic} partition ${reader.int32()}`, code: reader.int16() }));
      });
      // One partition that is refused refuses the others with OPERATION_NOT_ATTEMPTED (55): the cause is what counts.
      const refusals = results.flat().filter(({ code }) => code !== 0);
      const cause = refusals.find(({ code }) => code !== 55) ?? refusals[0];
      if (cause) demand(cause.code, cause.about);
    },
  };
}

export function addOffsets(transactionalId: string, { id, epoch }: ProducerIdentity, groupId: string): WireCall<void> {
  return {
    api: Api.addOffsetsToTxn,
    versions: [0, 2],
    body: () => [new WireWriter().string(transactionalId).int64(id).int16(epoch).string(groupId).finish()],
    read(reader) {
      reader.int32();
      demand(reader.int16(), `consumer group ${groupId}`);
    },
  };
}

export function transactionalOffset(
  transactionalId: string,
  { id, epoch }: ProducerIdentity,
  offset: GroupOffset,
): WireCall<void> {
  return {
    api: Api.txnOffsetCommit,
    versions: [0, 2],
    body(version) {
      const body = new WireWriter().string(transactionalId).string(offset.groupId).int64(id).int16(epoch);
      return [offsetTopics(body, offset, version >= 2).finish()];
    },
    read(reader) {
      reader.int32();
      demandOffsets(reader, offset);
    },
  };
}

/** Without a transaction and without being a member: allowed while no consumer has joined the group. */
export function plainOffset(offset: GroupOffset): WireCall<void> {
  return {
    api: Api.offsetCommit,
    versions: [2, 6],
    body(version) {
      const body = new WireWriter().string(offset.groupId).int32(-1).string("");
      // Until version 4: how long to keep the offset; -1 is the broker's own retention.
      if (version <= 4) body.int64(-1n);
      return [offsetTopics(body, offset, version >= 6).finish()];
    },
    read(reader, version) {
      if (version >= 3) reader.int32();
      demandOffsets(reader, offset);
    },
  };
}

export function endTransaction(transactionalId: string, { id, epoch }: ProducerIdentity, commit: boolean): WireCall<void> {
  return {
    api: Api.endTxn,
    versions: [0, 2],
    body: () => [new WireWriter().string(transactionalId).int64(id).int16(epoch).boolean(commit).finish()],
    read(reader) {
      reader.int32();
      demand(reader.int16(), `transactional id ${transactionalId}`);
    },
  };
}

function offsetTopics(body: WireWriter, { topic, partition, offset, metadata }: GroupOffset, leaderEpoch: boolean): WireWriter {
  return body.array([topic], () =>
    body.string(topic).array([partition], () => {
      body.int32(partition).int64(offset);
      // -1: the epoch of the partition's leader is not known, nor of use: this offset is no offset of that partition.
      if (leaderEpoch) body.int32(-1);
      body.string(metadata);
    }),
  );
}

function demandOffsets(reader: WireReader, { groupId, topic }: GroupOffset): void {
  const codes = reader.array(() => {
    reader.string();
    return reader.array(() => {
      reader.int32();
      return reader.int16();
    });
  });
  // The user must be allowed to read the topic as well.
  for (const code of codes.flat()) demand(code, `offset of consumer group ${groupId} for topic ${topic}`);
}
