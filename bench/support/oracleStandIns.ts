import { type Client, DatabaseError } from "pg";

/**
 * Makes up for what an object refers to and the server has not: an empty table, a column, a type, a schema. False when the error
 * is none of something missing. A column's type is `columnType`; where an operator or function refuses it, `retypes` tries another one.
 */
export async function standIn(
  error: DatabaseError,
  columnType: string,
  retypes: boolean,
  sql: string,
  client: Client,
): Promise<boolean> {
  const keys = retypes ? matchingKey(error, sql) : [];
  for (const candidate of keys) if (await succeeds(client, candidate)) return true;
  const candidates = (await isOwnFunction(error.message, client)) ? [] : standInsFor(error.message, columnType, sql);
  for (const candidate of candidates) if (await succeeds(client, candidate)) return true;
  return retypes &&
    /operator does not exist|cannot be matched|^function .+ does not exist|argument of .+ must be type|could not (choose|identify)|is not unique|could not determine/.test(
      error.message,
    )
    ? retype(error, sql, client)
    : false;
}

/** The stand-in that a foreign key refers to has one text for its key: as many columns as the key, and of their types. */
function matchingKey(error: DatabaseError, sql: string): string[] {
  const types =
    /^Key columns "(.+)" of the referencing table and "(.+)" of the referenced table are of incompatible types: (.+) and (.+)\.$/.exec(
      error.detail ?? "",
    );
  const referenced = [...sql.matchAll(/REFERENCES ((?:"[^"]+"|[\w$]+)(?:\.(?:"[^"]+"|[\w$]+))?)/g)].map(
    (match) => match[1] ?? "",
  );
  if (types)
    return referenced.map((table) => `ALTER TABLE ${table} ALTER COLUMN ${quote(types[2] ?? "")} TYPE ${types[3]} USING NULL`);
  if (!error.message.startsWith("number of referencing and referenced columns")) return [];
  const count = /FOREIGN KEY \(([^)]*)\)/.exec(sql)?.[1]?.split(",").length ?? 1;
  const columns = Array.from({ length: count }, (_, at) => `stand_in_key_${at}`);
  return referenced.map(
    (table) =>
      `ALTER TABLE ${table} DROP COLUMN stand_in_key, ${columns.map((column) => `ADD COLUMN ${column} text`).join(", ")}, ADD PRIMARY KEY (${columns.join(", ")})`,
  );
}

/** PostgreSQL's own function with arguments of other types: a stand-in would hide that the call is wrong. */
async function isOwnFunction(message: string, client: Client): Promise<boolean> {
  const name = /^function ([a-z_0-9]+)\(.*\) does not exist$/.exec(message)?.[1];
  if (name === undefined || name === "unnest") return false;
  const { rowCount } = await client.query(
    "SELECT FROM pg_proc WHERE proname = $1 AND pronamespace = 'pg_catalog'::regnamespace",
    [name],
  );
  return (rowCount ?? 0) > 0;
}

const TYPES = ["numeric", "timestamp", "text"] as const;

/** Gives another type to a column near the place of the error, if that takes the error away or further down. */
async function retype(error: DatabaseError, sql: string, client: Client): Promise<boolean> {
  const place = Number(error.position ?? error.internalPosition ?? 0);
  if (place === 0 || error.internalPosition !== undefined) return false;
  const from = Math.max(0, place - 120);
  const words = [...sql.slice(from, place + 160).matchAll(/"[^"]+"|[A-Za-z_][\w$#]*/g)]
    .map((match) => ({ name: match[0].replaceAll('"', ""), distance: Math.abs(from + match.index - place) }))
    .sort((a, b) => a.distance - b.distance);
  const { rows } = await client.query<{ table: string; name: string; type: string }>(
    `SELECT attrelid::regclass::text AS table, attname AS name, format_type(atttypid, -1) AS type FROM pg_attribute
     JOIN pg_class c ON c.oid = attrelid AND relkind IN ('r', 'p') JOIN pg_namespace s ON s.oid = relnamespace
     WHERE attnum > 0 AND NOT attisdropped AND nspname NOT IN ('pg_catalog', 'information_schema') AND attname = ANY ($1)`,
    [words.map(({ name }) => name)],
  );
  let trials = 0;
  for (const name of new Set(words.map((word) => word.name))) {
    for (const column of rows.filter((row) => row.name === name)) {
      for (const type of TYPES) {
        if (column.type.startsWith(type)) continue;
        if (++trials > 24) return false;
        await client.query("SAVEPOINT before_type");
        const change = `ALTER TABLE ${column.table} ALTER COLUMN ${quote(name)} TYPE ${type} USING NULL`;
        const next = (await succeeds(client, change)) ? await failure(client, sql) : error;
        if (
          next === undefined ||
          next.message.includes("does not exist") !== error.message.includes("does not exist") ||
          Number(next.position ?? 0) > place
        ) {
          return true;
        }
        await client.query("ROLLBACK TO before_type");
      }
    }
  }
  return false;
}

async function failure(client: Client, sql: string): Promise<DatabaseError | undefined> {
  await client.query("SAVEPOINT before_trial");
  try {
    await client.query(sql);
    return undefined;
  } catch (cause) {
    if (cause instanceof DatabaseError) return cause;
    throw cause;
  } finally {
    await client.query("ROLLBACK TO before_trial");
  }
}

async function succeeds(client: Client, sql: string): Promise<boolean> {
  await client.query("SAVEPOINT before_statement");
  try {
    await client.query(sql);
    return true;
  } catch {
    await client.query("ROLLBACK TO before_statement");
    return false;
  }
}

/** What may make up for an error about something missing, most likely first. */
function standInsFor(message: string, columnType: string, sql: string): string[] {
  const [, alias, field] = /^column "?([^".]+)"?\."?([^"]+?)"? does not exist$/.exec(message) ?? [];
  if (alias !== undefined && field !== undefined) {
    const named = tablesCalled(alias, sql).map((table) => `ALTER TABLE ${table} ADD COLUMN ${quote(field)} ${columnType}`);
    return [...named, addToEvery(field, columnType)];
  }
  const [, column, owner] = /^column "(.+)" of relation "(.+)" does not exist$/.exec(message) ?? [];
  // Of two schemas' tables of one name the message does not say which.
  if (column !== undefined && owner !== undefined)
    return relationsIn(sql, owner).map((table) => `ALTER TABLE ${table} ADD COLUMN ${quote(column)} ${columnType}`);
  const bare = /^column "([^"]+)" (?:named in key )?does not exist$/.exec(message)?.[1];
  const typed = bare === undefined ? undefined : /CREATE TABLE \S+ OF ([\w$.]+|"[^"]+")/.exec(sql)?.[1];
  if (bare !== undefined && typed !== undefined)
    return [
      `DROP TABLE IF EXISTS ${typed} CASCADE; CREATE TYPE ${typed} AS (${quote(bare)} ${columnType})`,
      `ALTER TYPE ${typed} ADD ATTRIBUTE ${quote(bare)} ${columnType}`,
    ];
  if (bare !== undefined) return [addToEvery(bare, columnType)];
  // What is no column of a table may be a function of its row.
  const aggregate = /^WITHIN GROUP is required for ordered-set aggregate (.+)$/.exec(message)?.[1];
  if (aggregate !== undefined) return [addToEvery(aggregate, columnType)];
  // Every table has the column now, so all but one lose it again: any table will do for the one.
  const several = /^column reference "(.+)" is ambiguous$/.exec(message)?.[1];
  if (several !== undefined) return [keepInOne(several)];
  const view = /^"(.+)" is a table$/.exec(message)?.[1];
  if (view !== undefined)
    return [
      `DO $do$ BEGIN EXECUTE format('DROP TABLE %s CASCADE', ${literal(relationIn(sql, view))}); EXECUTE ${literal(`CREATE VIEW ${relationIn(sql, view)} AS SELECT NULL::${columnType} AS stand_in`)}; END $do$`,
    ];
  const one = standInFor(message, columnType, sql);
  return one === undefined ? [] : [one];
}

/** Tables that stand behind FROM, JOIN or a comma under this alias or name. */
function tablesCalled(alias: string, sql: string): string[] {
  const name = alias.replace(/[$.#]/g, "\\$&");
  const aliased = new RegExp(
    `(?:FROM|JOIN|,|\\()\\s*((?:"[^"]+"|[\\w$]+)(?:\\.(?:"[^"]+"|[\\w$]+))?) AS "?${name}"?(?![\\w$])`,
    "g",
  );
  const found = [...sql.matchAll(aliased)].map((match) => match[1] ?? "");
  return [...new Set([...found, ...tablesOf(sql).filter((table) => table.split(".").at(-1)?.replaceAll('"', "") === alias)])];
}

function tablesOf(sql: string): string[] {
  const pattern =
    /(?:FROM|JOIN|INTO|UPDATE|,)\s*((?:"[^"]+"|[A-Za-z_][\w$]*)(?:\.(?:"[^"]+"|[A-Za-z_][\w$]*))?)(?= AS |[ ,;)\n])/g;
  return [...new Set([...sql.matchAll(pattern)].map((match) => match[1] ?? ""))].slice(0, 40);
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** What makes up for an error about something missing. */
function standInFor(message: string, columnType: string, sql: string): string | undefined {
  const [, schema] = /^schema "(.+)" does not exist$/.exec(message) ?? [];
  if (schema !== undefined) return `CREATE SCHEMA ${quote(schema)}`;
  const [, key] = /^column "(.+)" (?:named in key|referenced in foreign key constraint) does not exist$/.exec(message) ?? [];
  if (key !== undefined) return addToEvery(key, columnType);
  const [, relation] = /^relation "(.+)" does not exist$/.exec(message) ?? [];
  if (relation !== undefined)
    return /^CREATE (UNIQUE )?INDEX|REINDEX/.test(sql) && sql.includes(`INDEX ${relation};`)
      ? `CREATE TABLE godwit_t (c text); CREATE INDEX ${relation} ON godwit_t (c)`
      : `${schemaOf(relation)}CREATE TABLE ${quotePath(relation)} ()`;
  const [, type] = /^type "?(.+?)(?:\[\])?"? does not exist$/.exec(message) ?? [];
  // A table is a type, too, and may be asked for as one later.
  if (type !== undefined) return `${schemaOf(type)}CREATE TABLE ${quotePath(type)} (stand_in text)`;
  const [, notComposite] = /^(?:type )?"?(.+?)"? is not a composite type$/.exec(message) ?? [];
  if (notComposite !== undefined)
    return `DROP TABLE ${relationIn(sql, notComposite)} CASCADE; CREATE TYPE ${relationIn(sql, notComposite)} AS (stand_in text)`;
  const [, notSequence] = /^cannot open relation "(.+)"$/.exec(message) ?? [];
  if (notSequence !== undefined)
    return `DROP TABLE ${relationIn(sql, notSequence)}; CREATE SEQUENCE ${relationIn(sql, notSequence)}`;
  const [, scalar] = /^"(.+)" is not a scalar variable$/.exec(message) ?? [];
  const declared = scalar && new RegExp(`[\\s(]"?${scalar}"? (?:CONSTANT )?([\\w$."]+)[;\\s,)]`).exec(sql)?.[1];
  if (declared) return `DROP TABLE ${declared} CASCADE; CREATE DOMAIN ${declared} AS ${columnType}`;
  if (message.startsWith("function unnest(")) return listFunction(sql);
  const [, routine, args = ""] = /^function (\S+)\((.*)\) does not exist$/.exec(message) ?? [];
  if (routine !== undefined)
    return `${schemaOf(routine)}CREATE FUNCTION ${routine}(${args.replaceAll("unknown", "text").replaceAll(" => ", " ")}) RETURNS ${columnType} LANGUAGE sql AS 'SELECT NULL::${columnType}'`;
  const [, constraint, owner] = /^constraint "(.+)" of relation "(.+)" does not exist$/.exec(message) ?? [];
  if (constraint !== undefined && owner !== undefined)
    return `ALTER TABLE ${relationIn(sql, owner)} ADD CONSTRAINT ${quote(constraint)} CHECK (true)`;
  const [, trigger] = /^trigger "(.+?)" does not exist$/.exec(message) ?? [];
  if (trigger !== undefined)
    return `CREATE TABLE godwit_t (c text); CREATE TRIGGER ${quote(trigger)} BEFORE UPDATE ON godwit_t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()`;
  const [, unmatched] =
    /^there is no (?:primary key|unique constraint matching given keys) for referenced table "(.+)"$/.exec(message) ?? [];
  if (unmatched === undefined) return undefined;
  const keys = new RegExp(`REFERENCES [\\w."]*${unmatched}"? \\(([^)]+)\\)`).exec(sql)?.[1];
  return keys === undefined
    ? `ALTER TABLE ${relationIn(sql, unmatched)} ADD COLUMN stand_in_key ${columnType} PRIMARY KEY`
    : `ALTER TABLE ${relationIn(sql, unmatched)} ADD UNIQUE (${keys})`;
}

/** A function behind TABLE() gives rows, which the stand-in for a call did not: its rows take every column that the query names. */
function listFunction(sql: string): string | undefined {
  const calls = [...sql.matchAll(/unnest\(([a-z_][\w$]*\.)?([a-z_][\w$]*)\(/g)].map((match) => `${match[1] ?? ""}${match[2]}`);
  if (calls.length === 0) return undefined;
  return `CREATE TABLE IF NOT EXISTS public.godwit_rows (); DO $do$ DECLARE f record; n integer := 0; BEGIN
    FOR f IN SELECT oid::regproc::text AS name, oid::regprocedure::text AS signature, pg_get_function_arguments(oid) AS args FROM pg_proc
      WHERE oid::regproc::text IN (${[...new Set(calls)].map(literal).join(", ")}) AND prorettype <> 'public.godwit_rows[]'::regtype
    LOOP
      EXECUTE format('DROP FUNCTION %s', f.signature);
      EXECUTE format('CREATE FUNCTION %s(%s) RETURNS public.godwit_rows[] LANGUAGE sql AS $f$ SELECT NULL::public.godwit_rows[] $f$', f.name, f.args);
      n := n + 1;
    END LOOP;
    IF n = 0 THEN RAISE 'no function to change'; END IF; END $do$`;
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function quotePath(path: string): string {
  return path.split(".").map(quote).join(".");
}

function schemaOf(path: string): string {
  const [schema, ...rest] = path.split(".");
  return schema !== undefined && rest.length > 0 ? `CREATE SCHEMA IF NOT EXISTS ${quote(schema)}; ` : "";
}

/** Messages name a relation without its schema; the converted text has it. */
function relationIn(sql: string, table: string): string {
  return relationsIn(sql, table)[0] ?? quote(table);
}

function relationsIn(sql: string, table: string): string[] {
  const pattern = new RegExp(`(?<![\\w$"])(?:[\\w"$]+\\.)?"?${table.replace(/[$.#]/g, "\\$&")}"?(?![\\w$])`, "g");
  const found = [...sql.matchAll(pattern)].map(([name]) => name);
  return found.length > 0 ? [...new Set(found)] : [quote(table)];
}

/** A column that is missing from one of a query's tables: which one, the message does not say. */
function addToEvery(column: string, columnType: string): string {
  return `DO $$ DECLARE t record; n integer := 0; BEGIN
    FOR t IN SELECT c.oid::regclass AS name FROM pg_class c JOIN pg_namespace s ON s.oid = relnamespace
      WHERE relkind IN ('r', 'p') AND nspname NOT IN ('pg_catalog', 'information_schema')
        AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = '${column.replaceAll("'", "''")}')
    LOOP EXECUTE format('ALTER TABLE %s ADD COLUMN ${quote(column).replaceAll("'", "''").replaceAll("%", "%%")} ${columnType}', t.name); n := n + 1; END LOOP;
    IF n = 0 THEN RAISE EXCEPTION 'nothing to add to'; END IF;
  END $$`;
}

function keepInOne(column: string): string {
  return `DO $$ DECLARE t record; BEGIN
    FOR t IN SELECT attrelid::regclass AS name, row_number() OVER (ORDER BY attrelid) AS nth FROM pg_attribute
      JOIN pg_class c ON c.oid = attrelid AND relkind IN ('r', 'p') JOIN pg_namespace s ON s.oid = relnamespace
      WHERE attname = ${literal(column)} AND nspname NOT IN ('pg_catalog', 'information_schema')
    LOOP IF t.nth > 1 THEN EXECUTE format('ALTER TABLE %s DROP COLUMN ${quote(column).replaceAll("'", "''").replaceAll("%", "%%")}', t.name); END IF; END LOOP;
  END $$`;
}
