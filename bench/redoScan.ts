import { RedoTable } from "../provider/databases/oracle/redo/redoTable.js";
import { RowOperation, RowScanner } from "../provider/databases/oracle/redo/rowScanner.js";
import type { Benchmark } from "./benchmark.js";

/** What the project asks of one core. */
const GOAL_LINES_PER_SECOND = 500_000;
const LINES = 1_000_000;
/** Distinct lines, so that neither the processor nor the compiler sees the same text again and again. */
const DISTINCT = 20_000;

interface Line {
  readonly operation: number;
  readonly redo: string;
}

/**
 * Oracle's redo text into packed rows, from the strings that the driver gives: encoding them as bytes is in the time. The other side is no
 * tool but the goal: the time that so many lines take at 500,000 a second. Seconds of processor time, for the goal is one core's.
 */
export function redoScan(): Benchmark {
  let lines: readonly Line[] = [];
  return {
    name: "redo-scan",
    peerName: "the goal of 500,000 lines a second",
    unit: "s",
    async run() {
      if (lines.length === 0) {
        lines = makeLines();
        scanAll(lines, 200_000);
      }
      const before = process.cpuUsage();
      const bytes = scanAll(lines, LINES);
      const { user, system } = process.cpuUsage(before);
      const ours = (user + system) / 1e6;
      console.error(
        `redo-scan: ${Math.round(LINES / ours).toLocaleString("en")} lines a second of one core, ${(bytes / ours / 1e6).toFixed(0)} MB/s of redo`,
      );
      return { ours, peer: LINES / GOAL_LINES_PER_SECOND };
    },
    async close() {
      lines = [];
    },
  };
}

function scanAll(lines: readonly Line[], count: number): number {
  const table = new RedoTable({
    id: 1,
    owner: "SHOP",
    name: "ORDERS",
    fullIdentity: false,
    columns: [
      { name: "ID", kind: "number", partOfKey: true },
      { name: "CUSTOMER", kind: "text", partOfKey: false },
      { name: "STATUS", kind: "text", partOfKey: false },
      { name: "AMOUNT", kind: "number", partOfKey: false },
      { name: "NOTE", kind: "text", partOfKey: false },
      { name: "CREATED", kind: "date", partOfKey: false },
      { name: "CHANGED", kind: "timestamp", partOfKey: false },
      { name: "TOKEN", kind: "bytes", partOfKey: false },
    ],
  });
  const scanner = new RowScanner({ zeroBytes: "remove", decodeText: (bytes) => bytes.toString("utf8") });
  const buffer = Buffer.allocUnsafe(1 << 16);
  let scanned = 0;
  for (let index = 0; index < count; index++) {
    const { operation, redo } = lines[index % DISTINCT] as Line;
    const length = buffer.write(redo);
    scanner.scan(table, operation, buffer, 0, length);
    scanned += length;
    if (scanner.end < 10) throw new Error("a line that was not scanned");
  }
  return scanned;
}

/** Half inserts, three in ten updates, the rest deletes; every tenth text is not ASCII. Logged with the primary key only. */
function makeLines(): readonly Line[] {
  return Array.from({ length: DISTINCT }, (_, index) => {
    const id = 10_000_000 + index * 7;
    const customer = index % 10 === 0 ? `Müller & Söhne ${index}` : `Customer No. ${index}`;
    const kind = index % 10;
    if (kind < 5) {
      return {
        operation: RowOperation.insert,
        redo:
          'insert into "SHOP"."ORDERS"("ID","CUSTOMER","STATUS","AMOUNT","NOTE","CREATED","CHANGED","TOKEN") values ' +
          `('${id}','${customer}','NEW','${index}.25','ring the ''second'' bell, then wait',` +
          `TO_DATE(' 2024-03-${10 + (index % 19)} 08:15:30', 'SYYYY-MM-DD HH24:MI:SS'),` +
          `TO_TIMESTAMP(' 2024-03-09 08:15:30.${100_000 + index}'),HEXTORAW('00ff${(0x1000 + index).toString(16)}'))`,
      };
    }
    if (kind < 8) {
      return {
        operation: RowOperation.update,
        redo:
          `update "SHOP"."ORDERS" set "CUSTOMER" = '${customer}', "STATUS" = 'PAID', "AMOUNT" = '${index}.75', "NOTE" = NULL, ` +
          `"CHANGED" = TO_TIMESTAMP(' 2024-03-10 09:15:30.${100_000 + index}') where "ID" = '${id}' and "CUSTOMER" = '${customer}' and ` +
          `"STATUS" = 'NEW' and "AMOUNT" = '${index}.25' and "NOTE" IS NULL`,
      };
    }
    return {
      operation: RowOperation.delete,
      redo: `delete from "SHOP"."ORDERS" where "ID" = '${id}' and "CUSTOMER" = '${customer}' and "STATUS" = 'PAID' and "NOTE" IS NULL`,
    };
  });
}
