import type { PlannedTable, PrecheckItem } from "../../../engine/models/plan.js";
import { listed, precheckItem } from "./precheckItem.js";

export interface ExistingTables {
  /** There, and the task is to make them. */
  readonly clash: readonly PlannedTable[];
  /** There, and hold rows where the load is to go. */
  readonly filled: readonly PlannedTable[];
  /** Not there, and the task is not to make them. */
  readonly missing: readonly PlannedTable[];
  readonly unwritable: readonly PlannedTable[];
  /** The SQL that lets the role write them. */
  readonly grant: string;
}

/** What existing tables of any target of the family mean for the task. */
export function existingTableItems({ clash, filled, missing, unwritable, grant }: ExistingTables): PrecheckItem[] {
  const names = (list: readonly PlannedTable[]) => listed(list.map(({ target }) => `${target.schema}.${target.name}`));
  return [
    precheckItem({
      item: "targetExistingTables",
      passed: clash.length === 0 && filled.length === 0,
      message:
        clash.length > 0
          ? `the target has ${names(clash)} already`
          : filled.length > 0
            ? `the target's ${names(filled)} hold rows already`
            : "no table on the target is in the way",
      remedy: "drop or rename them on the target, rename them in objects, or set conflictMode to ignoreAndProceed",
    }),
    precheckItem({
      item: "targetTables",
      passed: missing.length === 0 && unwritable.length === 0,
      message:
        missing.length > 0
          ? `the target has no ${names(missing)}, and migrationTypes leaves the schema out`
          : unwritable.length > 0
            ? `${names(unwritable)} can't be written`
            : "every table is there, or is going to be made",
      remedy: missing.length > 0 ? 'add "schema" to migrationTypes, or create the tables' : grant,
    }),
  ];
}
