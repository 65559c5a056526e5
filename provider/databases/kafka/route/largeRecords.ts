import { ErrorCode, GodwitError } from "../../../engine/errors.js";

interface LargeRecord {
  readonly topic: string;
  readonly partition: number;
  readonly size: number;
  readonly name: string;
  readonly transaction: number;
}

const MEGABYTE = 1 << 20;

/**
 * Remembers which rows made records that a topic may refuse. Whether it does is only known once the record is compressed and sent, and
 * a broker's refusal names the partition, never the row.
 */
export class LargeRecords {
  private records: LargeRecord[] = [];

  /** `sureBytes`: uncompressed bytes that the topic surely takes. */
  constructor(private readonly sureBytes: (topic: string) => number) {}

  note(topic: string, partition: number, size: number, transaction: number, name: () => string): void {
    if (size > this.sureBytes(topic)) this.records.push({ topic, partition, size, name: name(), transaction });
  }

  /** Everything of these transactions was taken. */
  forgetUpTo(transaction: number): void {
    if (this.records.length > 0) this.records = this.records.filter((record) => record.transaction > transaction);
  }

  /** GW2004 with the row instead of the partition; any other failure as it is. */
  named(cause: unknown): unknown {
    if (!(cause instanceof GodwitError) || cause.code !== ErrorCode.RecordTooLarge) return cause;
    const largest = this.records
      .filter(({ topic, partition }) => cause.object === `topic ${topic} partition ${partition}`)
      .reduce<LargeRecord | undefined>((most, next) => (most && most.size >= next.size ? most : next), undefined);
    if (!largest) return cause;
    const { name, size, topic } = largest;
    const enough = Math.ceil((size * 1.2) / MEGABYTE) * MEGABYTE;
    return new GodwitError(
      ErrorCode.RecordTooLarge,
      `the record of ${name} has ${size} bytes, more than topic "${topic}" takes even compressed`,
      {
        object: name,
        remedy: `kafka-configs.sh --alter --topic ${topic} --add-config max.message.bytes=${enough} (its replicas and consumers must fetch as much), or leave the wide column out with excludeColumns; then run pulumi up`,
        cause,
      },
    );
  }
}
