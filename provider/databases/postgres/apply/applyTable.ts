import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { StreamedTable } from "../../../engine/models/change.js";
import type { PlannedTable } from "../../../engine/models/plan.js";
import { qualified } from "../sql.js";
import type { TargetColumn, TargetTable } from "./targetTables.js";

export interface ApplyColumn {
  readonly name: string;
  readonly target: TargetColumn;
  /** The target takes the value's bytes as they come; else it is staged as the source's type and goes by way of its text. */
  readonly direct: boolean;
  readonly sourceType: string;
  readonly key: boolean;
}

/** How the changes of one table are applied: what a relation message, the plan and the target together say. */
export interface ApplyTable {
  readonly planned: PlannedTable;
  /** Quoted, for SQL. */
  readonly name: string;
  /** Quoted, with ONLY where the table has rows of its own. */
  readonly only: string;
  readonly plain: boolean;
  /** What is applied, in the stream's order. */
  readonly columns: readonly ApplyColumn[];
  /** For each column of the stream its place in `columns`, -1 when it is not applied. */
  readonly places: Int32Array;
  /** For each column of the stream, 1 when it is part of the key. */
  readonly keyed: Uint8Array;
  /** Places of the key's columns, in the stream's order; empty: rows are known by their whole content. */
  readonly key: readonly number[];
  readonly fullIdentity: boolean;
  /**
   * A GENERATED ALWAYS identity column outside of the key takes a value from an INSERT (OVERRIDING SYSTEM VALUE, COPY), never from an
   * UPDATE: its rows are replaced.
   */
  readonly replaceRows: boolean;
}

/**
 * Joins the three. The key is what old tuples hold: the replica identity's columns, or under FULL the plan's key.
 * Errors: GW1502 when the stream's columns are not the plan's.
 */
export function applyTable(
  streamed: StreamedTable,
  planned: PlannedTable,
  target: TargetTable | undefined,
  binary: boolean,
  /** Target columns that this stream has brought before. */
  met: readonly string[] = [],
): ApplyTable {
  const changed = (what: string, remedy: string) =>
    new GodwitError(ErrorCode.StructureChanged, what, { object: `${streamed.schema}.${streamed.name}`, remedy });
  if (!target)
    throw changed(`table ${planned.target.schema}.${planned.target.name} is not on the target`, "create it, or leave it out");
  const wanted = new Map(planned.columns.map((column) => [column.source, column]));
  const leftOut = new Set(planned.leftOut);
  const keyNames = new Set(
    streamed.fullIdentity ? planned.key.columns : streamed.columns.filter((column) => column.partOfKey).map(({ name }) => name),
  );
  const columns: ApplyColumn[] = [];
  const places = new Int32Array(streamed.columns.length).fill(-1);
  const keyed = new Uint8Array(streamed.columns.length);
  const key: number[] = [];
  streamed.columns.forEach(({ name, typeId }, index) => {
    const plan = wanted.get(name);
    if (!plan) {
      if (keyNames.has(name)) throw changed(`key column "${name}" is not in the plan`, "take it into the selection");
      if (!leftOut.has(name)) throw changed(`column "${name}" was added or renamed at the source`, REPLAN);
      return;
    }
    wanted.delete(name);
    const column = target.columns.get(plan.target);
    if (!column) throw changed(`column "${plan.target}" is not on the target`, "add it there");
    const sameType = bare(plan.type) === bare(column.type);
    if (sameType && typeId < FIRST_USER_TYPE && column.typeId < FIRST_USER_TYPE && typeId !== column.typeId) {
      throw changed(`column "${name}" has another type now than when the task was planned (${plan.type})`, REPLAN);
    }
    places[index] = columns.length;
    if (keyNames.has(name)) {
      keyed[index] = 1;
      key.push(columns.length);
    }
    columns.push({
      name: plan.target,
      target: column,
      // The text form goes through the target's own input function, whatever the type.
      direct: !binary || sameType,
      sourceType: bare(plan.type),
      key: keyNames.has(name),
    });
  });
  for (const name of wanted.keys()) {
    // Changes from before a column joined know nothing of it: the target's default stands in, as the source's did.
    if (!planned.joined?.includes(name) || met.includes(wanted.get(name)?.target ?? ""))
      throw changed(`column "${name}" was dropped or renamed at the source`, REPLAN);
  }
  const name = qualified(planned.target);
  return {
    planned,
    name,
    only: target.plain ? `ONLY ${name}` : name,
    plain: target.plain,
    columns,
    places,
    keyed,
    key,
    fullIdentity: streamed.fullIdentity,
    replaceRows: columns.some((column) => column.target.identityAlways && !column.key),
  };
}

/** Whether every value of these tables may travel in binary: portable, and castable by name where the target's type is another. */
export function binaryFits(tables: readonly PlannedTable[], targets: ReadonlyMap<number, TargetTable>): boolean {
  return tables.every((table) =>
    table.columns.every((column) => {
      const type = targets.get(table.id)?.columns.get(column.target)?.type;
      // A type of the user's own can't be named on the target when it is not there under the same name.
      return column.binaryPortable && (bare(column.type) === bare(type ?? "") || !column.type.includes("."));
    }),
  );
}

const REPLAN = "make the same change on the target, then run pulumi up: the task takes the new structure over and goes on";
/** Numbers below are the same on every server. */
const FIRST_USER_TYPE = 16384;

/** Lengths and precisions may differ: the target's input checks them. */
function bare(type: string): string {
  return type.replace(/\([\d,-]+\)/, "");
}
