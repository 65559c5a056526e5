/** What expressions fail with most often, by SQLSTATE. */
const MEANINGS: Readonly<Record<string, string>> = {
  "22001": "a value is too long",
  "22003": "a number is out of range",
  "22007": "a text is no date or time",
  "22008": "a date or time is out of range",
  "22012": "division by zero",
  "22P02": "a text is no value of its type",
  "23502": "a value is NULL where a domain allows none",
  "23514": "a value breaks the rule of its domain",
};

/**
 * Whether a server's message may quote a value: not of what was refused before a row was read, such as a missing right or table (class 42), nor of a cancelled
 * statement or a server out of resources (53, 57).
 */
export function quotesValues(cause: unknown): boolean {
  const { code = "" } = (cause ?? {}) as { code?: string };
  return cause !== null && typeof cause === "object" && "severity" in cause && !/^(42|53|57)/.test(code);
}

/** What can be said of a server's refusal to compute: its own message may quote the value that is to stay hidden. */
export function withheldMessage(cause: unknown): string {
  const { code } = (cause ?? {}) as { code?: string };
  if (code === undefined || !("severity" in (cause as object))) return "the source gave no reason";
  return `${MEANINGS[code] ?? "the source refuses to compute it"} (SQLSTATE ${code}; the message is withheld, for it may quote a value)`;
}
