import type { Change } from "../difference.js";
import type { EmitTable } from "../emit/ddlDialect.js";
import type { TableStructure } from "../structure.js";

/**
 * Whether a step is still to be taken on a target table that is like `now`. A plan that is newer than the stream has made things already,
 * and so has a user who was told to. Pure.
 */
export function isNeeded(change: Change, table: EmitTable, now: TableStructure): boolean {
  const column = (name: string | undefined) => now.columns.find((each) => each.name === name);
  switch (change.kind) {
    case "rename":
      return now.name === table.from.name && table.from.name !== table.to.name;
    case "setSchema":
      return now.schema === table.from.schema && table.from.schema !== table.to.schema;
    case "addColumn": {
      const name = table.columnAfter(change.column.number);
      return name !== undefined && column(name) === undefined;
    }
    case "dropColumn":
      return column(table.columnBefore(change.column.number)) !== undefined;
    case "renameColumn": {
      const to = table.columnAfter(change.column.number);
      return table.columnBefore(change.column.number) !== to && (change.from !== change.column.name || column(to) === undefined);
    }
    case "addConstraint":
      return !now.constraints.some(
        ({ name, kind }) => name === change.constraint.name || (kind === "p" && change.constraint.kind === "p"),
      );
    case "renameConstraint":
      return now.constraints.some(({ name }) => name === change.from);
    case "alterConstraint":
    case "validateConstraint":
      return now.constraints.some(({ name }) => name === change.constraint.name);
    case "createIndex":
      return !now.indexes.some(({ name }) => name === change.index.name);
    case "attach":
      return now.parents.length === 0;
    case "detach":
      return now.parents.length > 0;
    case "setIdentity":
      return !change.add || column(table.columnAfter(change.column.number))?.identity === "";
    case "changeType":
    case "setDefault":
    case "dropDefault":
    case "dropExpression":
    case "setNotNull":
    case "dropNotNull":
    case "dropIdentity":
      return column(table.columnAfter(change.column.number)) !== undefined;
    default:
      return true;
  }
}
