import type { MigrationTaskInputs } from "../contract/types.js";
import { isUnknown } from "../contract/unknowns.js";
import type { AlertOrders } from "../runner/alerts/alerts.js";
import { contactKind } from "../runner/alerts/contacts.js";
import type { SmtpRelay } from "../runner/alerts/mail.js";
import type { CheckFailure } from "./resource.js";

/** What a worker is to tell, to whom and through what. Undefined: nobody. */
export function alertOrders({ alerts }: Pick<MigrationTaskInputs, "alerts">): AlertOrders | undefined {
  if (!alerts) return undefined;
  const { onFailure, latencySeconds, contacts, smtp } = alerts;
  return { onFailure, latencySeconds, contacts, smtp: smtp ?? environmentsRelay() };
}

/** Contacts that nothing could be sent to. Reasons never repeat a contact: it may hold a token. */
export function alertFailures({ alerts }: Pick<MigrationTaskInputs, "alerts">): CheckFailure[] {
  if (!alerts || isUnknown(alerts) || !Array.isArray(alerts.contacts)) return [];
  const relay = alerts.smtp ?? environmentsRelay();
  return alerts.contacts.flatMap((contact, index): CheckFailure[] => {
    if (isUnknown(contact)) return [];
    const property = `alerts.contacts[${index}]`;
    const kind = contactKind(contact);
    if (kind === undefined)
      return [{ property, reason: 'must be a webhook\'s URL ("https://...") or a mail address ("dba@example.com")' }];
    if (kind === "webhook" || relay) return [];
    const reason =
      "is a mail address, and no relay is known that takes mail: give alerts.smtp, or set GODWIT_SMTP_URL and GODWIT_SMTP_FROM where pulumi up runs";
    return [{ property, reason }];
  });
}

function environmentsRelay(): SmtpRelay | undefined {
  const { GODWIT_SMTP_URL: url, GODWIT_SMTP_FROM: from } = process.env;
  return url && from ? { url, from } : undefined;
}
