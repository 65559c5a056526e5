import { type AlertMessage, mailText } from "./alertMessage.js";

export interface SmtpRelay {
  /** smtp:// or smtps://, with user and password where the relay wants them. */
  readonly url: string;
  readonly from: string;
}

/** How long the relay may take to answer, at each step. */
const RELAY_MILLISECONDS = 10_000;

/** Hands one mail to the relay. A connection each: incidents are rare. */
export async function sendMail({ url, from }: SmtpRelay, to: string, message: AlertMessage): Promise<void> {
  // Most tasks send none, and every worker would wait for the module.
  const { createTransport } = await import("nodemailer");
  const transport = createTransport({
    url,
    connectionTimeout: RELAY_MILLISECONDS,
    greetingTimeout: RELAY_MILLISECONDS,
    socketTimeout: RELAY_MILLISECONDS,
  });
  try {
    await transport.sendMail({ from, to, ...mailText(message) });
  } finally {
    transport.close();
  }
}
