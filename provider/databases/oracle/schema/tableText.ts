import type { OracleColumn, OracleConstraint, OracleIndex, OracleTable } from "../catalog/model.js";
import type { Spelling } from "./spelling.js";

/** CREATE TABLE as Oracle would have it, without keys: those come after the rows. `excluded`: columns that do not move. */
export function tableText(table: OracleTable, spelling: Spelling, excluded: (column: string) => boolean): string {
  const name = spelling.relation(table);
  const temporary = table.temporary ? "GLOBAL TEMPORARY " : "";
  const keep = table.temporary ? ` ON COMMIT ${table.temporary === "session" ? "PRESERVE" : "DELETE"} ROWS` : "";
  if (table.rowType) {
    return `CREATE ${temporary}TABLE ${name} OF ${spelling.relation(table.rowType)}${keep}`;
  }
  const columns = table.columns.filter((column) => !excluded(column.name)).map((column) => columnText(table, column, spelling));
  const partitions = table.partitioning === "" ? "" : ` ${spelling.expression(table, table.partitioning)}`;
  return `CREATE ${temporary}TABLE ${name} (${columns.join(", ")})${keep}${partitions}`;
}

function columnText(table: OracleTable, column: OracleColumn, spelling: Spelling): string {
  const parts = [spelling.column(table, column.name), spelling.expression(table, column.type)];
  const { expression } = column;
  if (column.virtual) parts.push(`GENERATED ALWAYS AS (${spelling.expression(table, expression ?? "NULL")}) VIRTUAL`);
  else if (column.identity !== undefined) parts.push(column.identity);
  else if (expression !== undefined) parts.push(`DEFAULT ${spelling.expression(table, expression)}`);
  if (!column.nullable) parts.push("NOT NULL");
  return parts.join(" ");
}

/** `name`: what it is called on the target, in Oracle's spelling. */
export function constraintText(constraint: OracleConstraint, name: string, spelling: Spelling): string {
  const table = { schema: constraint.schema, name: constraint.table };
  const listed = (columns: readonly string[]) => columns.map((column) => spelling.column(table, column)).join(", ");
  const head = `ALTER TABLE ${spelling.relation(table)} ADD CONSTRAINT ${spelling.plain(name)}`;
  const timing = constraint.deferrable ? ` DEFERRABLE INITIALLY ${constraint.deferred ? "DEFERRED" : "IMMEDIATE"}` : "";
  switch (constraint.kind) {
    case "primaryKey":
      return `${head} PRIMARY KEY (${listed(constraint.columns)})${timing}`;
    case "unique":
      return `${head} UNIQUE (${listed(constraint.columns)})${timing}`;
    case "check":
      return `${head} CHECK (${spelling.expression(table, constraint.condition)})`;
    case "foreignKey": {
      const target = { schema: constraint.references?.schema ?? "", name: constraint.references?.table ?? "" };
      const there = (constraint.references?.columns ?? []).map((column) => spelling.column(target, column)).join(", ");
      const onDelete = constraint.onDelete === "" ? "" : ` ON DELETE ${constraint.onDelete}`;
      return `${head} FOREIGN KEY (${listed(constraint.columns)}) REFERENCES ${spelling.relation(target)} (${there})${onDelete}${timing}`;
    }
  }
}

export function indexText(index: OracleIndex, name: string, spelling: Spelling): string {
  const table = { schema: index.tableSchema, name: index.table };
  const kind = index.unique ? "UNIQUE " : index.bitmap ? "BITMAP " : "";
  const terms = index.terms.map((term) => spelling.expression(table, term)).join(", ");
  return `CREATE ${kind}INDEX ${spelling.schema(index.schema)}.${spelling.plain(name)} ON ${spelling.relation(table)} (${terms})`;
}
