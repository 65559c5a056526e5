import { type AlertMemory, type AlertSettings, alertsOf, type Observation } from "../../engine/alerts/alertState.js";
import { ErrorCode } from "../../engine/errors.js";
import type { TaskLog } from "../../engine/taskLog.js";
import type { TaskError, TaskStatus } from "../../engine/taskStatus.js";
import { readJson, writeWhole } from "../taskFiles.js";
import { type AlertedTask, alertMessage } from "./alertMessage.js";
import { masked } from "./contacts.js";
import { deliver } from "./delivery.js";
import type { SmtpRelay } from "./mail.js";

/** Part of a worker's payload: contacts may hold tokens, so they travel and live as passwords do. */
export interface AlertOrders extends AlertSettings {
  readonly contacts: readonly string[];
  readonly smtp: SmtpRelay | undefined;
}

/** Tells a task's contacts what happens to it, beside the work: nothing waits for it, and nothing fails because of it. */
export interface Alerts {
  /** Takes over what an earlier worker told, where that is newer than what this machine remembers. */
  restore(memory: AlertMemory | undefined): void;
  readonly memory: AlertMemory | undefined;
  observe(status: TaskStatus): void;
  /** A failure outside the task: its target can't be reached, so there is no status. */
  trouble(failure: Pick<TaskError, "code" | "message" | "retrying">): void;
  /** Resolves when everything is delivered or given up, or the time is over. */
  drain(milliseconds: number): Promise<void>;
}

export interface AlertsOptions {
  readonly orders: AlertOrders | undefined;
  readonly task: AlertedTask;
  /** Where this machine remembers what was told. */
  readonly file: string;
  readonly log: TaskLog;
  readonly signal: AbortSignal;
}

export async function openAlerts({ orders, task, file, log, signal }: AlertsOptions): Promise<Alerts> {
  if (!orders) return NO_ALERTS;
  let memory: AlertMemory = (await readJson<AlertMemory>(file).catch(() => undefined)) ?? { at: 0 };
  let tag = task.environmentTag;
  const queues = new Map<string, Promise<void>>(orders.contacts.map((contact) => [contact, Promise.resolve()]));
  let writing = Promise.resolve();
  const see = (seen: Observation) => {
    const now = Date.now();
    const next = alertsOf(memory, seen, orders, now);
    if (next.memory !== memory) {
      memory = next.memory;
      writing = writing.then(() =>
        writeWhole(file, next.memory).catch((cause: unknown) =>
          log.warn({ cause: String(cause) }, "alerts.json could not be written"),
        ),
      );
    }
    for (const alert of next.alerts) {
      const message = alertMessage({ ...task, environmentTag: tag }, alert, new Date(now));
      log.info({ event: alert.event }, "telling the task's contacts");
      for (const [contact, queue] of queues) {
        queues.set(
          contact,
          queue.then(async () => {
            const reason = await deliver(contact, message, orders.smtp, signal);
            if (reason === undefined) return;
            const details = { code: ErrorCode.AlertUndeliverable, contact: masked(contact), event: alert.event };
            log.warn(details, `${ErrorCode.AlertUndeliverable}: a contact could not be told: ${reason}`);
          }),
        );
      }
    }
  };
  return {
    restore(stored) {
      if (stored && stored.at > memory.at) memory = stored;
    },
    get memory() {
      return memory;
    },
    observe(status) {
      tag = status.environmentTag;
      const { state, incremental, errors } = status;
      // What was found beside the work stops nothing.
      const failure = errors.find(({ retrying }) => retrying || state === "failed");
      const latencySeconds = incremental?.latencySeconds;
      see({ state, failure, latencySeconds, caughtUp: incremental?.caughtUp === true });
    },
    trouble(failure) {
      see({ state: failure.retrying ? "running" : "failed", failure, latencySeconds: undefined, caughtUp: false });
    },
    async drain(milliseconds) {
      let timer: NodeJS.Timeout | undefined;
      const over = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, milliseconds);
      });
      await Promise.race([Promise.all([...queues.values(), writing]), over]);
      clearTimeout(timer);
    },
  };
}

const NO_ALERTS: Alerts = {
  restore: () => undefined,
  memory: undefined,
  observe: () => undefined,
  trouble: () => undefined,
  drain: async () => undefined,
};
