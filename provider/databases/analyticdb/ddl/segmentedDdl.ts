import type { DdlDialect, EmitContext, EmitTable } from "../../postgres/ddl/emit/ddlDialect.js";
import type { ColumnStructure, TableStructure } from "../../postgres/ddl/structure.js";
import { ident, qualified } from "../../postgres/sql.js";
import { distributedClause, distribution } from "../distribution.js";
import { plainDefault } from "../schema/columns.js";
import { impossible } from "./impossible.js";
import { foreignKeyStep, retypedColumn } from "./steps.js";
import { segmentedStructure } from "./structureSql.js";

/**
 * Changes of structure on AnalyticDB 6 (`version` 90400 and up) and 7: tables, their columns, checks, keys and plain indexes. All of its DDL but CREATE
 * INDEX CONCURRENTLY, VACUUM and CREATE DATABASE may stand in a transaction, on 6 as on 7 (Greenplum's guide of transactions), so a change is as
 * exactly once there as a row: with the checkpoint, or not at all.
 */
export function segmentedDdl(version: number): DdlDialect {
  const major = Math.floor(version / 10_000);
  const type = knownType(major);
  const generates = major >= 12;
  return {
    version: major,
    type,
    tableSuffix: () => "",
    createTable: (created, table, context) =>
      createTable(created, table, context, { type, generates, storage: major >= 12 ? "" : " WITH (appendonly=false)" }),
    default: (expression) => plainDefault(expression),
    sequences: false,
    describe: segmentedStructure,
    refuses(change) {
      switch (change.kind) {
        case "setDefault":
          return plainDefault(change.column.default ?? "") === undefined
            ? "only constants and the current time are moved as defaults"
            : undefined;
        case "addColumn":
          if (change.column.generated === "") return undefined;
          if (!generates) return "generated columns are known from AnalyticDB 7 on";
          return ownCode(change.column.default ?? "");
        case "addConstraint":
          if (change.constraint.kind === "x") return "exclusions are the source's to keep";
          return change.constraint.kind === "c" ? ownCode(change.constraint.definition) : undefined;
        case "createIndex":
          // The one method that Beam tables have as well.
          if (!/^CREATE (UNIQUE )?INDEX .* USING btree /s.test(change.index.definition)) return "only btree indexes are moved";
          return ownCode(change.index.definition);
        default:
          return CARRIED.has(change.kind) ? undefined : "the route moves tables, their columns, checks, keys and indexes only";
      }
    },
    refusesOn: (change, on) => impossible(change, on, major),
    tableStep(change, on, { sql }) {
      if (change.kind === "addConstraint" && change.constraint.kind === "f") return foreignKeyStep(change.constraint, on);
      if (change.kind === "changeType") return retypedColumn(change.column, type(sql.definition(change.column.type)), on, major);
      return undefined;
    },
  };
}

/** A call or a cast with a schema in front: the source's texts name none for what is built in. */
function ownCode(text: string): string | undefined {
  if (/[\w"]\.[\w"]+\(/.test(text)) return "it calls a function, and functions are not moved";
  return /::\s*(?:"[^"]+"|\w+)\./.test(text) ? "it names a type of your own, and types are not moved" : undefined;
}

const CARRIED: ReadonlySet<string> = new Set([
  "createTable",
  "dropTable",
  "rename",
  "setSchema",
  "dropColumn",
  "renameColumn",
  "changeType",
  "dropDefault",
  "setNotNull",
  "dropNotNull",
  "createSchema",
  "dropSchema",
  // Nothing happens where they are not there (IF EXISTS, or asked before).
  "dropConstraint",
  "renameConstraint",
  "dropIndex",
  "renameIndex",
]);

/** Types that came after PostgreSQL 9.4, and after 12. */
const AFTER_9_4 = /^(macaddr8|regrole|regnamespace|jsonpath|xid8|pg_snapshot|regcollation|\w+multirange)(\[\])?$/;
const AFTER_12 = /^(xid8|pg_snapshot|regcollation|\w+multirange)(\[\])?$/;

/** What the server's PostgreSQL has stays; types of the user's own are not moved, so their columns are text. */
function knownType(major: number): (type: string) => string {
  const later = major >= 12 ? AFTER_12 : AFTER_9_4;
  return (type) => {
    if (!later.test(type) && !type.replace(/\([^)]*\)/, "").includes(".")) return type;
    return type.endsWith("[]") ? "text[]" : "text";
  };
}

interface TypeRules {
  readonly type: (type: string) => string;
  readonly generates: boolean;
  readonly storage: string;
}

/**
 * Its storage on 7 is the session's default_table_access_method, which the applier sets to the task's. On 6 it is always heap: Beam is not there, and
 * append-optimized tables are refused for a task with incremental.
 */
function createTable(
  created: TableStructure,
  table: EmitTable,
  { sql }: EmitContext,
  { type: known, generates, storage }: TypeRules,
): string[] {
  const columns = created.columns.flatMap((column) => {
    const name = table.columnAfter(column.number);
    if (name === undefined || (column.generated && (!generates || ownCode(column.default ?? "") !== undefined))) return [];
    return [{ column, name, type: known(sql.definition(column.type)) }];
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
  return [`CREATE TABLE ${qualified(table.to)} (${elements.join(", ")})${storage}${distributedClause(spread.columns)}`];
}
