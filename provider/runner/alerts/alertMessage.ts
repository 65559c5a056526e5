import type { Alert, AlertEvent } from "../../engine/alerts/alertState.js";

export interface AlertedTask {
  readonly taskId: string;
  readonly name: string;
  readonly environmentTag: string | undefined;
}

/** The body of a webhook's POST: docs/alerts.md describes it field by field. Null where a field means nothing. */
export interface AlertMessage {
  readonly taskId: string;
  readonly name: string;
  readonly environmentTag: string | null;
  readonly event: AlertEvent;
  readonly code: string | null;
  readonly message: string;
  readonly remedy: string | null;
  readonly retrying: boolean | null;
  readonly lagSeconds: number | null;
  /** ISO 8601. */
  readonly at: string;
}

export function alertMessage(task: AlertedTask, { event, failure, lagSeconds }: Alert, at: Date): AlertMessage {
  const [what = "", remedy] = (failure?.message ?? "").split(/\. Remedy: /);
  return {
    taskId: task.taskId,
    name: task.name,
    environmentTag: task.environmentTag ?? null,
    event,
    code: failure?.code ?? null,
    message: messageText(event, what, lagSeconds, failure?.retrying),
    remedy: event === "failed" ? (remedy ?? null) : null,
    retrying: event === "failed" ? (failure?.retrying ?? false) : null,
    lagSeconds: lagSeconds ?? null,
    at: at.toISOString(),
  };
}

function messageText(event: AlertEvent, what: string, lagSeconds = 0, retrying = false): string {
  switch (event) {
    case "failed":
      return retrying ? `the task has been failing for a minute and is tried again: ${what}` : `the task failed: ${what}`;
    case "recovered":
      return `the task runs again after: ${what}`;
    case "lagging":
      return `the target is ${lagSeconds} seconds behind the source`;
    case "caughtUp":
      return `the target has caught up: it is ${lagSeconds} seconds behind the source`;
  }
}

/** The same for people. */
export function mailText(message: AlertMessage): { readonly subject: string; readonly text: string } {
  const { name, environmentTag, event, taskId, at, remedy } = message;
  const tag = environmentTag ? `[${environmentTag}] ` : "";
  const lines = [message.message, ...(remedy ? ["", `Remedy: ${remedy}`] : []), "", `Task ${taskId} (${name}), ${at}.`];
  // A line break in a header would begin another header.
  return { subject: `${tag}Godwit: ${name}: ${event}`.replaceAll(/[\r\n]+/g, " "), text: `${lines.join("\n")}\n` };
}
