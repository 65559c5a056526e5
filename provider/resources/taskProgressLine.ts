import type { TaskRecord } from "../engine/taskStore.js";
import type { ValidationStatus } from "../engine/validation/validationStatus.js";

/** One line a person reads during `up`: "full: 3 of 12 tables, 1,200,000 rows, 310 MB, 84,000 rows/s". */
export function progressLine({ state, phase, status, errors }: TaskRecord): string {
  const [failure] = errors;
  if (failure?.retrying) return `${phase}: trying again after ${failure.message}`;
  if (!status || state !== "running" || status.phase !== phase) return `${phase}: ${state === "running" ? "starting" : state}`;
  if (phase === "schema") return `schema: ${status.stepsDone} of ${status.stepsTotal} statements`;
  if (status.validation?.state === "running") return validationLine(status.validation);
  if (phase === "full") {
    const loaded = status.tables.filter((table) => table.state === "loaded").length;
    const rows = status.tables.reduce((sum, table) => sum + table.rows, 0);
    const bytes = status.tables.reduce((sum, table) => sum + table.bytes, 0);
    const rate = status.tables.reduce((sum, table) => sum + (table.state === "loading" ? (table.rowsPerSecond ?? 0) : 0), 0);
    const indexes =
      loaded === status.tables.length ? `, keys and indexes: ${status.stepsDone} of ${status.stepsTotal} statements` : "";
    return `full: ${loaded} of ${status.tables.length} tables, ${number(rows)} rows, ${megabytes(bytes)}${rate > 0 ? `, ${number(rate)} rows/s` : ""}${indexes}`;
  }
  const flow = status.incremental;
  if (!flow) return `${phase}: starting`;
  const applied = flow.inserts + flow.updates + flow.deletes;
  return `incremental: ${number(applied)} changes applied, ${number(flow.changesPerSecond)} a second, ${flow.lagBytes === undefined ? `${flow.lagSeconds} s` : megabytes(flow.lagBytes)} behind`;
}

/** "validation: 3 of 12 tables compared, 1,200,000 rows, 1 differs". */
export function validationLine({ tables, tablesTotal, mode }: ValidationStatus): string {
  const done = tables.filter(({ state }) => state !== "comparing");
  const rows = tables.reduce((sum, table) => sum + Math.max(table.sourceRows, table.targetRows), 0);
  const different = done.filter(({ state }) => state === "different").length;
  const found = different === 0 ? "" : `, ${number(different)} ${different === 1 ? "differs" : "differ"}`;
  return `validation (${mode}): ${number(done.length)} of ${number(tablesTotal)} tables compared, ${number(rows)} rows${found}`;
}

export function number(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

export function megabytes(bytes: number): string {
  return bytes < 1_048_576 ? `${number(bytes / 1024)} kB` : `${number(bytes / 1_048_576)} MB`;
}
