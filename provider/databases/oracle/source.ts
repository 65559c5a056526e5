import { setTimeout as sleep } from "node:timers/promises";
import type { Snapshot, SourceDatabase } from "../../engine/database.js";
import { ErrorCode, GodwitError } from "../../engine/errors.js";
import type { TaskDefinition } from "../../engine/taskDefinition.js";
import { statementQueue } from "../postgres/statementQueue.js";
import { captureStatus } from "./captureStatus.js";
import { kindOfType } from "./catalog/columns.js";
import { openDictionary } from "./catalog/dictionary.js";
import { readTypeShapes } from "./catalog/typeShapes.js";
import type { OracleConnections } from "./connections.js";
import { tableChunks } from "./copy/chunks.js";
import type { TakenOut } from "./copy/copyText.js";
import { openOracleReader } from "./copy/rowReader.js";
import { captureStart, OLDEST_TRANSACTION } from "./logMiner/captureStart.js";
import { formatPosition, positionAt } from "./logMiner/position.js";
import { encodeResumePoint } from "./logMiner/resumePoint.js";
import { currentScn } from "./logMiner/settledScn.js";
import { startAt } from "./logMiner/startAt.js";

export interface OracleSourceOptions {
  readonly connections: OracleConnections;
  readonly definition: TaskDefinition;
  /** From which SCN on the stream reads redo after a restart; undefined before capture began. */
  readonly restartScn: () => Promise<bigint | undefined>;
  readonly takenOut: TakenOut;
}

/** How long a table that joins waits for transactions that are older than the redo the stream goes on from. */
const OLD_TRANSACTION_MINUTES = 10;

/**
 * Oracle as the source of a task. Nothing is made there: the redo is kept anyway, and where to read on is in the task's store. Supplemental logging
 * is the owner's affair: the precheck names what it lacks.
 */
export async function openOracleSource({
  connections,
  definition,
  restartScn,
  takenOut,
}: OracleSourceOptions): Promise<SourceDatabase> {
  const main = await connections.connect("main");
  const queue = statementQueue();
  // Transactions of every pluggable database and all redo are seen from the root. Only a task that follows changes has to get there.
  let mining: ReturnType<OracleConnections["connectMining"]> | undefined;
  const atRoot = async () => {
    mining ??= connections.connectMining("capture");
    return (await mining).connection;
  };
  const snapshotAt = (scn: bigint, resume?: string): Snapshot => ({
    id: scn.toString(),
    // The view holds what committed up to this SCN; the next one is the first that it lacks.
    position: positionAt(scn + 1n),
    ...(resume === undefined ? {} : { resume }),
    close: async () => undefined,
  });
  return {
    prepareCapture: async () => undefined,
    startCapture: () =>
      queue(async () => {
        const { startPosition } = definition;
        if (startPosition !== undefined) {
          const start = await startAt(await atRoot(), BigInt(startPosition));
          return { ...snapshotAt(0n), position: start.position, resume: encodeResumePoint(start) };
        }
        const { snapshotScn, resume } = await captureStart(await atRoot());
        return snapshotAt(snapshotScn, encodeResumePoint(resume));
      }),
    captureStatus: () => queue(async () => captureStatus(await atRoot(), await restartScn())),
    laterSnapshot: () =>
      queue(async () => {
        const connection = await atRoot();
        // The stream goes on from there, so a transaction that changed the table before would come without its beginning.
        const oldest = await restartScn();
        for (let waited = 0; oldest !== undefined; waited++) {
          const [row] = await connection.query<{ readonly SCN: string | null }>(OLDEST_TRANSACTION);
          if (row?.SCN == null || BigInt(row.SCN) >= oldest) break;
          if (waited >= OLD_TRANSACTION_MINUTES * 30) throw stillOpen(BigInt(row.SCN));
          await sleep(2000);
        }
        return snapshotAt(await currentScn(main));
      }),
    plainSnapshot: () => queue(async () => snapshotAt(await currentScn(main))),
    chunks: (table, atMost) => queue(() => tableChunks(main, table, atMost)),
    openReader: async (from) =>
      openOracleReader(await connections.connect("read"), {
        snapshot: from,
        kindOf: (table, name) => kindOfType(table.columns.find(({ source }) => source === name)?.type ?? ""),
        takenOut,
        shapes: () => queue(async () => readTypeShapes(await openDictionary(main))),
      }),
    currentPosition: () => queue(async () => positionAt((await currentScn(main)) + 1n)),
    formatPosition,
    positionUnit: "scn",
    release: async () => undefined,
    close: async () => connections.close(),
  };
}

function stillOpen(scn: bigint): GodwitError {
  return new GodwitError(
    ErrorCode.OracleTransactionsOpen,
    "a transaction is still open that is older than the redo the task goes on from",
    {
      position: formatPosition(positionAt(scn)),
      remedy:
        "end it (V$TRANSACTION joined to V$SESSION by SADDR = SES_ADDR shows whose it is); tables that join wait for it, so that nothing of it is missed",
    },
  );
}
