import type { Context } from "../../provider/resources/resource.js";

/** A context whose log is kept, for what a user would have seen. */
export function recordedLog(): Context & { readonly lines: string[] } {
  const lines: string[] = [];
  const keep = (message: string) => void lines.push(message);
  return { lines, log: { info: keep, status: keep, warn: (message) => keep(`warning: ${message}`) } };
}
