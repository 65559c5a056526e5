import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterEach, describe, expect, it } from "vitest";
import { Operation } from "../../../../provider/databases/oracle/logMiner/contents.js";
import { undone } from "../../../../provider/databases/oracle/logMiner/openTransaction.js";
import { SpillSpace } from "../../../../provider/databases/oracle/logMiner/spillSpace.js";
import { Transactions } from "../../../../provider/databases/oracle/logMiner/transactions.js";
import { randomFrom } from "./randomScript.js";

const MEMORY = 1 << 20;
let transactions: Transactions;

afterEach(() => transactions?.close());

const xid = (number: number) => `0A00${number.toString(16).toUpperCase().padStart(12, "0")}`;

function line(scn: number, text: string, { operation = Operation.insert as number, rowId = `AAAE${scn}`, undo = false } = {}) {
  return { operation, table: 0, scn: BigInt(scn), rowId, undo, redo: text, time: "2024-01-01 00:00:00" };
}

function commit(number: number, scn: number): void {
  transactions.commit({ xid: xid(number), scn: BigInt(scn), timeMs: 0, thread: 1, place: "" });
}

const textsOf = (log: Iterable<{ readonly data: Buffer; readonly from: number; readonly to: number }>) =>
  [...log].map(({ data, from, to }) => data.toString("utf8", from, to));

describe("open transactions", () => {
  it("may be twenty thousand, with a bounded share of memory and one file", () => {
    transactions = new Transactions(MEMORY, tmpdir());
    const before = readdirSync("/proc/self/fd").length;
    const count = 20_000;
    let most = 0;
    for (let round = 0; round < 3; round++) {
      for (let number = 0; number < count; number++) {
        transactions.add(xid(number), line(round * count + number + 1, `change ${round} of ${number} ${"x".repeat(200)}`));
        most = Math.max(most, transactions.bytesInMemory);
      }
    }
    expect(most).toBeLessThan(MEMORY + (64 << 10));
    expect(readdirSync("/proc/self/fd").length - before).toBeLessThanOrEqual(1);
    for (let number = 0; number < count; number += 7) commit(number, 100_000 + number);
    const ended = transactions.endWindow();
    expect(ended).toHaveLength(Math.ceil(count / 7));
    for (const [index, { transaction }] of ended.entries()) {
      const texts = textsOf(transaction?.log.records() ?? []).map((text) => text.trimEnd().replace(/ x+$/, ""));
      expect(texts).toEqual([0, 1, 2].map((round) => `change ${round} of ${index * 7}`));
      transaction?.log.close();
    }
  });

  it("take a rollback of very many changes back without a list of them", () => {
    transactions = new Transactions(MEMORY, tmpdir());
    const many = 100_000;
    transactions.add(xid(1), line(1, "kept", { rowId: "AAAEkept" }));
    for (let number = 0; number < many; number++) transactions.add(xid(1), line(2, "undone", { rowId: `AAAE${number}` }));
    transactions.endWindow();
    // In a later window, which might have to be read again: the undo lines are kept beside what they undo.
    for (let number = many - 1; number >= 0; number--)
      transactions.add(xid(1), line(3, "", { operation: Operation.delete, rowId: `AAAE${number}`, undo: true }));
    commit(1, 4);
    const [ended] = transactions.endWindow();
    if (!ended?.transaction) throw new Error("nothing was committed");
    const { has, unmatched } = undone(ended.transaction);
    expect(unmatched).toBe(0);
    expect([0, 1, many, many + 1, 2 * many].map(has)).toEqual([false, true, true, true, true]);
    ended.transaction.log.close();
  });
});

describe("the file for what does not fit in memory", () => {
  it("gives back what was written, uses gaps again, and is empty in the end", () => {
    const space = new SpillSpace(tmpdir());
    const random = randomFrom(7);
    const held: { extent: ReturnType<SpillSpace["write"]>; bytes: Buffer }[] = [];
    let largest = 0;
    for (let step = 0; step < 20_000; step++) {
      if (held.length < 40 || (random() < 0.5 && held.length < 80)) {
        const bytes = Buffer.alloc(1 + Math.floor(random() * 5000), step & 0xff);
        const extent = space.write(bytes);
        largest = Math.max(largest, extent.offset + extent.length);
        held.push({ extent, bytes });
      } else {
        const [one] = held.splice(Math.floor(random() * held.length), 1);
        if (!one) continue;
        expect(space.read(one.extent).equals(one.bytes)).toBe(true);
        space.give(one.extent);
      }
    }
    // Fifty million bytes were written, two hundred thousand are held at most.
    expect(largest).toBeLessThan(1_000_000);
    for (const { extent, bytes } of held.splice(0)) {
      expect(space.read(extent).equals(bytes)).toBe(true);
      space.give(extent);
    }
    expect(space.write(Buffer.from("again"))).toEqual({ offset: 0, length: 5 });
    space.close();
  });
});
