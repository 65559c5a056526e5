import { ErrorCode, GodwitError } from "../errors.js";
import type { TaskError } from "../taskStatus.js";
import type { ValidationRequest } from "./validationRequest.js";
import type { TableValidation, ValidationStatus } from "./validationStatus.js";

/** What is known of the comparison, from this worker and from those before it. */
export class ValidationProgress {
  state: ValidationStatus["state"] = "waiting";
  /** Tables that the present request is about. */
  total = 0;
  private request: ValidationRequest | undefined;
  private readonly results = new Map<number, TableValidation>();
  /** Of tables that are being read: beside what is known of them from before. */
  private readonly current = new Map<number, TableValidation>();
  /** Found by this worker, rather than by one before it. */
  private readonly own = new Set<number>();
  private readonly readings = new Map<number, () => void>();

  /** Takes over what an earlier worker found. */
  restore(status: ValidationStatus | undefined): void {
    for (const result of status?.tables ?? []) if (result.state !== "comparing") this.results.set(result.tableId, result);
  }

  /** From here on `state` is about this request. Tables that are no longer the task's are forgotten. */
  ask(request: ValidationRequest, tableIds: ReadonlySet<number>): void {
    this.request = request;
    this.total = tableIds.size;
    for (const id of this.results.keys()) if (!tableIds.has(id)) this.results.delete(id);
  }

  /** Nothing is asked for any more: what was found is forgotten. */
  clear(): void {
    this.request = undefined;
    this.state = "waiting";
    this.results.clear();
  }

  result(tableId: number): TableValidation | undefined {
    return this.results.get(tableId);
  }

  isOwn(tableId: number): boolean {
    return this.own.has(tableId);
  }

  found(result: TableValidation): void {
    const { tableId, state } = result;
    if (state === "comparing") {
      this.current.set(tableId, result);
      return;
    }
    this.current.delete(tableId);
    this.own.add(tableId);
    const since = this.results.get(tableId)?.differentSince ?? result.checkedAt;
    this.results.set(tableId, state === "different" && since !== undefined ? { ...result, differentSince: since } : result);
  }

  /** `tell` reports a table that is being read, when it is asked. */
  reading(tableId: number, tell: (() => void) | undefined): void {
    if (tell) this.readings.set(tableId, tell);
    else {
      this.readings.delete(tableId);
      this.current.delete(tableId);
    }
  }

  stopped(): void {
    this.state = "waiting";
    this.readings.clear();
    this.current.clear();
  }

  status(): ValidationStatus | undefined {
    const { request, state, total } = this;
    for (const tell of this.readings.values()) tell();
    if (!request && this.results.size === 0) return undefined;
    const tables = [...new Map([...this.results, ...this.current]).values()];
    const mode = request?.mode ?? tables[0]?.mode ?? "counts";
    return { mode, request: request?.text ?? "", state, tablesTotal: Math.max(total, tables.length), tables };
  }

  /** What a user must hear of: the same as long as the same tables differ in the same rows. */
  errors(): TaskError[] {
    const all = [...this.results.values()];
    const errors: TaskError[] = [];
    const different = all.filter(({ state }) => state === "different");
    if (different.length > 0) errors.push(taskErrorOf(differenceError(different), earliest(different, "differentSince")));
    const failed = all.filter((result) => result.failed);
    if (failed.length > 0) errors.push(taskErrorOf(failureError(failed), earliest(failed, "checkedAt")));
    return errors;
  }
}

/** Tables that are named in a message. */
const MOST_NAMED = 5;

export function differenceError(different: readonly TableValidation[]): GodwitError {
  const sorted = [...different].sort((a, b) => a.tableId - b.tableId);
  const count = different.length === 1 ? "1 table differs" : `${different.length} tables differ`;
  const since = different.some(({ against }) => against === "now")
    ? "; what was written at the source since the load counts as a difference"
    : "";
  return new GodwitError(ErrorCode.DataDiffers, `${count} between source and target: ${summed(sorted.map(described))}${since}`, {
    remedy:
      "godwit status shows what differs; find who wrote to the target, mend the rows there (or take the table out of the selection, empty it and take it in again), and have it compared again with another value in dataValidation.triggers",
  });
}

function failureError(failed: readonly TableValidation[]): GodwitError {
  const sorted = [...failed].sort((a, b) => a.tableId - b.tableId);
  const shown = summed(sorted.map(({ source, reason }) => `${source.schema}.${source.name}: ${reason}`));
  return new GodwitError(
    ErrorCode.DataNotCompared,
    `${failed.length === 1 ? "1 table" : `${failed.length} tables`} could not be compared: ${shown}`,
    {
      remedy: "mend what the server objects to, and have it compared again with another value in dataValidation.triggers",
    },
  );
}

function described({ source, target, mode, sourceRows, targetRows, rowsDifferent, differences }: TableValidation): string {
  const name = `${source.schema}.${source.name}`;
  const as = target.schema === source.schema && target.name === source.name ? name : `${name} (${target.schema}.${target.name})`;
  if (mode === "counts") return `${as}: ${sourceRows} rows and ${targetRows} at the target`;
  const [first] = differences;
  if (!first) return as;
  const more = rowsDifferent > 1 ? ` and ${rowsDifferent - 1} more` : "";
  return `${as}: ${first.kind} ${first.row}${more}`;
}

function summed(parts: readonly string[]): string {
  const rest = parts.length - MOST_NAMED;
  return `${parts.slice(0, MOST_NAMED).join("; ")}${rest > 0 ? `; and ${rest} more` : ""}`;
}

function earliest(results: readonly TableValidation[], field: "differentSince" | "checkedAt"): string {
  return results.flatMap((result) => result[field] ?? []).sort()[0] ?? new Date().toISOString();
}

function taskErrorOf(error: GodwitError, at: string): TaskError {
  return { code: error.code, message: error.message, at, retrying: false };
}
