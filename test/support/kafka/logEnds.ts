import { Brokers } from "../../../provider/databases/kafka/client/wire/brokers.js";
import { WireWriter } from "../../../provider/databases/kafka/client/wire/bytes.js";
import { Api, type WireCall } from "../../../provider/databases/kafka/client/wire/call.js";
import { demand } from "../../../provider/databases/kafka/client/wire/protocolErrors.js";

/**
 * The offset behind the last record of each partition that is not empty, by `topic/partition`, transactions that are open included: kafkajs asks for committed records
 * only, and the last transaction's marker may be on its way when its producer knows already that it is committed.
 */
export async function logEnds(hosts: readonly string[], topics: readonly string[]): Promise<Map<string, bigint>> {
  const brokers = new Brokers({ hosts }, { clientId: "test" });
  const ends = new Map<string, bigint>();
  try {
    await brokers.refresh(topics);
    for (const topic of topics) {
      for (let partition = 0; partition < brokers.partitionCount(topic); partition++) {
        const [first, end] = await brokers.patiently(async () => {
          await brokers.refresh([topic]);
          const leader = await brokers.node(brokers.leader(topic, partition));
          return [await leader.call(offset(topic, partition, -2n)), await leader.call(offset(topic, partition, -1n))] as const;
        });
        if (end > first) ends.set(`${topic}/${partition}`, end);
      }
    }
    return ends;
  } finally {
    brokers.close();
  }
}

/** `timestamp`: -2 asks for the first offset, -1 for the one behind the last. */
function offset(topic: string, partition: number, timestamp: bigint): WireCall<bigint> {
  return {
    api: Api.listOffsets,
    versions: [1, 1],
    body() {
      const body = new WireWriter().int32(-1);
      const partitions = () => void body.int32(partition).int64(timestamp);
      return [body.array([topic], () => body.string(topic).array([partition], partitions)).finish()];
    },
    read(reader) {
      const found = reader.array(() => {
        reader.string();
        return reader.array(() => {
          reader.int32();
          demand(reader.int16(), `topic ${topic} partition ${partition}`);
          reader.int64();
          return reader.int64();
        });
      });
      return found[0]?.[0] ?? 0n;
    },
  };
}
