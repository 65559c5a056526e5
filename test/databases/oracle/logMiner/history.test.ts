import { describe, expect, it } from "vitest";
import { positionAt } from "../../../../provider/databases/oracle/logMiner/position.js";
import type { OracleEmulator } from "../../../support/oracle/emulator.js";
import { ModelSink } from "../../../support/oracle/modelSink.js";
import { BEGINNING, expectEqual, type Flow, failure, followToEnd, small, withFlows } from "./flow.js";
import { ORDERS, TABLES } from "./randomScript.js";

describe("redo of a database whose instances come and go", () => {
  let flow: Flow;
  let emulator: OracleEmulator;
  let sink: ModelSink;
  withFlows("history", (opened, fresh) => {
    flow = opened;
    emulator = opened.emulator;
    sink = fresh;
  });

  const equalsSource = () => expectEqual(sink, emulator, TABLES);

  it("keeps positions exact at the largest SCNs that it takes", async () => {
    // The positions of the stream have 48 bits for an SCN; a database makes 96 K a second at most.
    emulator.tick(2 ** 48 - 5_000);
    const start = emulator.scn;
    let last = 0n;
    for (let id = 1; id <= 20; id++) {
      const one = emulator.begin(1 + (id % 2));
      one.insert(ORDERS, { ID: String(id) });
      last = one.commit();
      if (id % 5 === 0) emulator.switchLog(1);
    }
    sink.interrupt = (when, commits) => when === "after" && commits === 7;
    await followToEnd(flow, sink, { position: positionAt(start), restartScn: start, emitted: [] }, () => small);
    equalsSource();
    expect(sink.commits.at(-1)?.position).toBe(positionAt(last));
  });

  it("goes on while a RAC instance goes down and comes up, and another one joins", async () => {
    const insert = (thread: number, id: number) => {
      const one = emulator.begin(thread);
      one.insert(ORDERS, { ID: String(id), NOTE: `thread ${thread}` });
      one.commit();
    };
    insert(1, 1);
    insert(2, 2);
    const { resume: first } = await followToEnd(flow, sink, BEGINNING, () => small);
    emulator.closeThread(2);
    insert(1, 3);
    // The stream stands in the time in which no log of thread 2 is.
    const { resume: second } = await followToEnd(flow, sink, first, () => small);
    insert(1, 4);
    emulator.tick(30);
    emulator.openThread(2);
    insert(2, 5);
    emulator.openThread(3);
    insert(3, 6);
    insert(1, 7);
    const { resume: third } = await followToEnd(flow, sink, second, () => small);
    equalsSource();
    // Taken out for good, with redo of it that was not read yet.
    insert(3, 8);
    emulator.dropThread(3);
    insert(1, 9);
    const { resume: fourth } = await followToEnd(flow, sink, third, () => small);
    equalsSource();
    emulator.openThread(3, { enabled: true });
    insert(3, 10);
    emulator.switchLog(3);
    emulator.deleteArchivedLog(3, 1);
    insert(2, 11);
    await followToEnd(flow, sink, fourth, () => small);
    equalsSource();
    emulator.dropThread(3);
    emulator.deleteArchivedLog(3, 2);
    await emulator.flush();
    expect(await failure(await flow.open(new ModelSink(), fourth, small))).toMatch(/GW1722.*log 2 of thread 3/);
  });

  it("reads on through a failover that lost nothing, with transactions from before it", async () => {
    const early = emulator.begin();
    early.insert(ORDERS, { ID: "1" });
    early.commit();
    const { resume } = await followToEnd(flow, sink, BEGINNING, () => small);
    expect(resume.resetlogs).toBe(1n);
    const two = emulator.begin();
    two.insert(ORDERS, { ID: "2", NOTE: "not read before the failover" });
    two.commit();
    emulator.resetLogs();
    const three = emulator.begin();
    three.insert(ORDERS, { ID: "3" });
    three.commit();
    const { resume: after } = await followToEnd(flow, sink, resume, () => small);
    equalsSource();
    expect(after.resetlogs).toBeGreaterThan(1n);
  });

  it("does not read what a failover lost, and stops when the target has it already", async () => {
    const early = emulator.begin();
    early.insert(ORDERS, { ID: "1" });
    early.commit();
    const { resume } = await followToEnd(flow, sink, BEGINNING, () => small);
    const at = emulator.scn + 1n;
    const lost = emulator.begin();
    lost.insert(ORDERS, { ID: "2", NOTE: "lost with the primary" });
    lost.commit();
    await emulator.flush();
    const further = new ModelSink();
    const { resume: beyond } = await followToEnd(flow, further, BEGINNING, () => small);
    emulator.resetLogs(at);
    const three = emulator.begin();
    three.insert(ORDERS, { ID: "3" });
    three.commit();
    await followToEnd(flow, sink, resume, () => small);
    expect(sink.rows(ORDERS.id).map(([id]) => id)).toEqual(["1", "3"]);
    expect(await failure(await flow.open(further, beyond, small))).toMatch(/GW2103: the source was opened with RESETLOGS at SCN/);
  });
});
