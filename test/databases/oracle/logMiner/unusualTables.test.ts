import { describe, expect, it } from "vitest";
import { rowLookup } from "../../../../provider/databases/oracle/logMiner/rowLookup.js";
import type { EmulatedTable, OracleEmulator } from "../../../support/oracle/emulator.js";
import { oracleDriver } from "../../../support/oracle/emulatorDriver.js";
import { ModelSink } from "../../../support/oracle/modelSink.js";
import { BEGINNING, expectEqual, expectedRows, type Flow, failure, followToEnd, sinkRows, small, withFlows } from "./flow.js";
import { PAPERS, TABLES } from "./randomScript.js";

describe("redo of unusual tables", () => {
  let flow: Flow;
  let emulator: OracleEmulator;
  let sink: ModelSink;
  withFlows("table", (opened, fresh) => {
    flow = opened;
    emulator = opened.emulator;
    sink = fresh;
  });

  const equalsSource = () => expectEqual(sink, emulator, TABLES);

  it("finds a LOB that was changed in place by its key, when the table was moved since and rows have other ids", async () => {
    const one = emulator.begin();
    const paper = one.insert(PAPERS, { ID: "1", TITLE: "moved", BODY: "x".repeat(5000) });
    one.commit();
    const { resume } = await followToEnd(flow, sink, BEGINNING, () => small);
    const two = emulator.begin();
    two.writeLob(paper, "BODY", 3, "XYZ");
    two.commit();
    await emulator.moveTable(PAPERS);
    await followToEnd(flow, sink, resume, () => small);
    equalsSource();
  });

  it("does not take another row's LOB for one whose undo is gone and whose place was given away", async () => {
    const one = emulator.begin();
    const paper = one.insert(PAPERS, { ID: "1", TITLE: "first", BODY: "a".repeat(5000) });
    one.commit();
    const { resume } = await followToEnd(flow, sink, BEGINNING, () => small);
    const two = emulator.begin();
    two.writeLob(paper, "BODY", 0, "CHANGED");
    two.commit();
    await emulator.flush();
    const connection = await oracleDriver.connect(flow.endpoint, {
      applicationName: "test",
    });
    const lookup = rowLookup(async () => connection);
    const places = [PAPERS.columns.findIndex(({ name }) => name === "BODY")];
    const table = flow.tables.at(flow.tables.place("SHOP", "PAPERS"));
    const text = (found: Awaited<ReturnType<typeof lookup>>) =>
      typeof found === "string" ? found : found.get(places[0] ?? 0)?.toString();
    // Another row's id: of the row with that key the table has another.
    const other = emulator.begin();
    const place = other.insert(PAPERS, { ID: "2", TITLE: "second", BODY: "of another" });
    other.commit();
    emulator.failNext("ORA-01555", "query");
    await emulator.flush();
    const values = [Buffer.from("1"), undefined, undefined, undefined];
    expect(text(await lookup(table, places, { rowId: place, values }, emulator.scn))).toBe(`CHANGED${"a".repeat(4993)}`);
    await connection.close();
    await followToEnd(flow, sink, resume, () => small);
    equalsSource();
  });

  it("follows an index-organized table, which has no row ids: RAW keys, LOBs in place and savepoints", async () => {
    const index: EmulatedTable = {
      id: 8,
      owner: "SHOP",
      name: "BY_KEY",
      logged: "key",
      fullIdentity: false,
      indexOrganized: true,
      columns: [
        { name: "ID", kind: "bytes", partOfKey: true },
        { name: "MADE", kind: "date", partOfKey: true },
        { name: "NOTE", kind: "text", partOfKey: false },
        { name: "BODY", kind: "clob", partOfKey: false },
      ],
    };
    flow.tables.set(emulator.createTable(index));
    const key = (number: number) => ({ ID: `\\x0${number}ff`, MADE: "2024-02-29 23:59:59" });
    const one = emulator.begin();
    const rows = [1, 2, 3, 4].map((number) =>
      one.insert(index, { ...key(number), NOTE: `row ${number}`, BODY: "b".repeat(4500) }),
    );
    one.commit();
    const two = emulator.begin();
    two.insert(index, { ...key(7), NOTE: "without a LOB" });
    two.writeLob(rows[0] ?? "", "BODY", 2, "XYZ");
    two.update(rows[1] ?? "", { NOTE: "kept" });
    const savepoint = two.savepoint();
    two.update(rows[1] ?? "", { NOTE: "wrong" });
    two.update(rows[2] ?? "", { NOTE: "wrong too" });
    two.delete(rows[3] ?? "");
    two.insert(index, { ...key(5), NOTE: "never" });
    emulator.tick(40);
    two.rollbackTo(savepoint);
    two.update(rows[3] ?? "", { ID: "\\x0611", NOTE: "another key" });
    two.commit();
    await followToEnd(flow, sink, BEGINNING, () => small);
    expect(sinkRows(sink, index)).toEqual(expectedRows(emulator, index));
    expect(sink.rows(index.id)).toHaveLength(5);
  });

  it("follows a table of a thousand columns, whose statements LogMiner shows in many rows, and stops where one is missing", async () => {
    const kinds = ["text", "number", "date", "bytes"] as const;
    const wide: EmulatedTable = {
      id: 9,
      owner: "SHOP",
      name: "WIDE",
      logged: "all",
      fullIdentity: false,
      columns: [
        { name: "ID", kind: "number", partOfKey: true },
        ...Array.from({ length: 999 }, (_, index) => ({
          name: `COLUMN_${index}`,
          kind: kinds[index % kinds.length] ?? "text",
          partOfKey: false,
        })),
      ],
    };
    flow.tables.set(emulator.createTable(wide));
    const texts = { text: "it's ü, ", number: "-123456789.25", date: "2024-02-29 23:59:59", bytes: "\\x00ff" };
    const filled = (of: (index: number) => boolean) =>
      Object.fromEntries(
        wide.columns.slice(1).flatMap(({ name, kind }, index) => (of(index) ? [[name, texts[kind as keyof typeof texts]]] : [])),
      );
    const one = emulator.begin();
    const row = one.insert(wide, { ID: "1", ...filled(() => true) });
    const other = one.insert(wide, { ID: "2", ...filled((index) => index % 3 === 0) });
    one.update(row, { ID: "3", ...Object.fromEntries(wide.columns.slice(1, 900).map(({ name }) => [name, null])) });
    one.update(
      other,
      filled((index) => index % 3 > 0),
    );
    one.insert(wide, { ID: "4", COLUMN_998: "\\x01" });
    one.delete(other);
    one.commit();
    await followToEnd(flow, sink, BEGINNING, () => small);
    expect(sinkRows(sink, wide)).toEqual(expectedRows(emulator, wide));
    expect(sink.rows(wide.id)).toHaveLength(2);
    const torn = emulator.begin();
    torn.insert(wide, { ID: "5", ...filled(() => true) });
    torn.commit();
    await emulator.flush();
    await emulator.extend(
      "DELETE FROM oracle_emulator.redo WHERE id = (SELECT max(id) FROM oracle_emulator.redo WHERE csf = 0 AND table_name = 'WIDE')",
    );
    expect(await failure(await flow.open(new ModelSink(), BEGINNING, small))).toMatch(/GW1724: .*\(CSF\) does not come whole/);
  });

  it("takes a row that moves to another partition as what it is in the redo: one row less, one more, of the same key", async () => {
    const one = emulator.begin();
    const row = one.insert(PAPERS, { ID: "1", TITLE: "in the first partition", BODY: "b".repeat(3000), SCAN: "\\x01" });
    const kept = one.insert(PAPERS, { ID: "2", TITLE: "stays" });
    one.commit();
    const two = emulator.begin();
    two.delete(row);
    const moved = two.insert(PAPERS, { ID: "1", TITLE: "in the second", BODY: "b".repeat(3000), SCAN: "\\x01" });
    const savepoint = two.savepoint();
    two.delete(kept);
    two.insert(PAPERS, { ID: "2", TITLE: "moved and taken back" });
    two.rollbackTo(savepoint);
    two.writeLob(moved, "BODY", 0, "edited");
    two.commit();
    await followToEnd(flow, sink, BEGINNING, () => small);
    equalsSource();
  });
});
