import { describe, expect, it } from "vitest";
import { PartitionQueue } from "../../../../provider/databases/kafka/client/partitionQueue.js";
import { slice } from "./records.js";

function queueOf(batches: number): PartitionQueue {
  const queue = new PartitionQueue("topic", 0, {
    compressor: undefined,
    transactional: true,
    batchBytes: 1 << 20,
    identity: () => ({ id: 1n, epoch: 0 }),
    transaction: () => 0,
    held: () => undefined,
    ready: () => undefined,
  });
  for (let n = 0; n < batches; n++) {
    queue.append(1, undefined, slice(String(n)));
    queue.seal();
  }
  return queue;
}

/** Sends what may be sent, five batches at once; how many that were. */
function sendAll(queue: PartitionQueue): number {
  let sent = 0;
  for (; queue.next(0, 5); sent++) queue.take(1);
  return sent;
}

function answer(queue: PartitionQueue): void {
  const [first] = queue.sent;
  if (!first) throw new Error("nothing was sent");
  queue.unanswered--;
  queue.confirm(first);
}

describe("batches of a partition", () => {
  it("go five at once, but the first of all goes alone until the broker has it", () => {
    const queue = queueOf(10);
    expect(sendAll(queue)).toBe(1);
    answer(queue);
    expect(sendAll(queue)).toBe(5);
    answer(queue);
    expect(sendAll(queue)).toBe(1);
  });

  it("go alone again after the first failed, and under another epoch", () => {
    const queue = queueOf(3);
    expect(sendAll(queue)).toBe(1);
    queue.unanswered--;
    queue.failed = true;
    expect(sendAll(queue)).toBe(0);
    queue.sendAgain();
    expect(sendAll(queue)).toBe(1);
    answer(queue);
    expect(sendAll(queue)).toBe(2);
    queue.reset();
    for (let n = 0; n < 3; n++) {
      queue.append(1, undefined, slice(String(n)));
      queue.seal();
    }
    expect(sendAll(queue)).toBe(1);
  });
});
