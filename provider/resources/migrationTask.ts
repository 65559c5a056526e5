import { defaultTaskName } from "../contract/defaultNames.js";
import type { MigrationTaskInputs, MigrationTaskOutputs } from "../contract/types.js";
import { containsUnknown } from "../contract/unknowns.js";
import { routeKind } from "../databases/index.js";
import { ErrorCode, GodwitError } from "../engine/errors.js";
import type { PlannedTable, PrecheckItem, PresentName } from "../engine/models/plan.js";
import type { PlannedTask, RouteKind } from "../engine/routeKind.js";
import { migrates } from "../engine/taskDefinition.js";
import type { TaskError, TaskState } from "../engine/taskStatus.js";
import type { TableRecord, TaskRecord, TaskStore } from "../engine/taskStore.js";
import { validationRequest } from "../engine/validation/validationRequest.js";
import { embeddedRunner } from "../runner/embedded.js";
import { godwitHome } from "../runner/taskFiles.js";
import { alertFailures, alertOrders } from "./alertOrders.js";
import { foundOtherwise, inputDiff } from "./inputDiff.js";
import { type Context, InitializationFailed, type Log, type Resource } from "./resource.js";
import { taskImport } from "./taskImport.js";
import { errorOf, outputsOf } from "./taskOutputs.js";
import { definitionOf, endsOf, planOptionsOf, settingsOf, taskIdOf } from "./taskSpec.js";
import { waitForTask } from "./taskWait.js";
import { atEnd } from "./unreachableEnd.js";

/** What the source or the user gives in when the program leaves it out. */
const COMPUTED = ["slotName", "startPosition"];
/** Changes that a running worker reads from the store. */
const LIVE = new Set([
  "throttle",
  "retry",
  "parallelism",
  "dataValidation",
  "alerts",
  "desiredState",
  "waitFor",
  "ignorePrechecks",
]);

/** A migration: planned and prechecked here, done by a worker that outlives `pulumi up`. Create and update are one reconcile. */
export const migrationTask: Resource<MigrationTaskInputs, MigrationTaskOutputs> = {
  check: alertFailures,

  diff(olds, news) {
    const { changed, replaces, details } = inputDiff("MigrationTask", olds, news, COMPUTED);
    const otherwise = !isAsDesired(olds.state, news.desiredState);
    return {
      changes: changed.length > 0 || otherwise,
      replaces,
      // Two tasks of one name would share slot, publication and store entry.
      deleteBeforeReplace: true,
      details: otherwise ? [...details, foundOtherwise("state")] : details,
    };
  },

  computed: COMPUTED,

  declared: (inputs, { project, stack, name, smtp }) => ({
    taskName: defaultTaskName(project, stack, name),
    ...inputs,
    ...(smtp && isRecord(inputs.alerts) ? { alerts: { smtp, ...inputs.alerts } } : {}),
  }),

  preview(inputs, olds) {
    const { taskName, target, source, migrationTypes } = inputs;
    if (containsUnknown([taskName, source, target.engine, target.databaseName, migrationTypes])) return inputs;
    const known = { taskId: taskIdOf(inputs), ...(olds?.startPosition ? { startPosition: olds.startPosition } : {}) };
    const own = migrationTypes.includes("incremental") ? { slotName: definitionOf(inputs).slotName } : {};
    return { ...known, ...own, ...inputs };
  },

  async create(inputs, context) {
    const definition = definitionOf(inputs);
    const outputs = await reconcile(inputs, [], context);
    return { id: definition.taskId, outputs };
  },

  async read(_id, outputs, { log }) {
    const kind = routeKind(endsOf(outputs));
    const store = await kind.openStore(endsOf(outputs));
    try {
      const task = await store.readTask(outputs.taskId);
      if (!task) return await orphaned(kind, outputs);
      const trouble = await troubleOf(kind, outputs, task, log);
      warnOfFindings(task, log);
      const read = outputsOf(outputs, task);
      return trouble ? { ...read, state: "failed", errors: [trouble] } : read;
    } finally {
      await store.close();
    }
  },

  update: (_id, olds, news, context) => reconcile(news, inputDiff("MigrationTask", olds, news, COMPUTED).changed, context),

  async delete(_id, outputs, { log, signal }) {
    const ends = endsOf(outputs);
    const kind = routeKind(ends);
    const definition = definitionOf(outputs);
    const { taskId, slotName } = definition;
    const store = await atEnd(`schema godwit with the task ${taskId}`, log, () => kind.openStore(ends));
    try {
      const task = await store?.readTask(taskId);
      if (store && task) await finish(kind, store, task, outputs, { log, signal });
      await embeddedRunner.stop(godwitHome(), taskId);
      await store?.fence(taskId);
      // The source first: what stays there costs its owner disk space.
      await atEnd(`what the task made at the source (replication slot "${slotName}", publication)`, log, () =>
        kind.release(ends, task?.definition ?? definition, (message) => log.warn(message)),
      );
      await store?.deleteTask(taskId);
    } finally {
      await store?.close();
    }
    await embeddedRunner.forget(godwitHome(), taskId);
  },

  imports: taskImport,
};

async function reconcile(
  inputs: MigrationTaskInputs,
  changed: readonly string[],
  { log, signal }: Context,
): Promise<MigrationTaskOutputs> {
  const ends = endsOf(inputs);
  const kind = routeKind(ends);
  const definition = definitionOf(inputs);
  const { taskId } = definition;
  const store = await kind.openStore(ends);
  let known: TaskRecord | undefined;
  try {
    known = await store.readTask(taskId);
    if (known) await adjust(kind, store, known, inputs, changed, log);
    else {
      const planned = await checkedPlan(kind, inputs, new Set(), log);
      signal?.throwIfAborted();
      await store.createTask({ definition, settings: settingsOf(inputs), desiredState: inputs.desiredState, ...planned });
      log.info(
        `task ${taskId}: ${planned.plan.tables.length} tables, ${planned.plan.steps.length} statements, ${planned.plan.skipped.length} objects left out`,
      );
    }
    known = await store.readTask(taskId);
  } finally {
    await store.close();
  }
  if (!known) throw new GodwitError(ErrorCode.StoreUnusable, "the task could not be recorded", { object: taskId });
  // From here on there is something: whatever goes wrong is saved as partly made, and the next up goes on.
  try {
    // What only the worker's memory holds: passwords, and contacts with their tokens.
    const unlike = ["source", "target", "alerts"].some((name) => changed.includes(name));
    const starts = !isEnded(known.state, inputs.desiredState) && (unlike || !known.leased);
    if (starts) {
      const { retry } = known.settings;
      const alerts = alertOrders(inputs);
      await embeddedRunner.start({
        taskId,
        ends,
        home: godwitHome(),
        retry,
        taskName: inputs.taskName,
        alerts,
        takeOver: unlike,
      });
    }
    const formerStatusAt = starts ? known.status?.updatedAt : undefined;
    const reached = await waitForTask({ kind, ends, taskId, inputs, log, signal, formerStatusAt });
    warnOfFindings(reached, log);
    return outputsOf(inputs, reached);
  } catch (cause) {
    const failed: MigrationTaskOutputs = { ...outputsOf(inputs, known), state: "failed", errors: [errorOf(cause)] };
    throw new InitializationFailed(taskId, failed, cause);
  }
}

/** What the task goes on with, and its owner must hear of. */
function warnOfFindings({ errors, state }: TaskRecord, log: Log): void {
  if (state !== "failed") for (const { message, retrying } of errors) if (!retrying) log.warn(message);
}

/** Brings a task that exists to what the inputs say, short of what its worker does. */
async function adjust(
  kind: RouteKind,
  store: TaskStore,
  task: TaskRecord,
  inputs: MigrationTaskInputs,
  changed: readonly string[],
  log: Log,
): Promise<void> {
  const { taskId } = task.definition;
  if (task.state === "stopped" && inputs.desiredState !== "stopped" && migrates(task.definition, "incremental")) {
    throw new GodwitError(ErrorCode.TaskFailed, "the task was stopped: its slot was dropped, so changes since are not known", {
      object: taskId,
      remedy: "empty the target's tables and replace the task (pulumi up --replace <urn>), which copies again",
    });
  }
  const restructured = task.errors.some(({ code }) => code === ErrorCode.StructureChanged);
  if (restructured || changed.some((name) => !LIVE.has(name) && name !== "source" && name !== "target")) {
    const tables = await store.readTables(taskId);
    const planned = await checkedPlan(kind, inputs, new Set(tables.map(({ table }) => table.id)), log);
    if (!restructured) refuseOtherRules(tables, planned.plan.tables);
    // The worker works from the plan it read at its start: it ends, and another goes on with the new one.
    await embeddedRunner.stop(godwitHome(), taskId);
    await store.fence(taskId);
    await store.changePlan(taskId, planned.plan);
    if (task.state === "completed") await store.reviveTask(taskId);
  }
  await store.updateSettings(taskId, { settings: settingsOf(inputs), desiredState: inputs.desiredState });
  const compares = changed.includes("dataValidation") && validationRequest(settingsOf(inputs)) !== undefined;
  if (task.state === "failed" || (task.state === "completed" && compares)) await store.reviveTask(taskId);
}

/** What a table's rules kept away or rewrote so far is not at the target, and what they let through stays there. */
function refuseOtherRules(known: readonly TableRecord[], planned: readonly PlannedTable[]): void {
  const former = new Map(known.map(({ table }) => [table.id, table]));
  for (const table of planned) {
    const was = former.get(table.id);
    // Columns that were renamed meanwhile have to be called by their new names.
    if (!was || namedColumns(was).some(({ name, source }) => name !== source)) continue;
    const input = otherRule(was, table);
    if (input === undefined) continue;
    throw new GodwitError(ErrorCode.SelectionUnusable, `\`${input}\` of a table that is being migrated can't change`, {
      object: `${table.source.schema}.${table.source.name}`,
      remedy:
        input === "where"
          ? "take the table out of the selection and run pulumi up; empty it at the target; take it in with the other condition"
          : "take the table out of the selection and run pulumi up; empty it at the target; take it in with the other expressions",
    });
  }
}

function namedColumns({ filter, columns }: PlannedTable): PresentName[] {
  return [...(filter?.columns ?? []), ...columns.flatMap(({ value }) => value?.columns ?? [])];
}

/** The input that asks for another rule than the table is being migrated by. */
function otherRule(was: PlannedTable, is: PlannedTable): "where" | "etl" | undefined {
  const values = ({ columns }: PlannedTable) =>
    JSON.stringify(columns.flatMap(({ source, value }) => (value ? [[source, Object.entries(value.given).sort()]] : [])).sort());
  if (values(was) !== values(is) || was.filter?.drop !== is.filter?.drop) return "etl";
  return was.filter?.given === is.filter?.given ? undefined : "where";
}

/** Plans and prechecks; throws GW1201 with every item that stands in the way. */
async function checkedPlan(
  kind: RouteKind,
  inputs: MigrationTaskInputs,
  known: ReadonlySet<number>,
  log: Log,
): Promise<PlannedTask> {
  const planned = await kind.plan(endsOf(inputs), definitionOf(inputs), planOptionsOf(inputs), known);
  const accepted = new Set(inputs.ignorePrechecks);
  const blocks = (item: PrecheckItem) =>
    !item.passed && item.severity === "error" && !(item.ignorable && accepted.has(item.item));
  for (const item of planned.prechecks)
    if (!item.passed && !blocks(item)) log.warn(`precheck ${item.item}: ${item.message}. ${item.remedy}`);
  const blocking = planned.prechecks.filter(blocks);
  if (blocking.length === 0) return planned;
  const lines = blocking.map(
    ({ item, message, remedy, ignorable }) =>
      `- ${item}: ${message}. Remedy: ${remedy}${ignorable ? `, or accept it with ignorePrechecks: ["${item}"]` : ""}`,
  );
  throw new GodwitError(
    ErrorCode.PrecheckFailed,
    `the precheck found ${blocking.length} item(s) in the way, nothing was changed:\n${lines.join("\n")}\n`,
  );
}

/** Keys and triggers that could only be made once the stream ended are made before everything else goes. */
async function finish(
  kind: RouteKind,
  store: TaskStore,
  task: TaskRecord,
  outputs: MigrationTaskOutputs,
  { log, signal }: Pick<Context, "log" | "signal">,
): Promise<void> {
  const waiting = task.phase === "incremental" && task.leased && task.status && task.status.stepsDone < task.status.stepsTotal;
  if (!waiting || task.state !== "running") return;
  log.info("creating the triggers and foreign keys that waited for the end of the stream");
  await store.updateSettings(task.definition.taskId, { desiredState: "stopped" });
  await waitForTask({
    kind,
    ends: endsOf(outputs),
    taskId: task.definition.taskId,
    inputs: { ...outputs, desiredState: "stopped" },
    log,
    signal,
  });
}

/**
 * The store does not know the task any more. While its slot is left at the source it is not gone: forgetting it would
 * leave the slot to retain WAL for ever, and only this resource knows whose it is.
 */
async function orphaned(kind: RouteKind, outputs: MigrationTaskOutputs): Promise<MigrationTaskOutputs | undefined> {
  const capture = await kind.captureStatus(endsOf(outputs), definitionOf(outputs));
  const running = await embeddedRunner.isRunning(godwitHome(), outputs.taskId);
  if (!running && (capture.kind === "missing" || definitionOf(outputs).slotIsForeign)) return undefined;
  const missing = new GodwitError(ErrorCode.StoreUnusable, "the task is not in the target's godwit schema any more", {
    object: outputs.taskId,
    remedy: "pulumi destroy takes what is left of it from the source; pulumi up starts over, into empty tables",
  });
  return { ...outputs, state: "failed", errors: [errorOf(missing)] };
}

/** What a refresh should show although the store says that all is well. */
async function troubleOf(
  kind: RouteKind,
  outputs: MigrationTaskOutputs,
  task: TaskRecord,
  log: Log,
): Promise<TaskError | undefined> {
  const active = task.state === "running" || task.state === "paused";
  if (!active) return undefined;
  const { taskId } = task.definition;
  const fail = (code: ErrorCode, message: string, remedy: string) =>
    errorOf(new GodwitError(code, message, { object: taskId, remedy }));
  if (migrates(task.definition, "incremental") && task.capturePosition !== undefined) {
    try {
      const capture = await kind.captureStatus(endsOf(outputs), task.definition);
      const again = "empty the target's tables and replace the task (pulumi up --replace <urn>), which copies again";
      if (capture.kind === "missing")
        return fail(ErrorCode.SlotMissing, `replication slot "${task.definition.slotName}" is gone from the source`, again);
      if (capture.kind === "lost") return fail(ErrorCode.SlotLost, capture.reason, again);
    } catch (cause) {
      log.warn(`the source can't be asked for its slot: ${cause instanceof Error ? cause.message : cause}`);
    }
  }
  if (task.leased || (await embeddedRunner.isRunning(godwitHome(), taskId))) return undefined;
  return fail(
    ErrorCode.WorkerFailed,
    "no worker holds the task",
    "run pulumi up: it starts one, which goes on from the checkpoint",
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** Nothing is left for a worker to do. */
function isEnded(state: TaskState, desired: MigrationTaskInputs["desiredState"]): boolean {
  return state === "completed" || (state === "stopped" && desired === "stopped");
}

function isAsDesired(state: TaskState | undefined, desired: MigrationTaskInputs["desiredState"]): boolean {
  if (state === "completed") return true;
  return state === desired;
}
