import type { CatalogTable } from "../../../engine/models/catalog.js";
import type { PlannedTable } from "../../../engine/models/plan.js";
import { naturalName } from "../catalog/naturalName.js";

/**
 * A table's plan after a change of its structure: the source's columns, as far as the target has them by now. Those that the target lacks are left out
 * until their own statement comes; those that the source has no more are passed over. Pure.
 */
export function withColumnsOf(
  table: PlannedTable,
  source: CatalogTable | undefined,
  target: { readonly before: ReadonlySet<string>; readonly now: ReadonlySet<string> },
): PlannedTable {
  const onTarget = target.now;
  const before = new Map(table.columns.map((column) => [column.source, column]));
  const targetOf = (name: string) => before.get(name)?.target ?? naturalName(name);
  // The program left them out, although the target has them.
  const excluded = new Set(table.leftOut.filter((name) => target.before.has(naturalName(name))));
  const columns = (source?.columns ?? [])
    .filter(({ name, generated }) => !generated && !excluded.has(name) && onTarget.has(targetOf(name)))
    .map(({ name, ...rest }) => ({ ...rest, source: name, target: targetOf(name) }));
  // Dropped or renamed at the source since: the plan of before holds for what the target still has.
  const kept = source ? columns : table.columns.filter(({ target }) => onTarget.has(target));
  const names = new Set(kept.map((column) => column.source));
  const known = [...before.keys(), ...table.leftOut, ...(source?.columns ?? []).map(({ name }) => name)];
  const hasKey = source?.key.columns.every((name) => names.has(name)) ?? false;
  return {
    ...table,
    columns: kept,
    leftOut: [...new Set(known)].filter((name) => !names.has(name)),
    joined: [...new Set([...(table.joined ?? []), ...[...names].filter((name) => !before.has(name))])].filter((name) =>
      names.has(name),
    ),
    key: source && hasKey ? source.key : table.key,
  };
}
