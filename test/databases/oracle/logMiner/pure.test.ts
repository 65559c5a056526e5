import { describe, expect, it } from "vitest";
import { checkHistory, incarnationAt } from "../../../../provider/databases/oracle/logMiner/incarnations.js";
import { formatPosition, ordinalOf, positionAt, scnOf } from "../../../../provider/databases/oracle/logMiner/position.js";
import { coverage, logsBetween, type RedoLog, type RedoLogs } from "../../../../provider/databases/oracle/logMiner/redoLogs.js";
import { decodeResumePoint, Emitted, encodeResumePoint } from "../../../../provider/databases/oracle/logMiner/resumePoint.js";
import { ResumePoints } from "../../../../provider/databases/oracle/logMiner/resumePoints.js";
import { SettledScn } from "../../../../provider/databases/oracle/logMiner/settledScn.js";
import { nextWindowSize } from "../../../../provider/databases/oracle/logMiner/windowSize.js";

function log(thread: number, sequence: number, first: number, next?: number): RedoLog {
  return {
    thread,
    sequence,
    firstScn: BigInt(first),
    nextScn: next === undefined ? undefined : BigInt(next),
    path: `${thread}_${sequence}`,
    online: next === undefined,
  };
}

const known = (logs: readonly RedoLog[], more: Partial<RedoLogs> = {}): RedoLogs => ({
  logs,
  gone: [],
  threads: [],
  before: new Map(),
  endScn: undefined,
  ...more,
});
const thread = (number: number, open: boolean, enabled = 1, last = 0) => ({
  thread: number,
  open,
  enabledScn: BigInt(enabled),
  lastScn: BigInt(last),
});
const paths = (logs: readonly RedoLog[]) => logs.map(({ path }) => path);

describe("the redo logs of a window", () => {
  it("are those of every thread, from the one that holds the first SCN on", () => {
    const all = [log(1, 5, 100, 200), log(1, 6, 200, 300), log(1, 7, 300), log(2, 9, 50, 250), log(2, 10, 250)];
    const { logs, endScn } = coverage(known(all), 150n);
    expect(endScn).toBeUndefined();
    expect(paths(logsBetween(logs, 150n, 199n))).toEqual(["1_5", "2_9"]);
    expect(paths(logsBetween(logs, 200n, 260n))).toEqual(["1_6", "2_9", "2_10"]);
  });

  it("end where the first thread's redo ends", () => {
    const { logs, endScn } = coverage(known([log(1, 5, 100, 200), log(1, 7, 300), log(2, 9, 100, 180), log(2, 10, 180)]), 150n);
    expect(endScn).toBe(199n);
    expect(paths(logs)).toEqual(["1_5", "2_9", "2_10"]);
  });

  it("may lack the time before a thread began, and no other", () => {
    expect(paths(coverage(known([log(1, 5, 100), log(2, 1, 180)]), 150n).logs)).toEqual(["1_5", "2_1"]);
    expect(() => coverage(known([log(1, 5, 100), log(2, 3, 180)]), 150n)).toThrow(
      /log 2 of thread 2.*RESTORE ARCHIVELOG FROM SEQUENCE 2 THREAD 2/,
    );
    expect(() => coverage(known([]), 150n)).toThrow("GW1722");
  });

  it("may lack the time in which an instance was down, between two logs in sequence", () => {
    const all = [log(1, 5, 100), log(2, 8, 300)];
    expect(paths(coverage(known(all, { before: new Map([[2, 7]]) }), 150n).logs)).toEqual(["1_5", "2_8"]);
    expect(() => coverage(known(all, { before: new Map([[2, 6]]) }), 150n)).toThrow(/log 7 of thread 2/);
  });

  it("may lack the time in which a thread was disabled", () => {
    const all = [log(1, 5, 100), log(2, 8, 300)];
    expect(paths(coverage(known(all, { threads: [thread(1, true), thread(2, true, 300, 400)] }), 150n).logs)).toEqual([
      "1_5",
      "2_8",
    ]);
    expect(() => coverage(known(all, { threads: [thread(1, true), thread(2, true, 250, 400)] }), 150n)).toThrow(
      /log 7 of thread 2/,
    );
  });

  it("are not complete without those of a thread that wrote, though nothing of it is left", () => {
    const all = [log(1, 5, 100)];
    expect(() => coverage(known(all, { threads: [thread(1, true), thread(2, true)] }), 150n)).toThrow(/no log of thread 2/);
    expect(() => coverage(known(all, { threads: [thread(1, true), thread(2, false, 1, 200)] }), 150n)).toThrow(
      /no log of thread 2/,
    );
    expect(paths(coverage(known(all, { threads: [thread(1, true), thread(2, false, 1, 149)] }), 150n).logs)).toEqual(["1_5"]);
    expect(() => coverage(known(all, { gone: [log(2, 4, 120, 180)] }), 150n)).toThrow(/log 4 of thread 2/);
  });

  it("end where the database was opened with RESETLOGS", () => {
    expect(coverage(known([log(1, 5, 100, 400)], { endScn: 299n }), 150n).endScn).toBe(299n);
    expect(coverage(known([log(1, 5, 100, 200), log(1, 6, 200, 400)], { endScn: 299n }), 150n).endScn).toBe(299n);
  });
});

describe("the history of a database that was opened with RESETLOGS", () => {
  const history = [{ resetlogs: 1n }, { resetlogs: 500n }, { resetlogs: 900n }];
  const at = (scn: bigint, resetlogs?: bigint) => ({ position: positionAt(scn), restartScn: scn, emitted: [], resetlogs });

  it("has its redo incarnation by incarnation", () => {
    expect(incarnationAt(history, 499n)).toEqual({ resetlogs: 1n, endScn: 499n });
    expect(incarnationAt(history, 500n)).toEqual({ resetlogs: 500n, endScn: 899n });
    expect(incarnationAt(history, 5000n)).toEqual({ resetlogs: 900n, endScn: undefined });
    expect(() => incarnationAt([{ resetlogs: 500n }], 499n)).toThrow(/GW1722.*RESETLOGS.*V_\$DATABASE_INCARNATION/);
  });

  it("is one that the target can go on with when nothing it has was lost", () => {
    for (const point of [at(700n), at(700n, 900n), at(500n, 1n), at(400n, 1n), at(900n, 500n), at(5000n, 900n)]) {
      expect(() => checkHistory(history, point)).not.toThrow();
    }
  });

  it("is another one when the target is further than where it began anew", () => {
    for (const point of [at(501n, 1n), at(901n, 500n), at(901n, 1n), at(800n, 600n)]) {
      expect(() => checkHistory(history, point)).toThrow("GW2103");
    }
  });
});

describe("a position", () => {
  it("has the SCN and the place among the commits at it, in order", () => {
    expect(scnOf(positionAt(12345n, 7))).toBe(12345n);
    expect(ordinalOf(positionAt(12345n, 7))).toBe(7);
    expect(positionAt(12345n, 7) < positionAt(12345n, 8)).toBe(true);
    expect(positionAt(12345n, 40_000) < positionAt(12346n)).toBe(true);
    expect(positionAt((1n << 48n) - 1n, 32_767)).toBeLessThan(1n << 63n);
    expect(() => positionAt(1n << 48n)).toThrow(RangeError);
    expect(formatPosition(positionAt(5n))).toBe("SCN 5");
  });
});

describe("a resume point", () => {
  it("comes back from its text", () => {
    for (const emitted of [undefined, [], ["0A00000000000001"], ["0A00000000000001", "0B00000000000002DD"]]) {
      const point = { position: positionAt(9n, 3), restartScn: 4n, emitted };
      expect(decodeResumePoint(point.position, encodeResumePoint(point))).toEqual(point);
      const within = { ...point, resetlogs: 1920977n };
      expect(decodeResumePoint(point.position, encodeResumePoint(within))).toEqual(within);
    }
    expect(() => decodeResumePoint(1n, "; DROP TABLE")).toThrow(RangeError);
  });

  it("knows by the ids what is done at its SCN, whatever the order", () => {
    const emitted = new Emitted({ position: positionAt(9n, 2), restartScn: 1n, emitted: ["B"] });
    expect(emitted.has(8n, 5, "A")).toBe(true);
    expect(emitted.has(9n, 0, "A")).toBe(false);
    expect(emitted.has(9n, 5, "B")).toBe(true);
    expect(emitted.has(10n, 0, "B")).toBe(false);
  });

  it("is the older one's between two positions", () => {
    const points = new ResumePoints({ position: 10n, restartScn: 1n, emitted: [] });
    points.add({ position: 20n, restartScn: 2n, emitted: ["A"] });
    points.add({ position: 30n, restartScn: 3n, emitted: ["B"] });
    expect(points.at(20n)).toEqual({ position: 20n, restartScn: 2n, emitted: ["A"] });
    expect(points.at(29n)).toEqual({ position: 29n, restartScn: 2n, emitted: undefined });
    points.forget(25n);
    expect(points.at(29n).restartScn).toBe(2n);
    points.forget(30n);
    expect(points.at(30n).restartScn).toBe(3n);
    expect(points.at(20n), "a position that was forgotten").toEqual({ position: 20n, restartScn: 1n, emitted: undefined });
  });
});

describe("the size of windows", () => {
  it("doubles while they bring little, halves when one was long, and stays at the end of the redo", () => {
    expect(nextWindowSize(20_000, { rows: 10, milliseconds: 300, atEnd: false })).toBe(40_000);
    expect(nextWindowSize(20_000, { rows: 10, milliseconds: 300, atEnd: true })).toBe(20_000);
    expect(nextWindowSize(20_000, { rows: 300_000, milliseconds: 900, atEnd: false })).toBe(10_000);
    expect(nextWindowSize(20_000, { rows: 10, milliseconds: 60_000, atEnd: true })).toBe(10_000);
    expect(nextWindowSize(1_000, { rows: 1e7, milliseconds: 60_000, atEnd: false })).toBe(1_000);
  });
});

describe("a settled SCN", () => {
  it("is one that was current long enough ago", () => {
    const settled = new SettledScn(3000);
    expect(settled.observe(100n, 0)).toBeUndefined();
    expect(settled.observe(150n, 1500)).toBeUndefined();
    expect(settled.observe(200n, 3000)).toBe(100n);
    expect(settled.observe(250n, 4600)).toBe(150n);
    expect(settled.observe(300n, 9000)).toBe(250n);
  });
});
