import { isDeepStrictEqual } from "node:util";
import { containsUnknown } from "../contract/unknowns.js";
import type { PropertyChange } from "./resource.js";

/** Where two values differ, by Pulumi's property paths. What a preview does not know differs. */
export function valueChanges(path: string, before: unknown, after: unknown): readonly Omit<PropertyChange, "replaces">[] {
  if (isDeepStrictEqual(before, after) && !containsUnknown(after)) return [];
  if (before === undefined) return [{ property: path, kind: "add" }];
  if (after === undefined) return [{ property: path, kind: "delete" }];
  if (Array.isArray(before) && Array.isArray(after)) {
    const length = Math.max(before.length, after.length);
    return Array.from({ length }, (_, index) => valueChanges(`${path}[${index}]`, before[index], after[index])).flat();
  }
  if (isObject(before) && isObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap((name) => valueChanges(propertyPath(path, name), before[name], after[name]));
  }
  return [{ property: path, kind: "update" }];
}

/** Names that hold more than letters, digits and underscores are quoted (keys of `triggers`). */
function propertyPath(path: string, name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? `${path}.${name}` : `${path}["${name.replaceAll('"', '\\"')}"]`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
