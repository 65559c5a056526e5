const began = Date.now();

/** One line: seconds since the start, what, and what of it. */
export function say(what: string, text: string): void {
  console.log(`${seconds()}  ${what.padEnd(9)} ${text}`);
}

/** A line under the last one. */
export function sayMore(text: string): void {
  console.log(`${seconds()}  ${"".padEnd(9)} ${text}`);
}

export function number(value: number): string {
  return value.toLocaleString("en-US");
}

function seconds(): string {
  return `${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s`;
}
