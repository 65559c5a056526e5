import { isServerGone } from "../errors.js";
import type { Position } from "../models/change.js";
import type { PlannedTable } from "../models/plan.js";
import type { TaskDefinition } from "../taskDefinition.js";
import { compareTable, emptyTally, type TableTally } from "./compareTable.js";
import type { Comparison, ComparisonLane } from "./comparison.js";
import type { ValidationProgress } from "./validationProgress.js";
import { askedOf, exemption, type ValidationRequest } from "./validationRequest.js";
import type { ComparedAgainst, TableValidation } from "./validationStatus.js";

export interface ValidationRun {
  readonly open: () => Promise<Comparison>;
  readonly definition: TaskDefinition;
  readonly request: ValidationRequest;
  /** Whether that is still what is asked for. */
  readonly wanted: () => boolean;
  readonly tables: readonly PlannedTable[];
  readonly against: ComparedAgainst;
  /** The table as its plan has it by now; undefined: it has left the task. */
  readonly planned: (tableId: number) => Promise<PlannedTable | undefined>;
  /** Tables at once. */
  readonly lanes: number;
  /** Resolves when the target holds all that the source had at the position. */
  readonly arrived: (position: Position) => Promise<void>;
  readonly admit: (rows: number) => Promise<void>;
  readonly progress: ValidationProgress;
  readonly isConnectionError: (cause: unknown) => boolean;
  readonly warn: (details: object, message: string) => void;
  readonly signal: AbortSignal;
}

/** How often a table is begun again whose structure changed while it was read. */
const ATTEMPTS = 3;

/**
 * Compares tables, a few at once. What was found of each is in the progress as it goes. A table that can't be read says so in its result; rejects when a server
 * is gone, or the signal aborts.
 */
export async function validateTables(run: ValidationRun): Promise<void> {
  const waiting = [...run.tables].sort((a, b) => a.bytes - b.bytes);
  const comparison = await run.open();
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= comparison.close();
  };
  run.signal.addEventListener("abort", close, { once: true });
  try {
    run.signal.throwIfAborted();
    const lane = async () => {
      const opened = await comparison.openLane();
      for (let table = waiting.shift(); table && run.wanted(); table = waiting.shift()) await validateTable(run, opened, table);
    };
    const lanes = await Promise.allSettled(Array.from({ length: Math.min(run.lanes, waiting.length) }, lane));
    run.signal.throwIfAborted();
    const failed = lanes.find((one) => one.status === "rejected");
    if (failed) throw failed.reason;
  } finally {
    run.signal.removeEventListener("abort", close);
    close();
    await closed;
  }
}

async function validateTable(run: ValidationRun, lane: ComparisonLane, given: PlannedTable): Promise<void> {
  let table = given;
  const { request, progress, against } = run;
  const began = Date.now();
  const found = (tally: TableTally, more: Partial<TableValidation> & Pick<TableValidation, "state">) => {
    const { sourceRows, targetRows, rangesDone, rangesDifferent, rowsDifferent, differences } = tally;
    progress.found({
      tableId: table.id,
      source: table.source,
      target: table.target,
      mode: request.mode,
      against,
      sourceRows,
      targetRows,
      rangesDone,
      rangesDifferent,
      rowsDifferent,
      differences: [...differences],
      columnsLeftOut: [],
      seconds: Math.round((Date.now() - began) / 100) / 10,
      asked: askedOf(request, table),
      ...more,
    });
  };
  const ended = () => ({ checkedAt: new Date().toISOString() });
  const exempt = exemption(table, run.definition);
  if (exempt !== undefined) return found(emptyTally(), { state: "notCompared", reason: exempt, ...ended() });
  for (let attempt = 1; ; attempt++) {
    const tally = emptyTally();
    try {
      const comparison = await lane.open(table, request.mode !== "counts");
      if ("notCompared" in comparison) return found(tally, { state: "notCompared", reason: comparison.notCompared, ...ended() });
      const { columnsLeftOut } = comparison;
      const reason = columnsLeftOut.length > 0 ? { reason: "some columns have no form that reads alike on both servers" } : {};
      progress.reading(table.id, () => found(tally, { state: "comparing", columnsLeftOut, ...reason }));
      const finished = await compareTable(
        {
          comparison,
          mode: request.mode,
          still: against === "snapshot",
          arrived: async () => run.arrived(await lane.position()),
          admit: run.admit,
          wanted: run.wanted,
          signal: run.signal,
        },
        tally,
      );
      progress.reading(table.id, undefined);
      if (!finished) return;
      const state = tally.rangesDifferent > 0 ? "different" : tally.unsettled > 0 ? "unsettled" : "equal";
      return found(tally, { state, columnsLeftOut, ...reason, ...ended() });
    } catch (cause) {
      progress.reading(table.id, undefined);
      if (run.signal.aborted || isServerGone(cause) || run.isConnectionError(cause)) throw cause;
      // A change of structure is on its way to the target, or has just arrived: the plan of the next attempt has it.
      if (attempt < ATTEMPTS && against === "stream") {
        await run.arrived(await lane.position());
        const newer = await run.planned(table.id);
        if (!newer) return;
        table = newer;
        continue;
      }
      const reason = cause instanceof Error ? cause.message : String(cause);
      run.warn({ table: `${table.source.schema}.${table.source.name}` }, `a table could not be compared: ${reason}`);
      return found(tally, { state: "notCompared", reason, failed: true, ...ended() });
    }
  }
}
