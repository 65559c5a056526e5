import type { PrecheckItem } from "../../../engine/models/plan.js";

interface Finding {
  readonly item: string;
  readonly severity?: "error" | "warning";
  /** Errors that the user may accept through ignorePrechecks. Warnings always pass. */
  readonly ignorable?: boolean;
  readonly passed: boolean;
  /** What was found, for either outcome. */
  readonly message: string;
  /** The SQL, setting or input that mends it; shown when it did not pass. */
  readonly remedy?: string;
}

export function precheckItem({
  item,
  severity = "error",
  ignorable = false,
  passed,
  message,
  remedy = "",
}: Finding): PrecheckItem {
  return { item, severity, passed, message, remedy: passed ? "" : remedy, ignorable };
}

/** "a, b, c and 12 more" */
export function listed(names: readonly string[], most = 5): string {
  const shown = names.slice(0, most).join(", ");
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
