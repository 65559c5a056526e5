import type { DdlDialect, EmitContext, EmitTable } from "../postgres/ddl/emit/ddlDialect.js";
import type { ColumnStructure, TableStructure } from "../postgres/ddl/structure.js";
import { ident, qualified } from "../postgres/sql.js";
import { distributedClause, distribution } from "./distribution.js";
import { plainDefault } from "./schema/columns.js";

/**
 * Changes of structure on AnalyticDB 7: tables, their columns, checks and plain indexes. A table made on the way takes its storage from the session's
 * default_table_access_method, which the applier sets to the task's.
 */
export function segmentedDdl(version: number): DdlDialect {
  return {
    version: Math.floor(version / 10_000),
    type: knownType,
    tableSuffix: () => "",
    createTable,
    refuses(change) {
      switch (change.kind) {
        case "setDefault":
          return plainDefault(change.column.default ?? "") === undefined
            ? "only constants and the current time are moved"
            : undefined;
        case "addConstraint":
          if (change.constraint.kind !== "c")
            return "keys are those that the table was made with: they hold its distribution key";
          return OWN_ROUTINE.test(change.constraint.definition) ? "it calls a function, and functions are not moved" : undefined;
        case "createIndex":
          // The one method that Beam tables have as well.
          if (!/^CREATE INDEX .* USING btree /s.test(change.index.definition)) return "only plain btree indexes are moved";
          return OWN_ROUTINE.test(change.index.definition) ? "it calls a function, and functions are not moved" : undefined;
        default:
          return CARRIED.has(change.kind) ? undefined : "the route moves tables, their columns, checks and indexes only";
      }
    },
  };
}

/** A call with a schema in front: the source's texts name none for what is built in. */
const OWN_ROUTINE = /[\w"]\.[\w"]+\(/;

const CARRIED: ReadonlySet<string> = new Set([
  "createTable",
  "dropTable",
  "rename",
  "setSchema",
  "addColumn",
  "dropColumn",
  "renameColumn",
  "changeType",
  "dropDefault",
  "setNotNull",
  "dropNotNull",
  "createSchema",
  "dropSchema",
  // Nothing happens where they are not there (IF EXISTS).
  "dropConstraint",
  "dropIndex",
  "renameIndex",
]);

/** Types that came after PostgreSQL 12. */
const LATER = /^(xid8|pg_snapshot|regcollation|\w+multirange)(\[\])?$/;

/** What PostgreSQL 12 has stays; types of the user's own are not moved, so their columns are text. */
function knownType(type: string): string {
  if (!LATER.test(type) && !type.replace(/\([^)]*\)/, "").includes(".")) return type;
  return type.endsWith("[]") ? "text[]" : "text";
}

function createTable(created: TableStructure, table: EmitTable, { sql }: EmitContext): string[] {
  const columns = created.columns.flatMap((column) => {
    const name = table.columnAfter(column.number);
    return name === undefined ? [] : [{ column, name, type: knownType(sql.definition(column.type)) }];
  });
  const names = new Map(columns.map(({ column, name }) => [column.number, name]));
  const primary = created.constraints.find(({ kind }) => kind === "p");
  const key = primary?.columns.flatMap((number) => names.get(number) ?? []) ?? [];
  const whole = key.length > 0 && key.length === primary?.columns.length;
  const spread = distribution({
    columns: columns.map(({ column, name, type }) => ({ name, type, nullable: !column.notNull })),
    distributedBy: undefined,
    key: whole ? key : [],
  });
  const clause = (column: ColumnStructure): string => {
    if (column.generated) return ` GENERATED ALWAYS AS (${sql.onTable(column.default ?? "", table.source)}) STORED`;
    const value = plainDefault(column.default ?? undefined);
    return value === undefined ? "" : ` DEFAULT ${value}`;
  };
  const elements = [
    ...columns.map(({ column, name, type }) => `${ident(name)} ${type}${clause(column)}${column.notNull ? " NOT NULL" : ""}`),
    ...(whole && spread.source === "key" ? [`PRIMARY KEY (${key.map(ident).join(", ")})`] : []),
  ];
  return [`CREATE TABLE ${qualified(table.to)} (${elements.join(", ")})${distributedClause(spread.columns)}`];
}
