const began = Date.now();
let silent = false;

/** One line: seconds since the start, what, and what of it. */
export function say(what: string, text: string): void {
  show(what, text);
}

/** A line under the last one. */
export function sayMore(text: string): void {
  show("", text);
}

/** The last line: what is still under way says no more. */
export function sayLast(what: string, text: string): void {
  say(what, text);
  silent = true;
}

export function number(value: number): string {
  return value.toLocaleString("en-US");
}

function show(what: string, text: string): void {
  if (!silent) console.log(`${seconds()}  ${what.padEnd(9)} ${text}`);
}

function seconds(): string {
  return `${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s`;
}
