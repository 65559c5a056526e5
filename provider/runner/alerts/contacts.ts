/** What a contact is; undefined: neither a webhook nor a mail address. */
export function contactKind(contact: string): "webhook" | "mail" | undefined {
  if (/^https?:\/\//i.test(contact)) return URL.canParse(contact) ? "webhook" : undefined;
  return /^[^@\s<>,;:"]+@[^@\s<>,;:"]+$/.test(contact) ? "mail" : undefined;
}

/** A contact as it may stand in a log: paths and queries of webhooks hold tokens, and so may a user in front of the host. */
export function masked(contact: string): string {
  if (contactKind(contact) !== "webhook") return contact.replace(/^[^@]*@/, "...@");
  const { protocol, host } = new URL(contact);
  return `${protocol}//${host}/...`;
}
