import { dollarQuote, quoteText } from "./names.js";

/** A statement that only says something to who runs it. */
export function writeNotice(text: string): string {
  return `DO ${dollarQuote(`BEGIN RAISE NOTICE '%', ${quoteText(text.replace(/\s+/g, " "))}; END`)}`;
}
