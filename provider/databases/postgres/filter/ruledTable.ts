import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { StreamedTable } from "../../../engine/models/change.js";
import type { PlannedTable, PresentName } from "../../../engine/models/plan.js";
import { displayName } from "../../../engine/selection.js";
import { qualified } from "../sql.js";

/** A table whose rows are filtered or rewritten, as the stream describes it now. */
export interface RuledTable {
  readonly planned: PlannedTable;
  /** Where the columns that its expressions name are in the table's tuples, ascending, and their types' numbers. */
  readonly columns: readonly { readonly place: number; readonly name: string; readonly typeId: number }[];
  /** What is asked for each row that moves. */
  readonly values: readonly RuledValue[];
  /** The table as it is told to what comes after: columns that the source does not have are at its end. */
  readonly announced: StreamedTable;
}

export interface RuledValue {
  readonly expression: string;
  /** In the tuples of `announced`. */
  readonly place: number;
  readonly typeId: number;
}

/** Errors: GW1502 when a column that an expression names is gone, GW1507 when changes do not carry the whole old row. */
export function ruledTable(planned: PlannedTable, streamed: StreamedTable): RuledTable {
  if (!streamed.fullIdentity) {
    throw new GodwitError(
      ErrorCode.RowFilterFailed,
      "changes of a table whose rows are filtered or rewritten do not carry the whole old row any more",
      {
        object: displayName(streamed),
        remedy: `ALTER TABLE ${qualified(streamed)} REPLICA IDENTITY FULL, then exclude the table, run pulumi up, and take it in again: it is copied anew`,
      },
    );
  }
  const derived = planned.columns.filter((column) => column.derived);
  const taken = derived.find(({ source }) => streamed.columns.some(({ name }) => name === source));
  if (taken) throw changed(streamed, `the source has a column "${taken.source}" now, which \`etl\` derives`, "derive");
  const announced = {
    ...streamed,
    columns: [
      ...streamed.columns,
      ...derived.map(({ source, derived: made }) => ({ name: source, partOfKey: true, typeId: made?.typeId ?? 0 })),
    ],
  };
  const values = planned.columns.flatMap((column): RuledValue[] => {
    const { value, source } = column;
    if (!value) return [];
    const place = announced.columns.findIndex(({ name }) => name === source);
    const found = announced.columns[place];
    if (!found) throw changed(streamed, `column "${source}", which \`etl\` names, is gone`, "etl");
    return [{ expression: value.expression, place, typeId: found.typeId }];
  });
  return { planned, columns: namedColumns(planned, streamed), values, announced };
}

function namedColumns(planned: PlannedTable, streamed: StreamedTable): RuledTable["columns"] {
  const find = (of: string, { name, source }: PresentName) => {
    const place = streamed.columns.findIndex((column) => column.name === source);
    const column = streamed.columns[place];
    if (column) return { place, name, typeId: column.typeId };
    throw of === "where"
      ? changed(streamed, `the condition for the table's rows names column "${source || name}", which is gone`, of)
      : changed(streamed, `an expression of \`etl\` names column "${source || name}", which is gone`, of);
  };
  const found = [
    ...(planned.filter?.columns ?? []).map((column) => find("where", column)),
    ...planned.columns.flatMap(({ value }) => (value?.columns ?? []).map((column) => find("etl", column))),
  ];
  const [first] = streamed.columns;
  // A question needs something to be asked of, also where every value is a constant.
  if (found.length === 0 && first) found.push({ place: 0, name: first.name, typeId: first.typeId });
  const byPlace = new Map(found.map((column) => [column.place, column]));
  return [...byPlace.values()].sort((one, other) => one.place - other.place);
}

function changed(streamed: StreamedTable, message: string, input: string): GodwitError {
  return new GodwitError(ErrorCode.StructureChanged, message, {
    object: displayName(streamed),
    remedy: `write \`${input}\` with the columns that there are, and run pulumi up`,
  });
}
