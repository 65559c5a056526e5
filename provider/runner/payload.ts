import type { Ends } from "../engine/models/endpoint.js";
import type { RetrySettings } from "../engine/taskDefinition.js";
import type { AlertOrders } from "./alerts/alerts.js";

/**
 * What a worker needs to know, secrets included. It travels on standard input only: arguments and environment show in process
 * lists, files outlive their purpose.
 */
export interface WorkerPayload {
  readonly taskId: string;
  readonly ends: Ends;
  readonly home: string;
  readonly retry: RetrySettings;
  /** As the program calls the task. */
  readonly taskName: string;
  readonly alerts: AlertOrders | undefined;
  /** End a worker that holds the task elsewhere: its credentials are old. */
  readonly takeOver: boolean;
}

/** Reads the payload to the end of standard input. */
export async function readPayload(): Promise<WorkerPayload> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString("utf8")) as WorkerPayload;
}
