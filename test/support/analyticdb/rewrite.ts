import { type SqlToken, tokenize } from "../../../provider/databases/postgres/schema/sqlTokens.js";

/** A CREATE TABLE as it was sent. */
export interface CreatedTable {
  readonly name: string;
  readonly temporary: boolean;
  /** `beam`, `heap`, `ao_row`, `ao_column`, what WITH (appendonly) says, or `default`. */
  readonly storage: string;
  /** Column names; `randomly` or `replicated`. */
  readonly distributed: readonly string[] | "randomly" | "replicated";
  readonly sql: string;
}

export interface Rewritten {
  readonly sql: string;
  readonly created: readonly CreatedTable[];
  readonly refused: readonly string[];
}

const VERSIONS = {
  6: {
    version: "PostgreSQL 9.4.26 (Greenplum Database 6.3.10.1 build dev) on x86_64-pc-linux-gnu, compiled by gcc, 64-bit",
    number: "90426",
  },
  7: {
    version: "PostgreSQL 12.12 (Greenplum Database 7.0.6.6 build dev) on x86_64-pc-linux-gnu, compiled by gcc, 64-bit",
    number: "120012",
  },
} as const;

/** Words of a query that PostgreSQL 9.4 has no meaning for, where they stand as names. */
const SINCE_9_5 =
  /^(jsonb_agg|jsonb_build_object|jsonb_object_agg|to_jsonb|jsonb_set|attidentity|attgenerated|backend_type|pg_control_system|relispartition|relpartbound|prokind|pg_sequence|pg_sequences|pg_statistic_ext|regnamespace|regrole|overriding|session_replication_role|pg_read_all_settings|jit|idle_in_transaction_session_timeout|pg_publication|attach|pg_get_partkeydef|attmissingval|to_regtype|seqtypid|include|json_object_agg_strict)$/;

/** SQL for AnalyticDB as PostgreSQL takes it. `extended`: it is one statement with parameters, to which none can be added. */
export function rewrite(sql: string, version: 6 | 7, extended: boolean): Rewritten {
  const created: CreatedTable[] = [];
  const refused: string[] = [];
  const statements = split(tokenize(sql)).map((tokens) => {
    refused.push(...refusals(tokens, version).map((reason) => `${reason}: ${text(tokens).trim().slice(0, 300)}`));
    const spread = redistributed(tokens);
    if (spread) return spread;
    const table = createdTable(tokens, version);
    if (!table) return body(tokens, version, !extended);
    if (table.reason !== undefined) refused.push(`${table.reason}: ${text(tokens).trim().slice(0, 300)}`);
    created.push(table.created);
    if (extended) return table.sql;
    const { name, distributed } = table.created;
    const columns = typeof distributed === "string" ? [] : distributed;
    const list = columns.map((column) => `'${column.replaceAll("'", "''")}'`).join(", ");
    return `${table.sql}; SELECT gp_standin.distribute('${name.replaceAll("'", "''")}', ARRAY[${list}]::text[], ${distributed === "replicated"})`;
  });
  return { sql: statements.join(";"), created, refused };
}

function split(tokens: readonly SqlToken[]): SqlToken[][] {
  const statements: SqlToken[][] = [[]];
  for (const token of tokens) {
    if (token.text === ";") statements.push([]);
    else statements.at(-1)?.push(token);
  }
  return statements;
}

function text(tokens: readonly SqlToken[]): string {
  return tokens.map((token) => token.text).join("");
}

function words(tokens: readonly SqlToken[]): SqlToken[] {
  return tokens.filter(({ kind }) => kind !== "space");
}

function refusals(tokens: readonly SqlToken[], version: 6 | 7): string[] {
  const list = words(tokens);
  const inner = list.flatMap((token) => (token.kind === "dollar" ? words(tokenize(unquoted(token))) : [token]));
  const bare = inner.map(({ bare, value }) => (bare ? value : ""));
  const has = (...wanted: string[]): boolean => bare.some((_, at) => wanted.every((word, step) => bare[at + step] === word));
  const named = new Set(inner.filter(({ kind }) => kind === "identifier").map(({ value }) => value));
  const first = bare[0] ?? "";
  const writes = /^(insert|update|delete)$/;
  const found: string[] = [];
  if (first === "create" && bare.slice(0, 4).includes("trigger")) found.push("triggers are not supported");
  if (first === "with" && list.some(({ text: word }, at) => word === "(" && writes.test(bare[at + 1] ?? ""))) {
    if (writes.test(bare[list.findLastIndex(({ text: word }) => word === ")") + 1] ?? "") || has("insert", "into"))
      found.push("writable CTE queries cannot be themselves writable");
  }
  if (named.has("pg_locks") && named.has("task")) found.push("pg_locks beside a distributed table");
  if (writes.test(first) && named.has("fence")) found.push("function cannot execute on a QE slice");
  if (named.has("ctid") && !named.has("gp_segment_id")) found.push("a ctid without its segment");
  if (version === 7) return found;
  for (const word of named) if (SINCE_9_5.test(word)) found.push(`PostgreSQL 9.4 has no ${word}`);
  if (has("on", "conflict")) found.push("PostgreSQL 9.4 has no ON CONFLICT");
  if (has("add", "column", "if") || has("create", "index", "if")) found.push("PostgreSQL 9.4 has no such IF NOT EXISTS");
  if (has("generated", "always") || has("generated", "by")) found.push("PostgreSQL 9.4 has no GENERATED");
  if (first === "create" && bare.slice(0, 4).includes("procedure")) found.push("PostgreSQL 9.4 has no procedures");
  const regclass = inner.findIndex(({ value }) => value === "to_regclass");
  const literalOnly = inner[regclass + 2]?.kind === "string" && inner[regclass + 3]?.text === ")";
  if (regclass >= 0 && !literalOnly) found.push("PostgreSQL 9.4's to_regclass takes no text");
  return found;
}

/** ALTER TABLE ... SET DISTRIBUTED, and ALTER COLUMN ... TYPE, which asks the distribution first; undefined for other statements. */
function redistributed(tokens: readonly SqlToken[]): string | undefined {
  const list = words(tokens);
  if (list[0]?.value !== "alter" || list[1]?.value !== "table") return undefined;
  const start = list[2]?.bare && list[2].value === "only" ? 3 : 2;
  const end = list[start + 1]?.text === "." ? start + 3 : start + 1;
  const name = text(list.slice(start, end)).replaceAll("'", "''");
  const [first, second, third] = list.slice(end);
  if (first?.bare && first.value === "set" && second?.value === "distributed") {
    const by = third?.value === "by" ? list.slice(end + 4, -1).filter(({ kind }) => kind === "identifier") : [];
    const names = by.map(({ value }) => `'${value.replaceAll("'", "''")}'`).join(", ");
    return `SELECT gp_standin.redistribute('${name}', ARRAY[${names}]::text[])`;
  }
  const type = list.findIndex(({ bare, value }, at) => at > end && bare && value === "type");
  if (first?.value !== "alter" || type < 0) return undefined;
  const column = list[type - 1]?.value.replaceAll("'", "''");
  const wanted = text(tokens.slice(tokens.indexOf(list[type] as SqlToken) + 1)).replace(/ USING .*$/s, "");
  return `SELECT gp_standin.retype('${name}', '${column}', '${wanted.trim().replaceAll("'", "''")}'); ${text(tokens)}`;
}

/** CREATE TABLE without the clauses PostgreSQL lacks; undefined for other statements. */
function createdTable(
  tokens: readonly SqlToken[],
  version: 6 | 7,
): { readonly created: CreatedTable; readonly sql: string; readonly reason: string | undefined } | undefined {
  const list = words(tokens);
  const at = list.findIndex(({ bare, value }) => bare && value === "table");
  const head = list.slice(0, at).map(({ value }) => value);
  if (head[0] !== "create" || at < 0 || at > 2) return undefined;
  let start = at + 1;
  if (list[start]?.value === "if") start += 3;
  const end = list[start + 1]?.text === "." ? start + 3 : start + 1;
  const name = text(list.slice(start, end));
  const removed = new Set<SqlToken>();
  const depths = depthsOf(list);
  const top = (word: string, from = end): number =>
    list.findIndex((token, index) => index >= from && depths[index] === 0 && token.bare && token.value === word);
  const query = top("as") < 0 ? list.length : top("as");
  const using = top("using");
  const withAt = top("with");
  let storage = "default";
  let reason: string | undefined;
  if (using >= 0 && using < query) {
    storage = list[using + 1]?.value ?? "";
    if (version === 6) {
      reason = "PostgreSQL 9.4 has no access methods of tables";
      for (const token of list.slice(using, using + 2)) removed.add(token);
    }
  }
  if (withAt >= 0 && withAt < query) {
    const close = list.findIndex((token, index) => index > withAt && token.text === ")" && depths[index] === 0);
    const options = parameters(list.slice(withAt + 2, close));
    const own = options.filter(([option]) =>
      /^(appendonly|appendoptimized|orientation|compresstype|compresslevel)$/.test(option),
    );
    if (own.length > 0) {
      storage = own.map(([option, value]) => `${option}=${value}`).join(", ");
      const rest = options.filter((option) => !own.includes(option));
      for (const token of list.slice(withAt, close + 1)) removed.add(token);
      const [first] = list.slice(withAt, withAt + 1);
      if (rest.length > 0 && first) {
        removed.delete(first);
        replaced.set(first, `WITH (${rest.map(([option, value]) => `${option} = ${value}`).join(", ")})`);
      }
    }
  }
  const by = top("distributed");
  let distributed: CreatedTable["distributed"] = "randomly";
  if (by < 0) reason = "CREATE TABLE without DISTRIBUTED takes what the server's settings say";
  else {
    const kind = list[by + 1]?.value;
    if (kind === "by")
      distributed = list.slice(by + 3, -1).flatMap(({ kind: what, value }) => (what === "identifier" ? [value] : []));
    else if (kind === "replicated") distributed = "replicated";
    for (const token of list.slice(by)) removed.add(token);
  }
  const sql = tokens.map((token) => replaced.get(token) ?? (removed.has(token) ? "" : token.text)).join("");
  const temporary = head.some((word) => word === "temp" || word === "temporary");
  return { created: { name, temporary, storage, distributed, sql: text(tokens).trim() }, sql, reason };
}

const replaced = new WeakMap<SqlToken, string>();

function parameters(list: readonly SqlToken[]): [string, string][] {
  return text(list)
    .split(",")
    .map((pair) => pair.split("=", 2).map((part) => part.trim()) as [string, string]);
}

function depthsOf(list: readonly SqlToken[]): number[] {
  let depth = 0;
  return list.map(({ text: word }) => {
    if (word === ")") depth--;
    const here = depth;
    if (word === "(") depth++;
    return here;
  });
}

/** Locks for what UPDATE and DELETE lock, one segment for all, and the product's own answers. */
function body(tokens: readonly SqlToken[], version: 6 | 7, locks: boolean): string {
  let out = "";
  let before: SqlToken | undefined;
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as SqlToken;
    if (token.kind === "space") {
      out += token.text;
      continue;
    }
    const starts = before === undefined || before.text === ";" || (before.bare && /^(begin|then|loop|else)$/.test(before.value));
    if (locks && token.bare && starts && (token.value === "update" || token.value === "delete")) out += lock(tokens, at);
    if (token.kind === "dollar") {
      const inner = unquoted(token);
      const quote = token.text.slice(0, token.text.indexOf("$", 1) + 1);
      out += quote + body(tokenize(inner), version, true) + quote;
    } else if (token.bare && token.value === "gp_segment_id") {
      out = `${out.replace(/(?:"[^"]+"|\w+)\.$/, "")}(0)`;
    } else if (token.bare && token.value === "version" && next(tokens, at)?.text === "(") {
      out = `${out.replace(/pg_catalog\.$/, "")}'${VERSIONS[version].version}'::text`;
      at = tokens.findIndex((other, index) => index > at && other.text === ")");
    } else if (token.text === "'server_version_num'") {
      out = `${out.replace(/(?:pg_catalog\.)?current_setting\($/, "")}('${VERSIONS[version].number}'`;
    } else out += token.text;
    before = token;
  }
  return out;
}

function lock(tokens: readonly SqlToken[], at: number): string {
  const list = words(tokens.slice(at)).slice(1, 6);
  let index = list[0]?.value === "from" ? 1 : 0;
  const only = list[index]?.bare && list[index]?.value === "only" ? "ONLY " : "";
  if (only) index++;
  const name = list[index + 1]?.text === "." ? text(list.slice(index, index + 3)) : (list[index]?.text ?? "");
  if (/^"?(pg_temp|pg_catalog)"?\./.test(name) || !name.includes(".")) return "";
  return `LOCK TABLE ${only}${name} IN EXCLUSIVE MODE; `;
}

function next(tokens: readonly SqlToken[], at: number): SqlToken | undefined {
  return tokens.slice(at + 1).find(({ kind }) => kind !== "space");
}

function unquoted({ text: quoted }: SqlToken): string {
  const quote = quoted.slice(0, quoted.indexOf("$", 1) + 1);
  return quoted.slice(quote.length, -quote.length);
}
