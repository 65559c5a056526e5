import { readdir } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { columnText } from "../../../../provider/databases/oracle/columnText.js";
import { captureStart } from "../../../../provider/databases/oracle/logMiner/captureStart.js";
import { NO_ROW_ID, Operation } from "../../../../provider/databases/oracle/logMiner/contents.js";
import type { DdlChange } from "../../../../provider/databases/oracle/logMiner/emitTransaction.js";
import { formatPosition, positionAt } from "../../../../provider/databases/oracle/logMiner/position.js";
import type { EmulatedTable, OracleEmulator } from "../../../support/oracle/emulator.js";
import { oracleDriver } from "../../../support/oracle/emulatorDriver.js";
import { ModelSink } from "../../../support/oracle/modelSink.js";
import type { PostgresServer } from "../../../support/postgres.js";
import { BEGINNING, expectEqual, type Flow, failure, followToEnd, small, withFlows } from "./flow.js";
import { EVENTS, ORDERS, PAPERS, TABLES } from "./randomScript.js";

describe("redo read through the emulator", () => {
  let server: PostgresServer;
  let flow: Flow;
  let emulator: OracleEmulator;
  let sink: ModelSink;
  withFlows("scenario", (opened, fresh, on) => {
    flow = opened;
    emulator = opened.emulator;
    sink = fresh;
    server = on;
  });

  const equalsSource = () => expectEqual(sink, emulator, TABLES);

  it("hands over a transaction that was open across ten windows, in the order of commits", async () => {
    const long = emulator.begin();
    const row = long.insert(ORDERS, { ID: "1", NOTE: "begun first" });
    for (let index = 0; index < 60; index++) {
      const short = emulator.begin(1 + (index % 2));
      short.insert(ORDERS, { ID: String(100 + index), NOTE: "short" });
      if (index % 5 === 0) long.update(row, { NOTE: `step ${index}` });
      short.commit();
      if (index % 20 === 19) emulator.switchLog(1 + (index % 2));
    }
    const committed = long.commit();
    await followToEnd(flow, sink, BEGINNING, () => small);
    equalsSource();
    expect(sink.commits.at(-1)).toEqual({ position: positionAt(committed), changes: 13 });
  });

  it("gives transactions that commit at one SCN an order, and goes on between them", async () => {
    for (let index = 0; index < 6; index++) {
      const transactions = [1, 2, 1, 2].map((thread, at) => {
        const transaction = emulator.begin(thread);
        transaction.insert(ORDERS, { ID: String(index * 10 + at) });
        return transaction;
      });
      emulator.commitTogether(...transactions);
    }
    sink.interrupt = (when, commits) => when === "after" && commits % 3 === 1;
    const { streams } = await followToEnd(flow, sink, BEGINNING, () => small);
    equalsSource();
    expect(sink.commits).toHaveLength(24);
    expect(streams).toBe(9);
    expect(formatPosition(sink.commits[1]?.position ?? 0n)).toMatch(/^SCN \d+ \(\+1\)$/);
  });

  it("goes on between them by their number alone, when a checkpoint has no ids", async () => {
    const transactions = [1, 1, 1].map((thread, at) => {
      const transaction = emulator.begin(thread);
      transaction.insert(ORDERS, { ID: String(at) });
      return transaction;
    });
    const scn = emulator.commitTogether(...transactions);
    await followToEnd(flow, sink, { position: positionAt(scn, 2), restartScn: 1000n, emitted: undefined }, () => small);
    expect(sink.rows(ORDERS.id).map(([id]) => id)).toEqual(["2"]);
  });

  it("leaves out what a savepoint took back, also what an earlier window had read", async () => {
    const one = emulator.begin();
    const kept = one.insert(ORDERS, { ID: "1", NOTE: "kept" });
    one.update(kept, { NOTE: "kept, changed" });
    const savepoint = one.savepoint();
    one.update(kept, { NOTE: "wrong" });
    one.insert(PAPERS, { ID: "5", BODY: "x".repeat(4000), SCAN: "\\x01" });
    const gone = one.insert(ORDERS, { ID: "2", NOTE: "wrong" });
    emulator.tick(50);
    one.delete(gone);
    one.rollbackTo(savepoint);
    one.insert(ORDERS, { ID: "3", NOTE: "after" });
    one.commit();
    const failed = emulator.begin();
    failed.delete(kept);
    failed.rollback();
    await followToEnd(flow, sink, BEGINNING, () => small);
    equalsSource();
    expect(
      sink
        .rows(ORDERS.id)
        .map(([id, note]) => `${id} ${note}`)
        .sort(),
    ).toEqual(["1 kept, changed", "3 after"]);
    expect(sink.commits).toHaveLength(1);
  });

  it("puts LOBs together, and reads those from the table that were changed in place", async () => {
    const one = emulator.begin();
    const paper = one.insert(PAPERS, {
      ID: "1",
      TITLE: "long",
      BODY: `it's ${"ü".repeat(5000)}`,
      SCAN: `\\x${"ab".repeat(4000)}`,
    });
    one.insert(PAPERS, { ID: "2", TITLE: "short", BODY: "short", SCAN: "\\x00" });
    one.insert(PAPERS, { ID: "3", TITLE: "none" });
    one.insert(PAPERS, { ID: "4", TITLE: "empty", BODY: "", SCAN: "\\x" });
    one.commit();
    const two = emulator.begin();
    two.writeLob(paper, "BODY", 3, "XYZ");
    two.commit();
    const three = emulator.begin();
    three.trimLob(paper, "BODY", 10);
    three.update(paper, { TITLE: "shorter", SCAN: `\\x${"cd".repeat(3000)}` });
    three.commit();
    await followToEnd(flow, sink, BEGINNING, () => small);
    equalsSource();
    expect(sink.rows(PAPERS.id).find(([id]) => id === "1")).toEqual(["1", "shorter", "it'XYZüüüü", `\\x${"cd".repeat(3000)}`]);
    expect(sink.rows(PAPERS.id).find(([id]) => id === "4")).toEqual(["4", "empty", "", "\\x"]);
  });

  it("puts XML documents and long strings together, which come in pieces as well", async () => {
    const table: EmulatedTable = {
      ...ORDERS,
      id: 7,
      name: "DOCUMENTS",
      columns: [
        { name: "ID", kind: "number", partOfKey: true },
        { name: "DOC", kind: "xml", partOfKey: false },
        { name: "LONGER", kind: "text", partOfKey: false },
      ],
    };
    flow.tables.set(emulator.createTable(table));
    const line = (operation: number, redo: string, rowId = NO_ROW_ID) =>
      emulator.line("0A00000000000FFF", 1, { operation, table, rowId, redo });
    const long = "it's long, ".repeat(900);
    line(Operation.insert, `insert into "SHOP"."DOCUMENTS"("ID","DOC","LONGER") values ('1',NULL,NULL)`);
    line(
      Operation.longStringBegin,
      `DECLARE\n buf_c VARCHAR2(32767);\n Stmt CLOB;\nBEGIN\n Stmt := 'update "SHOP"."DOCUMENTS" set "LONGER" = :LONGER where "ID" = ''1'';';`,
    );
    for (const piece of [long.slice(0, 5000), long.slice(5000)])
      line(
        Operation.longStringWrite,
        ` buf_c := '${piece.replaceAll("'", "''")}'; \n  dbms_lob.writeappend(TempLob, ${piece.length}, buf_c);\n`,
      );
    line(Operation.longStringEnd, "END;");
    line(Operation.xmlBegin, `XML DOC BEGIN:  select "DOC" from "SHOP"."DOCUMENTS" where "ID" = '1'`);
    line(Operation.xmlWrite, "XML_REDO := HEXTORAW('3c613e'):3");
    line(Operation.xmlWrite, "XML_REDO := HEXTORAW('3c2f613e'):4");
    line(Operation.xmlEnd, "XML DOC END");
    line(Operation.internal, "", "AAAE00000000009999");
    emulator.line("0A00000000000FFF", 1, { operation: Operation.commit });
    line(Operation.xmlBegin, `update "SHOP"."DOCUMENTS" a set a."DOC" = XMLType(:1)  where a."ID" = '1'`);
    line(Operation.xmlWrite, "XML_REDO := NULL");
    line(Operation.xmlEnd, "XML DOC END");
    emulator.line("0A00000000000FFF", 1, { operation: Operation.commit });
    const seen: unknown[] = [];
    sink.interrupt = () => {
      seen.push(...sink.rows(table.id));
      return false;
    };
    await followToEnd(flow, sink, BEGINNING, () => small);
    expect(seen[0]).toEqual(["1", "<a></a>", long]);
    expect(sink.rows(table.id)).toEqual([["1", null, long]]);
  });

  it("looks LOBs up whose pieces do not say whose they are", async () => {
    const one = emulator.begin();
    emulator.line(one.xid, 1, {
      operation: Operation.lobWrite,
      table: PAPERS,
      redo: " buf_c := 'stray'; \n  dbms_lob.write(loc_c, 5, 1, buf_c);\n",
    });
    const paper = one.insert(PAPERS, { ID: "1", TITLE: "t" });
    emulator.rows.set(paper, { table: PAPERS, values: { ID: "1", TITLE: "t", BODY: "stray", SCAN: null } });
    one.commit();
    await followToEnd(flow, sink, BEGINNING, () => small);
    expect(sink.rows(PAPERS.id)).toEqual([["1", "t", "stray", null]]);
  });

  it("does not take Oracle's own work for a transaction that stays open", async () => {
    emulator.line("0000000000000000", 1, { operation: Operation.internal, table: ORDERS, rowId: "AAAE00000000009998" });
    emulator.tick(50);
    const { resume } = await followToEnd(flow, sink, BEGINNING, () => small);
    expect(resume.restartScn).toBe(emulator.scn + 1n);
  });

  it("reads on in the archived logs, and says which one is missing when it is gone", async () => {
    for (let index = 0; index < 8; index++) {
      const one = emulator.begin();
      one.insert(ORDERS, { ID: String(index) });
      one.commit();
      emulator.switchLog(1);
    }
    await followToEnd(flow, sink, BEGINNING, () => small);
    equalsSource();
    emulator.deleteArchivedLog(1, 3);
    await emulator.flush();
    const error = await failure(await flow.open(new ModelSink(), BEGINNING, small));
    expect(error).toMatch(/GW1722: redo that the task still needs is gone/);
    emulator.deleteArchivedLog(1, 1);
    emulator.deleteArchivedLog(1, 2);
    await emulator.flush();
    const first = await failure(await flow.open(new ModelSink(), BEGINNING, small));
    expect(first).toMatch(/log 3 of thread 1.*RESTORE ARCHIVELOG FROM SEQUENCE 3 THREAD 1/);
  });

  it("tries again when a log is switched or written over while it is read", async () => {
    const one = emulator.begin();
    const row = one.insert(ORDERS, { ID: "1", NOTE: "first" });
    const savepoint = one.savepoint();
    emulator.tick(30);
    one.update(row, { NOTE: "wrong" });
    one.rollbackTo(savepoint);
    one.insert(ORDERS, { ID: "2" });
    one.commit();
    for (const [code, place] of [
      ["ORA-01291", "start"],
      ["ORA-00310", "fetch"],
      ["ORA-01284", "add"],
      ["ORA-00353", "fetch"],
    ] as const)
      emulator.failNext(code, place);
    await followToEnd(flow, sink, BEGINNING, () => ({ limits: { ...small.limits, attempts: 6 } }));
    equalsSource();
    emulator.failNext("ORA-01291", "start", 100);
    await emulator.flush();
    expect(await failure(await flow.open(new ModelSink(), BEGINNING, small))).toMatch(/GW1722.*ORA-01291/);
  });

  it("names the right that LogMiner lacks", async () => {
    emulator.failNext("ORA-01031", "start", 100);
    await emulator.flush();
    expect(await failure(await flow.open(sink, BEGINNING, small))).toMatch(/GW1723.*Remedy: GRANT LOGMINING/);
  });

  it("hands DDL over between the transactions before and after it, and takes new tables into the same window", async () => {
    const later: EmulatedTable = { ...EVENTS, id: 9, name: "LATER" };
    const before = emulator.begin();
    before.insert(ORDERS, { ID: "1" });
    before.commit();
    emulator.createTable(later);
    emulator.ddl(later, 'create table "LATER" (...)');
    emulator.ddl(later, "internal", { info: "INTERNAL DDL (PlSql=0 RecDep=1)" });
    const after = emulator.begin();
    after.insert(later, { WHAT: "first", "HOW MUCH": "1" });
    after.commit();
    const seen: { readonly change: DdlChange; readonly commits: number }[] = [];
    await followToEnd(flow, sink, BEGINNING, () => ({
      onDdl: async (change) => {
        seen.push({ change, commits: sink.commits.length });
        flow.tables.set(later);
      },
    }));
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ change: { owner: "SHOP", name: "LATER", sql: 'create table "LATER" (...)' }, commits: 1 });
    expect(sink.rows(later.id)).toEqual([["first", "1"]]);
  });

  it("reads a table whose columns changed by the structure it has at that place", async () => {
    const wider: EmulatedTable = { ...EVENTS, columns: [...EVENTS.columns, { name: "ADDED", kind: "text", partOfKey: false }] };
    const before = emulator.begin();
    before.insert(EVENTS, { WHAT: "narrow", "HOW MUCH": "1" });
    before.commit();
    emulator.createTable(wider);
    emulator.ddl(wider, "alter table EVENTS add ADDED varchar2(9)");
    const after = emulator.begin();
    after.insert(wider, { WHAT: "wide", "HOW MUCH": "2", ADDED: "new" });
    after.commit();
    await followToEnd(flow, sink, BEGINNING, () => ({ onDdl: async () => void flow.tables.set(wider) }));
    expect(sink.rows(EVENTS.id)).toEqual([
      ["narrow", "1"],
      ["wide", "2", "new"],
    ]);
  });

  it("says what changed when nobody followed the DDL", async () => {
    const wider: EmulatedTable = { ...EVENTS, columns: [...EVENTS.columns, { name: "ADDED", kind: "text", partOfKey: false }] };
    const after = emulator.begin();
    after.insert(wider, { WHAT: "wide", ADDED: "new" });
    after.commit();
    await emulator.flush();
    expect(await failure(await flow.open(sink, BEGINNING, small))).toMatch(/GW1502.*column "ADDED" is not known.*SHOP\.EVENTS/);
  });

  it("hands TRUNCATE to the target", async () => {
    const one = emulator.begin();
    one.insert(ORDERS, { ID: "1" });
    one.commit();
    emulator.truncate(ORDERS);
    const two = emulator.begin();
    two.insert(ORDERS, { ID: "2" });
    two.commit();
    await followToEnd(flow, sink, BEGINNING);
    expect(sink.rows(ORDERS.id).map(([id]) => id)).toEqual(["2"]);
  });

  it("stops at a change that LogMiner cannot read, unless it was rolled back", async () => {
    const setup = emulator.begin();
    const row = setup.insert(ORDERS, { ID: "1" });
    setup.commit();
    const harmless = emulator.begin();
    harmless.unsupported(row);
    harmless.rollback();
    await followToEnd(flow, sink, BEGINNING);
    const harmful = emulator.begin();
    harmful.unsupported(row);
    harmful.commit();
    await emulator.flush();
    expect(await failure(await flow.open(new ModelSink(), BEGINNING))).toMatch(/GW1725.*SHOP\.ORDERS, at SCN/);
  });

  it("puts large transactions into files that have no name", async () => {
    const one = emulator.begin();
    const rows = Array.from({ length: 3000 }, (_, index) => one.insert(ORDERS, { ID: String(index), NOTE: "n".repeat(200) }));
    const savepoint = one.savepoint();
    for (const row of rows.slice(0, 500)) one.update(row, { NOTE: "wrong" });
    one.rollbackTo(savepoint);
    const spillDirectory = server.dataDirectory;
    const before = await readdir(spillDirectory);
    await emulator.flush();
    const stream = await flow.open(sink, BEGINNING, {
      limits: { ...small.limits, windowScns: 400, memoryBytes: 1 << 14, spillDirectory },
    });
    while (stream.readScn < emulator.scn) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(stream.open.transactions).toBe(1);
    expect(stream.open.bytes).toBeLessThan(1 << 16);
    expect(await readdir(spillDirectory)).toEqual(before);
    await stream.stop();
    one.commit();
    await followToEnd(flow, sink, BEGINNING, () => ({
      limits: { ...small.limits, windowScns: 400, memoryBytes: 1 << 14, spillDirectory },
    }));
    equalsSource();
    expect(await readdir(spillDirectory)).toEqual(before);
  });

  it("needs no older redo than the oldest open transaction's when it begins again", async () => {
    const early = emulator.begin();
    early.insert(ORDERS, { ID: "1" });
    early.commit();
    const open = emulator.begin();
    const openedAt = emulator.scn + 1n;
    open.insert(ORDERS, { ID: "2" });
    emulator.tick(100);
    const { resume } = await followToEnd(flow, sink, BEGINNING, () => small);
    expect(resume.restartScn).toBe(openedAt);
    expect(resume.position).toBe(positionAt(emulator.scn + 1n));
    open.commit();
    const { resume: idle } = await followToEnd(flow, sink, resume, () => small);
    equalsSource();
    expect(idle.restartScn).toBe(emulator.scn + 1n);
  });

  it("tells transactions of one id in two pluggable databases apart", async () => {
    const ours = emulator.begin();
    ours.insert(ORDERS, { ID: "1" });
    emulator.line(ours.xid, 1, { operation: Operation.insert, table: ORDERS, redo: "of another", container: "OTHER" });
    emulator.line(ours.xid, 1, { operation: Operation.commit, container: "OTHER" });
    emulator.tick(30);
    await followToEnd(flow, sink, BEGINNING, () => ({ ...small, container: "EMUPDB" }));
    expect(sink.commits).toHaveLength(0);
    ours.commit();
    await followToEnd(flow, sink, BEGINNING, () => ({ ...small, container: "EMUPDB" }));
    equalsSource();
  });

  it("warns of what was undone and never seen, as after a start in the middle of a transaction", async () => {
    const one = emulator.begin();
    const savepoint = one.savepoint();
    one.insert(ORDERS, { ID: "1" });
    const middle = emulator.scn + 1n;
    one.rollbackTo(savepoint);
    one.insert(ORDERS, { ID: "2" });
    one.commit();
    const warnings: string[] = [];
    await followToEnd(flow, sink, { position: positionAt(middle), restartScn: middle, emitted: [] }, () => ({
      ...small,
      onWarning: (message) => void warnings.push(message),
    }));
    equalsSource();
    expect(warnings).toEqual([expect.stringContaining("undid 1 changes that were not found")]);
  });

  it("warns once of a transaction that stays open, and waits for it all the same", async () => {
    const open = emulator.begin();
    open.insert(ORDERS, { ID: "1" });
    const warnings: string[] = [];
    await emulator.flush();
    const options = {
      ...small,
      limits: { ...small.limits, longTransactionMs: 50 },
      onWarning: (message: string) => void warnings.push(message),
    };
    const stream = await flow.open(sink, BEGINNING, options);
    for (let tick = 0; tick < 5; tick++) {
      await new Promise((resolve) => setTimeout(resolve, 40));
      emulator.tick();
      await emulator.flush();
    }
    await sink.reached(positionAt(emulator.scn + 1n));
    expect(warnings).toEqual([expect.stringContaining(`transaction ${open.xid} has been open since SCN`)]);
    open.commit();
    await emulator.flush();
    await sink.reached(positionAt(emulator.scn + 1n));
    await stream.stop();
    equalsSource();
  });

  it("warns of rows that were written without redo, once", async () => {
    const early = emulator.begin();
    early.insert(ORDERS, { ID: "1" });
    early.commit();
    emulator.unlogged(ORDERS, [{ ID: "2", NOTE: "a direct load under NOLOGGING" }]);
    const at = emulator.scn;
    const late = emulator.begin();
    late.insert(ORDERS, { ID: "3" });
    late.commit();
    const warnings: string[] = [];
    const watched = (unloggedMs: number) => () => ({
      limits: { ...small.limits, unloggedMs },
      onWarning: (message: string) => void warnings.push(message),
    });
    const { resume } = await followToEnd(flow, sink, BEGINNING, watched(0));
    expect(sink.rows(ORDERS.id).map(([id]) => id)).toEqual(["1", "3"]);
    expect(warnings).toEqual([expect.stringContaining(`without redo (NOLOGGING) into users01.dbf (SCN ${at})`)]);
    await followToEnd(flow, sink, resume, watched(0));
    expect(warnings).toHaveLength(1);
  });

  it("joins on to rows read as of an SCN while transactions are open", async () => {
    const before = emulator.begin();
    for (let id = 1; id <= 5; id++)
      before.insert(ORDERS, { ID: String(id), NOTE: `row ${id}`, TOKEN: "\\x0102", CREATED: "2024-02-29 10:00:00" });
    before.commit();
    emulator.tick(40);
    const across = emulator.begin();
    const [first = "", second = ""] = across.free(ORDERS);
    across.update(first, { NOTE: "changed across the snapshot" });
    across.delete(second);
    await emulator.flush();
    const connection = await oracleDriver.connect(flow.endpoint, {
      applicationName: "test",
    });
    const { snapshotScn, resume } = await captureStart(connection);
    expect(resume.restartScn).toBeLessThan(snapshotScn);
    across.commit();
    const after = emulator.begin();
    after.insert(ORDERS, { ID: "6", NOTE: "after the snapshot" });
    after.commit();
    await emulator.flush();
    const rows: (string | null)[][] = [];
    const list = ORDERS.columns.map(columnText).join(", ");
    for await (const batch of connection.stream(
      `SELECT ${list} FROM "SHOP"."ORDERS" AS OF SCN :scn`,
      { scn: snapshotScn },
      { batchRows: 2 },
    ))
      rows.push(
        ...batch.map((row) =>
          row.map((value) => (Buffer.isBuffer(value) ? `\\x${value.toString("hex")}` : value === null ? null : String(value))),
        ),
      );
    await connection.close();
    expect(rows).toHaveLength(5);
    expect(rows[0]?.[4]).toBe("2024-02-29 10:00:00 AD");
    const streamed = flow.tables.at(flow.tables.place("SHOP", "ORDERS")).streamed();
    sink.load(
      streamed,
      rows.map((row) => row.map((value) => value?.replace(" AD", "") ?? null)),
    );
    sink.loadPosition = resume.position;
    await followToEnd(flow, sink, resume, () => small);
    equalsSource();
  });

  it("waits for redo that is not complete yet", async () => {
    const one = emulator.begin();
    one.insert(ORDERS, { ID: "1" });
    one.commit();
    await emulator.flush();
    const stream = await flow.open(sink, BEGINNING, { limits: { ...small.limits, windowScns: 1000, settleMs: 400 } });
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(sink.commits).toHaveLength(0);
    await sink.reached(positionAt(emulator.scn + 1n));
    expect(sink.commits).toHaveLength(1);
    await stream.stop();
  });
});
