import { setTimeout as sleep } from "node:timers/promises";
import type { AlertMessage } from "./alertMessage.js";
import { contactKind, masked } from "./contacts.js";
import type { SmtpRelay } from "./mail.js";
import { sendMail } from "./mail.js";

/** How long a webhook may take to answer. */
const WEBHOOK_MILLISECONDS = 10_000;
/** 1 s, doubled each time, at most a minute: nine tries are about four minutes. */
const TRIES = 9;
const LONGEST_WAIT_MILLISECONDS = 60_000;

/** A refusal that stays one, however often it is asked. */
class Refused extends Error {}

/** Sends a message until the contact has taken it or `TRIES` are over; says why not. Never rejects. Errors name no contact in full. */
export async function deliver(
  contact: string,
  message: AlertMessage,
  relay: SmtpRelay | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      await send(contact, message, relay, signal);
      return undefined;
    } catch (cause) {
      const reason = described(cause, contact);
      if (signal.aborted || cause instanceof Refused || attempt === TRIES) return reason;
      await sleep(Math.min(LONGEST_WAIT_MILLISECONDS, 1000 * 2 ** (attempt - 1)), undefined, { signal }).catch(() => undefined);
    }
  }
}

async function send(contact: string, message: AlertMessage, relay: SmtpRelay | undefined, signal: AbortSignal): Promise<void> {
  if (contactKind(contact) === "webhook") return post(contact, message, signal);
  if (!relay) throw new Refused("there is no mail relay");
  await sendMail(relay, contact, message);
}

async function post(url: string, message: AlertMessage, signal: AbortSignal): Promise<void> {
  const { target, authorization } = withoutUser(url);
  const response = await fetch(target, {
    method: "POST",
    headers: { "content-type": "application/json", "user-agent": "godwit", ...authorization },
    body: JSON.stringify(message),
    signal: AbortSignal.any([signal, AbortSignal.timeout(WEBHOOK_MILLISECONDS)]),
  });
  // The body is of no use, and unread it would hold the connection.
  await response.body?.cancel();
  if (response.ok) return;
  const again = response.status >= 500 || response.status === 408 || response.status === 429;
  throw again ? new Error(`it answered ${response.status}`) : new Refused(`it answered ${response.status}`);
}

/** fetch takes no URL with a user in it. */
function withoutUser(spelled: string): { target: string; authorization: Record<string, string> } {
  const url = new URL(spelled);
  if (!url.username) return { target: spelled, authorization: {} };
  const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  url.username = "";
  url.password = "";
  return { target: url.href, authorization: { authorization: `Basic ${Buffer.from(user).toString("base64")}` } };
}

/** What fetch says is "fetch failed"; why stands below. A server's words may repeat the address. */
function described(cause: unknown, contact: string): string {
  const { message = String(cause), cause: below } = cause as { message?: string; cause?: { message?: string; code?: string } };
  return [message, below?.code ?? below?.message].filter(Boolean).join(": ").replaceAll(contact, masked(contact));
}
