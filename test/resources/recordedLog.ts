import type { Context } from "../../provider/resources/resource.js";

/** A context whose log is kept, for what a user would have seen. */
export function recordedLog(): Context & { readonly lines: string[] } {
  const lines: string[] = [];
  return { lines, log: { info: (message) => lines.push(message), warn: (message) => lines.push(`warning: ${message}`) } };
}
