import { setTimeout as sleep } from "node:timers/promises";
import type { Snapshot } from "../database.js";
import type { PhaseRun } from "../runPhases.js";
import type { TableRecord } from "../taskStore.js";
import { createThrottle } from "../throttle.js";
import { type ValidationRun, validateTables } from "./validateTables.js";
import { differenceError } from "./validationProgress.js";
import { askedOf, type ValidationRequest, validationRequest } from "./validationRequest.js";
import type { ComparedAgainst } from "./validationStatus.js";

/** How often it is looked whether something else is asked for. */
const LOOK_MILLISECONDS = 1000;
/** How often tables are looked for that joined the task by a change of structure. */
const LOOK_FOR_TABLES_MILLISECONDS = 30_000;
/** The plans of 20,000 tables are megabytes. */
const PER_TABLE_MILLISECONDS = 50;
/** Tables that differ are compared again: someone may have mended them. Not more than a tenth of the time. */
const AGAIN_MILLISECONDS = 300_000;
const AGAIN_SHARE = 10;
/** A server that is gone may be back; the stream has a retry of its own. */
const RETRY_MILLISECONDS = 5000;

/** Compares tables with the snapshot that they were loaded from, while it is there. */
export async function validateLoaded(run: PhaseRun, snapshot: Snapshot, loaded: readonly TableRecord[]): Promise<void> {
  const request = validationRequest(run.settings());
  if (!request || loaded.length === 0) return;
  await look(run, request, { tables: loaded, against: "snapshot", snapshot, signal: run.signal });
}

/**
 * The end of a task without incremental: compares what no snapshot could be asked for any more, with the source as it is now. Errors: GW2201 when
 * tables differ.
 */
export async function validateRest(run: PhaseRun): Promise<void> {
  const request = validationRequest(run.settings());
  if (!request) return;
  const tables = await run.lease.readTables();
  const results = await look(run, request, {
    tables: tables.filter(
      (record) => isDue(run, request, record) || (isDifferent(run, record) && !run.progress.validation.isOwn(record.table.id)),
    ),
    against: "now",
    signal: run.signal,
  });
  run.progress.validation.state = "done";
  const different = results.filter(({ state }) => state === "different");
  if (different.length > 0) throw differenceError(different);
}

/** Beside the stream: compares once it has caught up, and again when something else is asked for. Ends with the signal; never rejects. */
export async function keepValidated(run: PhaseRun, signal: AbortSignal): Promise<void> {
  const { progress, settings } = run;
  const { validation } = progress;
  let asked = "";
  let tablesAt = 0;
  let againAt = 0;
  while (!signal.aborted) {
    const request = validationRequest(settings());
    if (!request) validation.clear();
    else if (progress.caughtUp) {
      try {
        const again = validation.errors().length > 0 && Date.now() > againAt;
        if (request.text !== asked || again || Date.now() > tablesAt) {
          const records = await run.lease.readTables();
          const began = Date.now();
          const due = records.filter((record) => isDue(run, request, record) || (again && isDifferent(run, record)));
          await look(run, request, { tables: due, all: records, against: "stream", signal });
          // Asked for something else on the way: at once again.
          asked = validationRequest(settings())?.text === request.text ? request.text : "";
          if (asked !== "") validation.state = "done";
          tablesAt = Date.now() + Math.max(LOOK_FOR_TABLES_MILLISECONDS, records.length * PER_TABLE_MILLISECONDS);
          if (due.length > 0) againAt = Date.now() + Math.max(AGAIN_MILLISECONDS, (Date.now() - began) * AGAIN_SHARE);
        }
      } catch (cause) {
        if (signal.aborted) return;
        run.log.warn({ cause: String(cause) }, "the comparison of source and target was interrupted and begins again");
        await pause(RETRY_MILLISECONDS, signal);
      }
    }
    await pause(LOOK_MILLISECONDS, signal);
  }
}

interface Look {
  readonly tables: readonly TableRecord[];
  /** The task's. Default: asked for. */
  readonly all?: readonly TableRecord[];
  readonly against: ComparedAgainst;
  readonly snapshot?: Snapshot;
  readonly signal: AbortSignal;
}

async function look(run: PhaseRun, request: ValidationRequest, { tables, all, against, snapshot, signal }: Look) {
  const { route, progress, settings, log, lease } = run;
  const { validation } = progress;
  const { openComparison } = route;
  const ids = new Set((all ?? (await lease.readTables())).map(({ table }) => table.id));
  validation.ask(request, ids);
  const results = () => [...ids].flatMap((id) => validation.result(id) ?? []);
  if (tables.length === 0) return results();
  if (!openComparison) throw new RangeError("the route compares nothing: the rules of the inputs let no such task in");
  validation.state = "running";
  log.info({ mode: request.mode, tables: tables.length }, "comparing source and target");
  const rows = createThrottle(() => ({ rowsPerSecond: settings().throttle.full?.rowsPerSecond }), signal);
  const queries = createThrottle(() => ({ rowsPerSecond: settings().throttle.full?.queriesPerSecond }), signal);
  const validationRun: ValidationRun = {
    open: () => openComparison(snapshot),
    definition: run.definition,
    request,
    wanted: () => validationRequest(settings())?.text === request.text,
    tables: tables.map(({ table }) => table),
    against,
    planned: async (id) => (await lease.readTables()).find(({ table }) => table.id === id)?.table,
    lanes: Math.min(2, settings().parallelism.tables),
    async arrived(position) {
      if (against === "stream") while (!progress.passed(position)) await sleep(20, undefined, { signal });
    },
    async admit(count) {
      await rows.admit(count, 0);
      await queries.admit(1, 0);
    },
    progress: validation,
    isConnectionError: route.isConnectionError,
    warn: (details, message) => log.warn(details, message),
    signal,
  };
  await validateTables(validationRun);
  const counted = (state: string) => results().filter((result) => result.state === state).length;
  const summary = {
    equal: counted("equal"),
    different: counted("different"),
    unsettled: counted("unsettled"),
    notCompared: counted("notCompared"),
  };
  log[summary.different > 0 ? "warn" : "info"](summary, "source and target were compared");
  return results();
}

function isDue({ progress }: PhaseRun, request: ValidationRequest, { table, state }: TableRecord): boolean {
  // A task that only streams has its tables from elsewhere, and none of them is ever loaded.
  return progress.comparable(state) && progress.validation.result(table.id)?.asked !== askedOf(request, table);
}

function isDifferent({ progress }: PhaseRun, { table }: TableRecord): boolean {
  const result = progress.validation.result(table.id);
  return result?.state === "different" || result?.failed === true;
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
}
