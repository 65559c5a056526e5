import { loadModule, parsePlPgSQLSync } from "@libpg-query/parser";
import { Client } from "pg";
import type { PostgresServer } from "../../../support/postgres.js";

export interface CheckedBodies {
  readonly routines: number;
  readonly expressions: number;
  /** "routine: expression: why the server refuses it". */
  readonly problems: readonly string[];
  /** Routines that the parser does not read without a database's types: they assign to a field of what it takes for a scalar. */
  readonly unread: readonly string[];
}

/**
 * Checks PL/pgSQL deeper than CREATE FUNCTION does, which looks at the syntax only: each expression and statement in a body is taken out
 * by PostgreSQL's own parser and put into an SQL function whose arguments are the body's variables. The server resolves those when
 * they are created: a missing column, function or operator, or one for other types, is an error. Left alone is what reads a
 * variable of the type record, which has no fields before it runs, and what is put together at run time.
 */
export async function checkBodies(server: PostgresServer, database: string): Promise<CheckedBodies> {
  await loadModule();
  const client = new Client(server.clientConfig(database));
  client.on("error", () => undefined);
  await client.connect();
  try {
    return await check(client);
  } finally {
    await client.end();
  }
}

async function check(client: Client): Promise<CheckedBodies> {
  const { rows: composites } = await client.query<{ name: string }>(
    "SELECT format_type(oid, NULL) AS name FROM pg_type WHERE typtype = 'c' AND typnamespace::regnamespace::text !~ '^(pg_|information_schema)'",
  );
  const { rows: routines } = await client.query<Found>(ROUTINES);
  const problems: string[] = [];
  const unread: string[] = [];
  let expressions = 0;
  for (const routine of routines) {
    const variables = new Map<string, string>([
      ["found", "boolean"],
      ["sqlerrm", "text"],
      ["sqlstate", "text"],
      ...routine.arguments.map(([name, type]): [string, string] => [name, type]),
      ...(routine.result === "trigger" ? TRIGGER_VARIABLES : []),
      ...declared(routine.source),
    ]);
    const types = new Set(composites.map(({ name }) => name));
    const tree = parsed(withRecords(routine.definition, types));
    if (tree === undefined) unread.push(routine.name);
    for (const sql of new Set(queries(tree))) {
      const used = [...variables].filter(([name]) =>
        new RegExp(`(?<![\\w."])"?${name.replaceAll("$", "\\$")}"?(?![\\w"])`, "i").test(sql),
      );
      if (used.some(([, type]) => type === "record" || type === "refcursor")) continue;
      expressions++;
      const list = used.map(([name, type]) => `"${name}" ${type.replace(/%ROWTYPE$/, "")}`).join(", ");
      const problem = await refusal(
        `CREATE FUNCTION pg_temp.checked(${list}) RETURNS void LANGUAGE sql AS $checked$ ${sql} $checked$`,
        client,
      );
      if (problem !== undefined) problems.push(`${routine.name}: ${sql}: ${problem}`);
    }
  }
  return { routines: routines.length, expressions, problems, unread };
}

interface Found {
  readonly name: string;
  readonly definition: string;
  readonly source: string;
  readonly result: string;
  readonly arguments: readonly (readonly [string, string])[];
}

const ROUTINES = `
  SELECT p.oid::regprocedure::text AS name, pg_get_functiondef(p.oid) AS definition, p.prosrc AS source,
    format_type(p.prorettype, NULL) AS result,
    coalesce((SELECT json_agg(json_build_array(n, format_type(t, NULL)) ORDER BY k)
      FROM unnest(p.proargnames, coalesce(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY AS a(n, t, k)
      WHERE n <> ''), '[]') AS arguments
  FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang AND l.lanname = 'plpgsql'
  WHERE p.pronamespace::regnamespace::text !~ '^(pg_|information_schema)'`;

const TRIGGER_VARIABLES: readonly [string, string][] = [
  ["new", "record"],
  ["old", "record"],
  ["tg_op", "text"],
  ["tg_table_name", "text"],
];

/** Variables of the body's DECLARE sections, which stand one to a line. */
function declared(source: string): [string, string][] {
  const lines = source.matchAll(
    /^\s+("[^"]+"|[a-z_][\w$]*) (?:CONSTANT )?((?:"[^"]+"|[a-z_])[\w$." ]*(?:\([\d, -]+\))?(?:\[\])?(?:%(?:ROW)?TYPE)?)(?: :=.*)?;$/gm,
  );
  const variables = [...lines].map(([, name = "", type = ""]): [string, string] => [name.replaceAll('"', ""), type.trim()]);
  const loops = [...source.matchAll(/FOR ("[^"]+"|\w+) IN (?:REVERSE )?[^\n]*? \.\. /g)].map(
    ([, name = ""]): [string, string] => [name.replaceAll('"', ""), "integer"],
  );
  const parameters = [...source.matchAll(/^\s+\S+ CURSOR \(([^)]*)\) FOR /gm)].flatMap(([, list = ""]) =>
    list.split(", ").map((each): [string, string] => [each.split(" ")[0] ?? "", each.split(" ").slice(1).join(" ")]),
  );
  return [...parameters, ...variables.filter(([, type]) => !/^(RETURN|CURSOR|NULL|EXIT|RAISE)/.test(type)), ...loops];
}

/**
 * PostgreSQL's parser alone knows no types of a database, and no parameter with fields: what has fields must be a variable of the type
 * record for it, in a block around the body.
 */
function withRecords(definition: string, composites: ReadonlySet<string>): string {
  const [, head = "", quote = "", body = ""] = /^(.*?\nAS )(\$\w*\$)(.*)\2\s*$/s.exec(definition) ?? [];
  const names: string[] = [];
  const plainHead = head.replace(/([\w$"]+) ([\w$."]+)(?=[,)]| DEFAULT)/g, (whole, name: string, type: string) =>
    composites.has(type) ? `unused_${names.push(name)} text` : whole,
  );
  const plainBody = body.replace(/(?<=^\s+[\w$"]+ (?:CONSTANT )?)([\w$."]+(?:%ROWTYPE)?)(?=;| :=)/gm, (type: string) =>
    type.endsWith("%ROWTYPE") || composites.has(type) ? "record" : type,
  );
  if (names.length === 0) return plainHead + quote + plainBody + quote;
  const variables = names.map((name) => `${name} record;`).join(" ");
  return `${plainHead}${quote} DECLARE ${variables} BEGIN ${plainBody.replace(/#variable_conflict \w+/, "")}; END ${quote}`;
}

/** The SQL in a parsed body: expressions as SELECT, statements as they are; of an assignment what is assigned. */
function queries(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(queries);
  if (typeof node !== "object" || node === null) return [];
  const { PLpgSQL_expr: expression, PLpgSQL_stmt_dynexecute: dynamic } = node as {
    PLpgSQL_expr?: { query: string; parseMode?: number };
    PLpgSQL_stmt_dynexecute?: unknown;
  };
  if (dynamic !== undefined) return [];
  if (!expression) return Object.values(node).flatMap(queries);
  const mode = expression.parseMode ?? 0;
  if (mode === 0) return /^\s*CALL\b/i.test(expression.query) ? [] : [expression.query];
  if (mode === 2) return [`SELECT ${expression.query}`];
  const assigned = expression.query.replace(/^.*?:=/s, "");
  return [`SELECT ${assigned}`];
}

/** Undefined where the parser refuses the text, which it tells by an answer that is no JSON. */
function parsed(definition: string): unknown {
  try {
    return parsePlPgSQLSync(definition);
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

async function refusal(sql: string, client: Client): Promise<string | undefined> {
  try {
    await client.query(`BEGIN; ${sql}`);
    return undefined;
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause);
  } finally {
    await client.query("ROLLBACK");
  }
}
