import type { QualifiedName } from "../../../../engine/models/catalog.js";
import { ident, literal, qualified } from "../../sql.js";
import type { Change } from "../difference.js";
import type { ColumnStructure, ConstraintStructure, IndexStructure, TableStructure } from "../structure.js";
import type { EmitContext, EmitTable } from "./ddlDialect.js";

/**
 * A table's step as statements of the target. Never CASCADE: what the source's CASCADE reached has events of its own, and what
 * else depends on an object there is not ours to drop.
 */
export function tableStatements(change: Change, table: EmitTable, context: EmitContext): string[] {
  const { sql, dialect } = context;
  const name = qualified(table.to);
  const alter = (clause: string): string[] => [`ALTER TABLE ${name} ${clause}`];
  const after = ({ number, name: source }: ColumnStructure): string => ident(table.columnAfter(number) ?? source);
  const before = ({ number, name: source }: ColumnStructure): string => ident(table.columnBefore(number) ?? source);
  const alterColumn = (column: ColumnStructure, clause: string) => alter(`ALTER COLUMN ${after(column)} ${clause}`);
  switch (change.kind) {
    case "createTable":
      return dialect.createTable?.(change.table, table, context) ?? createTable(change.table, table, context);
    case "dropTable":
      return [`DROP TABLE IF EXISTS ${qualified(table.from)}`];
    case "rename":
      return [`ALTER TABLE ${qualified({ ...table.from })} RENAME TO ${ident(table.to.name)}`];
    case "setSchema":
      return [
        `ALTER TABLE ${qualified({ schema: table.from.schema, name: table.to.name })} SET SCHEMA ${ident(table.to.schema)}`,
      ];
    case "addColumn":
      return addColumn(change.column, table, context);
    case "dropColumn":
      return alter(`DROP COLUMN IF EXISTS ${before(change.column)}`);
    case "renameColumn": {
      const detour = (step: string): string | undefined => (step === `godwit_${change.column.number}` ? step : undefined);
      const from = detour(change.from) ?? table.columnBefore(change.column.number) ?? change.from;
      const to = detour(change.to) ?? table.columnAfter(change.column.number) ?? change.to;
      return from === to ? [] : alter(`RENAME COLUMN ${ident(from)} TO ${ident(to)}`);
    }
    case "changeType": {
      const { column } = change;
      const collate = column.collation ? ` COLLATE ${sql.definition(column.collation)}` : "";
      const type = dialect.type(sql.definition(column.type));
      // The cast is the one of the source's own command; where it had another expression, its rows come anew.
      return alterColumn(column, `TYPE ${type}${collate}${table.empty ? ` USING NULL::${type}` : ""}`);
    }
    case "setDefault":
      return alterColumn(change.column, `SET DEFAULT ${kept(change.column.default, context) ?? "NULL"}`);
    case "dropDefault":
      return alterColumn(change.column, "DROP DEFAULT");
    case "dropExpression":
      return alterColumn(change.column, "DROP EXPRESSION IF EXISTS");
    case "setNotNull":
      return alterColumn(change.column, "SET NOT NULL");
    case "dropNotNull":
      return alterColumn(change.column, "DROP NOT NULL");
    case "setIdentity":
      return alterColumn(change.column, change.add ? `ADD ${identity(change.column, context)}` : setIdentity(change.column));
    case "dropIdentity":
      return alterColumn(change.column, "DROP IDENTITY IF EXISTS");
    case "addConstraint":
      return alter(`ADD ${constraint(change.constraint, table.source, context)}`);
    case "dropConstraint":
      return alter(`DROP CONSTRAINT IF EXISTS ${ident(change.constraint.name)}`);
    case "renameConstraint":
      return alter(`RENAME CONSTRAINT ${ident(change.from)} TO ${ident(change.to)}`);
    case "validateConstraint":
      return alter(`VALIDATE CONSTRAINT ${ident(change.constraint.name)}`);
    case "alterConstraint": {
      const { deferrable, deferred } = change.constraint;
      const when = deferrable ? `DEFERRABLE INITIALLY ${deferred ? "DEFERRED" : "IMMEDIATE"}` : "NOT DEFERRABLE";
      return alter(`ALTER CONSTRAINT ${ident(change.constraint.name)} ${when}`);
    }
    case "createIndex":
      return [createIndex(change.index, table, context)];
    case "dropIndex":
      return [`DROP INDEX IF EXISTS ${qualified({ schema: table.to.schema, name: change.index.name })}`];
    case "renameIndex":
      return [`ALTER INDEX IF EXISTS ${qualified({ schema: table.to.schema, name: change.from })} RENAME TO ${ident(change.to)}`];
    case "setLogged":
      return alter(change.unlogged ? "SET UNLOGGED" : "SET LOGGED");
    case "attach":
      if (!table.hasParent(change.parent)) return [];
      return change.bound === null
        ? alter(`INHERIT ${qualified(context.relation(change.parent))}`)
        : [`ALTER TABLE ${qualified(context.relation(change.parent))} ATTACH PARTITION ${name} ${sql.definition(change.bound)}`];
    case "detach":
      if (!table.hasParent(change.parent)) return [];
      return change.bound === null
        ? alter(`NO INHERIT ${qualified(context.relation(change.parent))}`)
        : [`ALTER TABLE ${qualified(context.relation(change.parent))} DETACH PARTITION ${name}`];
    default:
      return [];
  }
}

function createTable(created: TableStructure, table: EmitTable, context: EmitContext): string[] {
  const { sql, dialect } = context;
  const columns = created.columns.filter(({ number }) => table.columnAfter(number) !== undefined);
  const whole = ({ columns: numbers }: { readonly columns: readonly number[] }): boolean =>
    numbers.every((number) => number <= 0 || columns.some((column) => column.number === number));
  const own = created.constraints.filter((each) => !each.inherited && whole(each));
  const inline = own.filter(({ kind }) => kind !== "f");
  const parents = created.parents.filter(table.hasParent);
  const isPartition = created.bound !== null && parents.length > 0;
  const elements = [
    ...(isPartition ? [] : columns.map((column) => columnDefinition(column, table, context))),
    ...inline.map((each) => constraint(each, table.source, context)),
  ];
  const list = isPartition && elements.length === 0 ? "" : ` (${elements.join(", ")})`;
  const parent = parents[0];
  const head = `CREATE ${created.unlogged ? "UNLOGGED " : ""}TABLE ${qualified(table.to)}`;
  const partitionOf = isPartition && parent ? ` PARTITION OF ${qualified(context.relation(parent))}` : "";
  const bound = isPartition ? ` ${sql.definition(created.bound ?? "")}` : "";
  const inherits =
    created.bound === null && parents.length > 0
      ? ` INHERITS (${parents.map((each) => qualified(context.relation(each))).join(", ")})`
      : "";
  const partitionBy = created.partitionKey === null ? "" : ` PARTITION BY ${sql.onTable(created.partitionKey, table.source)}`;
  const options = created.options.filter((option) => !option.startsWith("oids=")).map(storageParameter);
  const withOptions = options.length > 0 ? ` WITH (${options.join(", ")})` : "";
  const target = (source: string): string =>
    table.columnAfter(created.columns.find(({ name }) => name === source)?.number ?? 0) ?? source;
  const suffix = dialect.tableSuffix(created, target);
  return [
    `${head}${partitionOf}${list}${bound}${inherits}${partitionBy}${withOptions}${suffix && ` ${suffix}`}`,
    ...columns.flatMap((column) => owned(column, table, context)),
    ...created.indexes
      .filter((index) => !index.constraint && !index.inherited && whole(index))
      .map((index) => createIndex(index, table, context)),
    ...own
      .filter(({ kind }) => kind === "f")
      .map((each) => `ALTER TABLE ${qualified(table.to)} ADD ${constraint(each, table.source, context)}`),
  ];
}

/** The server shows every index of a partitioned table as made ON ONLY it; one that is valid has its parts on the partitions. */
function createIndex({ definition, valid }: IndexStructure, table: EmitTable, { sql }: EmitContext): string {
  const text = sql.onTable(definition, table.source);
  return valid ? text.replace(" ON ONLY ", " ON ") : text;
}

/** A default in the target's names and words; undefined: it has none, or can't keep it. */
function kept(value: string | null, { sql, dialect }: EmitContext): string | undefined {
  if (value === null) return undefined;
  const text = sql.definition(value);
  return dialect.default ? dialect.default(text) : text;
}

function columnDefinition(
  column: ColumnStructure,
  table: EmitTable,
  context: EmitContext,
  value = kept(column.default, context),
): string {
  const { sql, dialect } = context;
  const name = ident(table.columnAfter(column.number) ?? column.name);
  const stored = column.generated === "s" || dialect.version < 18;
  return [
    name,
    dialect.type(sql.definition(column.type)),
    ...(column.collation ? [`COLLATE ${sql.definition(column.collation)}`] : []),
    ...(column.generated
      ? [`GENERATED ALWAYS AS (${sql.onTable(column.default ?? "", table.source)}) ${stored ? "STORED" : "VIRTUAL"}`]
      : []),
    ...(!column.generated && !column.identity && value !== undefined ? [`DEFAULT ${value}`] : []),
    ...(column.identity && dialect.sequences !== false ? [identity(column, context)] : []),
    ...(column.notNull ? ["NOT NULL"] : []),
  ].join(" ");
}

/** Constants: they mean the same at any time on any server. */
const CONSTANT = /^(?:'(?:[^']|'')*'(?:::[\w .()[\]",]+)?|-?[\d.]+|true|false)$/;

/**
 * Rows that are there show what the source's rows show: the value of the moment the column was added. The default itself is for rows that
 * come later.
 */
function addColumn(column: ColumnStructure, table: EmitTable, context: EmitContext): string[] {
  const { missing } = column;
  const { sql, dialect } = context;
  const own = kept(column.default, context);
  const fixed = missing !== null && !column.generated && (own === undefined ? !column.identity : !CONSTANT.test(own));
  const value = fixed ? `${literal(missing).trim()}::${dialect.type(sql.definition(column.type))}` : own;
  const add = `ALTER TABLE ${qualified(table.to)} ADD COLUMN ${columnDefinition(column, table, context, value)}`;
  const alter = `ALTER TABLE ${qualified(table.to)} ALTER COLUMN ${ident(table.columnAfter(column.number) ?? column.name)}`;
  return [
    add,
    ...(fixed ? [own === undefined ? `${alter} DROP DEFAULT` : `${alter} SET DEFAULT ${own}`] : []),
    ...owned(column, table, context),
  ];
}

/** A serial's sequence was made by its own event. */
function owned(column: ColumnStructure, table: EmitTable, context: EmitContext): string[] {
  if (!column.sequence || column.identity || context.dialect.sequences === false) return [];
  const name = ident(table.columnAfter(column.number) ?? column.name);
  return [`ALTER SEQUENCE ${qualified(context.relation(column.sequence))} OWNED BY ${qualified(table.to)}.${name}`];
}

function identity(column: ColumnStructure, context: EmitContext): string {
  const { sequence } = column;
  const options = sequence ? ` (SEQUENCE NAME ${qualified(context.relation(sequence))} ${withoutType(sequence.options)})` : "";
  return `GENERATED ${column.identity === "a" ? "ALWAYS" : "BY DEFAULT"} AS IDENTITY${options}`;
}

function setIdentity({ identity: kind, sequence }: ColumnStructure): string {
  const options = withoutType(sequence?.options ?? "")
    .replace(/ ?START WITH -?\d+/, "")
    .trim();
  const parts = options.split(/ (?=INCREMENT|MINVALUE|MAXVALUE|CACHE|CYCLE|NO CYCLE)/).filter((part) => part !== "");
  return [`SET GENERATED ${kind === "a" ? "ALWAYS" : "BY DEFAULT"}`, ...parts.map((part) => `SET ${part}`)].join(" ");
}

/** An identity's sequence takes its column's type. */
function withoutType(options: string): string {
  return options.replace(/^AS \w+ /, "");
}

function constraint(
  { name, kind, definition, referenced }: ConstraintStructure,
  source: QualifiedName,
  { sql }: EmitContext,
): string {
  const text = kind === "f" && referenced ? sql.foreignKey(definition, source, referenced) : sql.onTable(definition, source);
  return `CONSTRAINT ${ident(name)} ${text}`;
}

function storageParameter(option: string): string {
  const at = option.indexOf("=");
  return `${option.slice(0, at).split(".").map(ident).join(".")} = ${literal(option.slice(at + 1)).trim()}`;
}
