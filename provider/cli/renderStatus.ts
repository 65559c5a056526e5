import type { IncrementalStatus, TableStatus } from "../engine/taskStatus.js";
import type { TableValidation, ValidationStatus } from "../engine/validation/validationStatus.js";
import { megabytes, number, validationLine } from "../resources/taskProgressLine.js";
import type { ShownStatus } from "./status.js";

/** More than a screen holds helps nobody: what runs comes first, the rest is summed up. */
const MOST_TABLES = 20;

export function renderStatus(status: ShownStatus): string {
  const { taskId, environmentTag, state, phase, worker, tables, incremental, errors, alive } = status;
  const head = `${taskId}${environmentTag ? ` (${environmentTag})` : ""}  ${state}, ${phase}${state === "running" && !alive ? ", no worker" : ""}`;
  const lines = [head];
  if (worker)
    lines.push(
      `  worker ${worker.pid} on ${worker.host}, peak memory ${worker.peakMemoryMegabytes} MB, updated ${status.updatedAt}`,
    );
  lines.push(`  statements ${status.stepsDone} of ${status.stepsTotal}`);
  if (incremental) {
    lines.push(
      `  changes    ${number(incremental.inserts)} inserts, ${number(incremental.updates)} updates, ${number(incremental.deletes)} deletes, ${number(incremental.truncates)} truncates, ${number(incremental.changesPerSecond)} a second`,
      `  lag        ${incremental.lagBytes === undefined ? "" : `${megabytes(incremental.lagBytes)}, `}${incremental.lagSeconds} s (source ${incremental.sourcePosition}, applied ${incremental.appliedPosition})`,
    );
    if (incremental.retainedBytes !== undefined)
      lines.push(`  slot       retains ${megabytes(incremental.retainedBytes)} of WAL`);
    if (incremental.logNeeded) lines.push(`  log        ${neededLine(incremental.logNeeded)}`);
  }
  lines.push(...tableLines(tables));
  if (status.validation) lines.push(...validationLines(status.validation));
  for (const { message, retrying } of errors)
    lines.push(`  ${retrying ? "retrying" : state === "failed" ? "failed" : "error"}: ${message}`);
  return lines.join("\n");
}

function neededLine({ from, openTransactions, oldestOpenSeconds }: NonNullable<IncrementalStatus["logNeeded"]>): string {
  const since = oldestOpenSeconds === undefined ? "" : `, the oldest for ${number(oldestOpenSeconds)} s`;
  const open = openTransactions === 0 ? "no transaction is open" : `${number(openTransactions)} transactions open${since}`;
  return `needed from ${from} on (${open})`;
}

const VERDICTS = { different: 0, notCompared: 1, unsettled: 2, comparing: 3, equal: 4 };

/** What is wrong first; tables that are equal are only counted. */
function validationLines(validation: ValidationStatus): string[] {
  const equal = validation.tables.filter(({ state }) => state === "equal").length;
  const told = validation.tables.filter(({ state }) => state !== "equal");
  told.sort((a, b) => VERDICTS[a.state] - VERDICTS[b.state]);
  const rest = told.length - MOST_TABLES;
  return [
    `  ${validationLine(validation)}, ${number(equal)} equal${validation.state === "done" ? "" : `, ${validation.state}`}`,
    ...told.slice(0, MOST_TABLES).flatMap(comparedLines),
    ...(rest > 0 ? [`  ... and ${number(rest)} more`] : []),
  ];
}

const AGAINST = { stream: "", snapshot: " (as of the load's snapshot)", now: " (with the source as it is now)" };

function comparedLines(table: TableValidation): string[] {
  const { source, target, state, against, sourceRows, targetRows, rangesDone, rangesDifferent, rowsDifferent, reason } = table;
  const name = `${target.schema}.${target.name}`;
  const from = `${source.schema}.${source.name}`;
  const ranges = rangesDifferent > 0 ? `, ${number(rangesDifferent)} of ${number(rangesDone)} ranges differ` : "";
  const differing = rowsDifferent > 0 ? `, ${number(rowsDifferent)} rows of them` : "";
  const counts = `${number(sourceRows)} rows and ${number(targetRows)} at the target${ranges}${differing}`;
  const left = table.columnsLeftOut.length > 0 ? `, without ${table.columnsLeftOut.join(", ")}` : "";
  const why = reason === undefined ? "" : `: ${reason}${left}`;
  return [
    `  ${state.padEnd(11)} ${name}${from === name ? "" : ` from ${from}`}  ${counts}${AGAINST[against]}${why}`,
    ...table.differences.map(({ kind, row }) => `    ${kind.padEnd(8)} ${row}`),
  ];
}

const ORDER = { loading: 0, pending: 1, loaded: 2 };

function tableLines(tables: readonly TableStatus[]): string[] {
  const sorted = [...tables].sort((a, b) => ORDER[a.state] - ORDER[b.state] || b.bytes - a.bytes);
  const lines = sorted.slice(0, MOST_TABLES).map((table) => {
    const name = `${table.target.schema}.${table.target.name}`;
    const done = `${number(table.rows)}${table.state === "loaded" ? "" : ` of ~${number(table.estimatedRows)}`} rows`;
    const rate = table.rowsPerSecond === undefined ? "" : `  ${number(table.rowsPerSecond)} rows/s`;
    const left = table.secondsLeft === undefined ? "" : `  ${number(table.secondsLeft)} s left`;
    return `  ${table.state.padEnd(8)} ${name.padEnd(40)} ${done.padStart(24)}  ${megabytes(table.bytes).padStart(10)}${rate}${left}`;
  });
  const rest = sorted.slice(MOST_TABLES);
  if (rest.length > 0)
    lines.push(
      `  ... and ${number(rest.length)} more tables, ${number(rest.filter(({ state }) => state === "loaded").length)} of them loaded`,
    );
  return lines;
}
