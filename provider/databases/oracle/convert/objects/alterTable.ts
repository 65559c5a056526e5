import type { Cursor } from "../read/cursor.js";
import { type Environment, Scope } from "../write/environment.js";
import { dollarQuote, fitName, quoteName, quoteNames, quoteText } from "../write/names.js";
import type { Type } from "../write/types.js";
import { FIXED_HASHES, writeAddPartition } from "./addPartition.js";
import { partitionName, readOnly, type Step, type Table } from "./alteredTable.js";
import { type ColumnDefinition, readColumn, writeColumn, writeDefault } from "./columns.js";
import { atConstraint, type Constraint, readConstraint, readState, writeConstraint } from "./constraints.js";
import type { Converted } from "./converted.js";
import { readPartitionAction } from "./locatedPartitions.js";
import { readPartitionChange } from "./partitionChanges.js";
import { readPartition } from "./partitions.js";
import { readElements } from "./tables.js";

/** ALTER TABLE. Several changes in one statement become several statements. */
export function convertAlterTable(cursor: Cursor, env: Environment): Converted {
  cursor.expect("TABLE");
  cursor.accept("IF", "EXISTS");
  const line = cursor.line;
  const name = cursor.names();
  const table: Table = { name, sql: quoteNames(name), env: tableEnvironment(name, env) };
  const sql: string[] = [];
  let nothing: string | undefined;
  while (!cursor.done) {
    const step = readStep(cursor, table);
    sql.push(...step.sql);
    nothing ??= step.nothing;
    cursor.accept(",");
  }
  if (sql.length > 0) return { kind: "alter", name: name.join("."), sql };
  const [warning] = env.output.warnings;
  if (nothing === undefined && warning === undefined) cursor.refuse("ALTER TABLE without a change");
  return { kind: "alter", name: name.join("."), sql: [], nothing: nothing ?? warning?.message ?? `line ${line}` };
}

function tableEnvironment(name: readonly string[], env: Environment): Environment {
  const scope = new Scope(env.scope);
  scope.set(name.at(-1) ?? "", { kind: "table", sql: quoteName(name.at(-1) ?? ""), columns: env.catalog.columns(name) });
  return { ...env, scope, place: "definition" };
}

function readStep(cursor: Cursor, table: Table): Step {
  if (cursor.accept("ADD")) return readAdd(cursor, table);
  if (cursor.accept("MODIFY")) return readModify(cursor, table);
  if (cursor.accept("DROP")) return readDrop(cursor, table);
  if (cursor.accept("RENAME")) return readRename(cursor, table);
  if (cursor.accept("SET", "UNUSED")) {
    cursor.accept("COLUMN");
    const columns = cursor.at("(") ? cursor.listed(() => cursor.name()) : [cursor.name()];
    return { sql: [alter(table, columns.map((column) => `DROP COLUMN IF EXISTS ${quoteName(column)} CASCADE`).join(", "))] };
  }
  if (cursor.atAny("ENABLE", "DISABLE")) return readSwitch(cursor, table);
  if (cursor.accept("TRUNCATE")) {
    return withRest(cursor, readPartitionAction(cursor, table, "TRUNCATE TABLE"));
  }
  if (cursor.at("READ") && cursor.atAhead(1, "ONLY", "WRITE")) {
    cursor.next();
    return readOnly(table, cursor.next().text === "ONLY");
  }
  if (cursor.at("COALESCE"))
    return rest(
      cursor,
      cursor.atAhead(1, "PARTITION", "SUBPARTITION") ? FIXED_HASHES : "how rows are stored: PostgreSQL has nothing to be told",
    );
  if (cursor.atAny("EXCHANGE", "SPLIT", "MERGE")) return withRest(cursor, readPartitionChange(cursor, table));
  if (cursor.at("PROJECT", "COLUMN"))
    return rest(cursor, "which columns of an external table are read: file_fdw reads the whole line");
  const setting = readSetting(cursor);
  if (setting !== undefined) return withRest(cursor, alter(table, setting));
  if (cursor.atAny(...PHYSICAL)) return rest(cursor, "how rows are stored: PostgreSQL has nothing to be told");
  cursor.refuse(`ALTER TABLE ... ${cursor.peek().value}`);
}

/** The two storage properties that PostgreSQL has as well: how full pages are filled, and how many workers may scan the table. */
function readSetting(cursor: Cursor): string | undefined {
  if (cursor.accept("PCTFREE")) return `SET (fillfactor = ${Math.max(10, 100 - Number(cursor.next().value))})`;
  if (cursor.accept("NOPARALLEL")) return "SET (parallel_workers = 0)";
  if (!cursor.accept("PARALLEL")) return undefined;
  const degree = cursor.peek().kind === "number" ? Number(cursor.next().value) : undefined;
  return degree === undefined ? "RESET (parallel_workers)" : `SET (parallel_workers = ${Math.max(0, degree - 1)})`;
}

const PHYSICAL =
  `MOVE PCTFREE PCTUSED INITRANS MAXTRANS STORAGE TABLESPACE LOGGING NOLOGGING COMPRESS NOCOMPRESS CACHE NOCACHE PARALLEL NOPARALLEL SHRINK
  ALLOCATE DEALLOCATE MONITORING NOMONITORING RESULT_CACHE ROW INMEMORY NO UPGRADE MINIMIZE NOMINIMIZE OVERFLOW MAPPING ILM MEMOPTIMIZE LOB FLASHBACK
  INCLUDING PCTTHRESHOLD RECORDS_PER_BLOCK INDEXING SET REFRESH COLUMN FILESYSTEM_LIKE_LOGGING VARRAY KEEP ANNOTATIONS`.split(
    /\s+/,
  );

function rest(cursor: Cursor, nothing?: string): Step {
  while (!cursor.done) cursor.next();
  return nothing === undefined ? { sql: [] } : { sql: [], nothing };
}

function withRest(cursor: Cursor, sql: string): Step {
  rest(cursor);
  return { sql: [sql] };
}

function alter(table: Table, action: string): string {
  return `ALTER TABLE ${table.sql} ${action}`;
}

function readAdd(cursor: Cursor, table: Table): Step {
  if (cursor.accept("SUPPLEMENTAL", "LOG")) return readSupplementalLog(cursor, table, true);
  if (cursor.at("PARTITION")) {
    const sql = writeAddPartition(readPartition(cursor, "PARTITION"), table, cursor);
    return sql === undefined ? { sql: [], nothing: FIXED_HASHES } : { sql: [sql] };
  }
  const bracketed = cursor.at("(");
  cursor.accept("COLUMN");
  const columns: ColumnDefinition[] = [];
  const constraints: Constraint[] = [];
  if (bracketed) {
    const elements = readElements(cursor);
    columns.push(...elements.columns);
    constraints.push(...elements.constraints);
    while (!cursor.done && !cursor.atAny("ADD", "MODIFY", "DROP", "RENAME", "ENABLE", "DISABLE")) cursor.skip();
  } else {
    do {
      if (atConstraint(cursor)) constraints.push(readConstraint(cursor));
      else columns.push(readColumn(cursor));
    } while (cursor.accept(",") && !cursor.atAny("ADD", "MODIFY", "DROP"));
  }
  const actions = columns.map((column) => `ADD COLUMN ${writeNewColumn(column, table)}`);
  const added = actions.length > 0 ? [alter(table, actions.join(", "))] : [];
  return { sql: [...added, ...constraints.flatMap((constraint) => writeAddConstraint(constraint, table))] };
}

function writeNewColumn(column: ColumnDefinition, table: Table): string {
  const { sql, type } = writeColumn(column, table.env);
  remember(table, column.name, type);
  return sql;
}

function remember(table: Table, column: string, type: Type): void {
  const key = table.name.slice(-2).join(".");
  const known = table.env.catalog.relations.get(key);
  if (known?.columns) table.env.catalog.relations.set(key, { ...known, columns: new Map([...known.columns, [column, type]]) });
}

/** A key on columns that have a unique index of the key's own name takes that index over, as Oracle does. */
function writeAddConstraint(constraint: Constraint, table: Table): string[] {
  const index = constraint.name === undefined ? undefined : table.env.catalog.indexes.get(constraint.name);
  const isKey = constraint.kind === "primary" || constraint.kind === "unique";
  if (isKey && !constraint.disabled && index && constraint.name !== undefined && index.table === table.name.slice(-2).join(".")) {
    const name = quoteName(constraint.name);
    const serves = index.unique && index.columns.join(",") === constraint.columns.join(",");
    if (serves)
      return [
        alter(
          table,
          `ADD CONSTRAINT ${name} ${constraint.kind === "primary" ? "PRIMARY KEY" : "UNIQUE"} USING INDEX ${name}${constraint.deferral}`,
        ),
      ];
    return [`DROP INDEX ${name}`, alter(table, `ADD ${writeConstraint(constraint, table.env, "alter") ?? ""}`)];
  }
  const written = writeConstraint(constraint, table.env, "alter");
  return written === undefined ? [] : [alter(table, `ADD ${written}`)];
}

/** What the redo log must hold of changed rows is the replica identity here. */
function readSupplementalLog(cursor: Cursor, table: Table, add: boolean): Step {
  const words = new Set<string>();
  while (!cursor.done) words.add(cursor.next().text);
  if (!add) return { sql: [alter(table, "REPLICA IDENTITY DEFAULT")] };
  const whole = words.has("ALL") || words.has("GROUP") || words.has("UNIQUE") || words.has("FOREIGN");
  return { sql: [alter(table, `REPLICA IDENTITY ${whole ? "FULL" : "DEFAULT"}`)] };
}

function readModify(cursor: Cursor, table: Table): Step {
  if (cursor.at("CONSTRAINT") || cursor.at("PRIMARY", "KEY") || (cursor.at("UNIQUE") && cursor.atAhead(1, "(")))
    return readModifyConstraint(cursor, table);
  if (cursor.atAny("PARTITION", "SUBPARTITION", "DEFAULT", "LOB", "NESTED", "VARRAY", "OPAQUE", "CLUSTERING"))
    return rest(cursor, "how rows are stored: PostgreSQL has nothing to be told");
  cursor.accept("COLUMN");
  const columns: ColumnDefinition[] = [];
  if (cursor.at("(")) columns.push(...cursor.listed(() => readColumn(cursor)));
  else columns.push(readColumn(cursor));
  while (!cursor.done && !cursor.atAny("ADD", "MODIFY", "DROP", "RENAME", ",")) cursor.skip();
  const sql = columns.flatMap((column) => writeModified(column, table));
  return sql.length > 0 ? { sql } : { sql: [], nothing: "a change of a column that PostgreSQL has no word for" };
}

function writeModified(column: ColumnDefinition, table: Table): string[] {
  const name = quoteName(column.name);
  const actions: string[] = [];
  if (column.type) {
    const { type } = writeColumn({ name: column.name, type: column.type, constraints: [], line: column.line }, table.env);
    remember(table, column.name, type);
    actions.push(`ALTER COLUMN ${name} TYPE ${type.sql} USING ${name}::${type.sql}`);
  }
  if (column.default) actions.push(`ALTER COLUMN ${name} SET DEFAULT ${writeDefault(column.default, table.env)}`);
  const keys: string[] = [];
  for (const constraint of column.constraints) {
    if (constraint.kind === "not null") actions.push(`ALTER COLUMN ${name} ${constraint.disabled ? "DROP" : "SET"} NOT NULL`);
    else if (constraint.kind === "null") actions.push(`ALTER COLUMN ${name} DROP NOT NULL`);
    else keys.push(...writeAddConstraint(constraint, table));
  }
  const identity = column.identity ? writeIdentity(column.name, column.identity, table) : [];
  return [...(actions.length > 0 ? [alter(table, actions.join(", "))] : []), ...identity, ...keys];
}

/** An identity starts over, as in Oracle. It may have been made for a type that PostgreSQL gives no identity, and needs NOT NULL first. */
function writeIdentity(column: string, identity: NonNullable<ColumnDefinition["identity"]>, table: Table): string[] {
  const name = quoteName(column);
  const known = table.env.catalog.columns(table.name)?.get(column)?.sql ?? "";
  const type = /^(smallint|integer|bigint)$/.test(known) ? [] : [`ALTER COLUMN ${name} TYPE bigint USING ${name}::bigint`];
  const generated = `GENERATED ${identity.always ? "ALWAYS" : "BY DEFAULT"} AS IDENTITY${identity.options}`;
  const sequence = `pg_get_serial_sequence(${quoteText(table.sql)}, ${quoteText(column)})`;
  return [
    alter(table, `ALTER COLUMN ${name} DROP IDENTITY IF EXISTS, ALTER COLUMN ${name} DROP DEFAULT`),
    alter(table, [...type, `ALTER COLUMN ${name} SET NOT NULL`].join(", ")),
    alter(table, `ALTER COLUMN ${name} ADD ${generated}`),
    ...(identity.fromLimit ? [`SELECT setval(${sequence}, coalesce(max(${name}), 0) + 1, false) FROM ${table.sql}`] : []),
  ];
}

function readModifyConstraint(cursor: Cursor, table: Table): Step {
  const line = cursor.line;
  const name = readConstraintName(cursor);
  const { disabled, novalidate, deferral } = readState(cursor);
  cursor.accept("CASCADE");
  if (disabled) return disable(name, table, line);
  if (deferral !== "" && name !== undefined) return { sql: [alter(table, `ALTER CONSTRAINT ${quoteName(name)}${deferral}`)] };
  return name === undefined || novalidate
    ? { sql: [], nothing: "the constraint is enforced anyway" }
    : { sql: [alter(table, `VALIDATE CONSTRAINT ${quoteName(name)}`)] };
}

function readConstraintName(cursor: Cursor): string | undefined {
  if (cursor.accept("CONSTRAINT")) return cursor.name();
  if (cursor.accept("PRIMARY", "KEY")) return undefined;
  cursor.expect("UNIQUE");
  cursor.bracketed();
  return undefined;
}

function disable(name: string | undefined, table: Table, line: number): Step {
  table.env.output.warn(
    "DISABLE became DROP: PostgreSQL has no disabled constraints, so what is to be enabled again must be added again",
    line,
  );
  return { sql: name === undefined ? [dropKey(table)] : [alter(table, `DROP CONSTRAINT IF EXISTS ${quoteName(name)}`)] };
}

/** ENABLE and DISABLE of constraints, triggers and storage properties. */
function readSwitch(cursor: Cursor, table: Table): Step {
  const enable = cursor.next().text === "ENABLE";
  const line = cursor.line;
  if (cursor.accept("ALL", "TRIGGERS")) return { sql: [alter(table, `${enable ? "ENABLE" : "DISABLE"} TRIGGER USER`)] };
  cursor.acceptAny("VALIDATE", "NOVALIDATE");
  if (!(cursor.at("CONSTRAINT") || cursor.at("PRIMARY", "KEY") || cursor.at("UNIQUE")))
    return rest(cursor, "a property of storage: PostgreSQL has nothing to be told");
  const isKey = !cursor.at("CONSTRAINT");
  const name = readConstraintName(cursor);
  rest(cursor);
  if (!enable) return disable(name, table, line);
  return isKey || name === undefined
    ? { sql: [], nothing: "a key that exists is enforced" }
    : { sql: [alter(table, `VALIDATE CONSTRAINT ${quoteName(name)}`)] };
}

function readDrop(cursor: Cursor, table: Table): Step {
  if (cursor.accept("SUPPLEMENTAL", "LOG")) return readSupplementalLog(cursor, table, false);
  if (cursor.atAny("PARTITION", "PARTITIONS", "SUBPARTITION", "SUBPARTITIONS"))
    return withRest(cursor, readPartitionAction(cursor, table, "DROP TABLE IF EXISTS"));
  if (cursor.accept("UNUSED", "COLUMNS")) return rest(cursor, "PostgreSQL frees dropped columns by itself");
  if (cursor.accept("CONSTRAINT")) {
    const name = quoteName(cursor.name());
    const cascade = cursor.accept("CASCADE") ? " CASCADE" : "";
    if (cursor.acceptAny("KEEP", "DROP")) cursor.accept("INDEX");
    cursor.accept("ONLINE");
    return { sql: [alter(table, `DROP CONSTRAINT IF EXISTS ${name}${cascade}`)] };
  }
  if (cursor.accept("PRIMARY", "KEY")) {
    const cascade = cursor.accept("CASCADE");
    if (cursor.acceptAny("KEEP", "DROP")) cursor.expect("INDEX");
    return { sql: [dropKey(table, cascade)] };
  }
  if (cursor.accept("UNIQUE")) {
    const columns = cursor.listed(() => cursor.name());
    cursor.accept("CASCADE");
    const name = quoteName(fitName(`${table.name.at(-1)}_${columns.join("_")}_key`));
    return { sql: [alter(table, `DROP CONSTRAINT IF EXISTS ${name}`)] };
  }
  cursor.accept("COLUMN");
  const columns = cursor.at("(") ? cursor.listed(() => cursor.name()) : [cursor.name()];
  const cascade = cursor.accept("CASCADE", "CONSTRAINTS") || cursor.accept("CASCADE") ? " CASCADE" : "";
  if (cursor.accept("INVALIDATE")) cursor.next();
  if (cursor.accept("CHECKPOINT")) cursor.next();
  return { sql: [alter(table, columns.map((column) => `DROP COLUMN IF EXISTS ${quoteName(column)}${cascade}`).join(", "))] };
}

/** The primary key by what it is, since its name is the database's own. What is to be gone and is not there is no error, as with DROP TABLE. */
function dropKey(table: Table, cascade = false): string {
  const lines = [
    "DECLARE",
    "  godwit_key name;",
    "BEGIN",
    `  SELECT conname INTO godwit_key FROM pg_constraint WHERE conrelid = ${quoteText(table.sql)}::regclass AND contype = 'p';`,
    "  IF godwit_key IS NULL THEN",
    `    RAISE NOTICE ${quoteText(`there is no primary key for table "${table.name.at(-1) ?? ""}", skipping`.replaceAll("%", "%%"))};`,
    "  ELSE",
    `    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I${cascade ? " CASCADE" : ""}', ${quoteText(table.sql)}::regclass, godwit_key);`,
    "  END IF;",
    "END",
  ];
  return `DO ${dollarQuote(lines.join("\n"))}`;
}

function readRename(cursor: Cursor, table: Table): Step {
  if (cursor.accept("TO")) return { sql: [alter(table, `RENAME TO ${quoteName(cursor.name())}`)] };
  const word = cursor.acceptAny("COLUMN", "CONSTRAINT", "PARTITION", "SUBPARTITION");
  if (word === undefined) cursor.fail("expected COLUMN or TO");
  const from = cursor.name();
  cursor.expect("TO");
  const to = cursor.name();
  if (word === "COLUMN" || word === "CONSTRAINT")
    return { sql: [alter(table, `RENAME ${word} ${quoteName(from)} TO ${quoteName(to)}`)] };
  return { sql: [`ALTER TABLE ${partitionName(table, from)} RENAME TO ${quoteName(fitName(`${table.name.at(-1)}_${to}`))}`] };
}
