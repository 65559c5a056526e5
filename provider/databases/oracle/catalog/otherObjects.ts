import { type Dictionary, grouped } from "./dictionary.js";
import type { OracleComment, OracleSequence, OracleSource, OracleSynonym, OracleView } from "./model.js";

/** Sequences of identity columns are part of their column; theirs are called ISEQ$$_. */
const SEQUENCES = `
SELECT s.sequence_owner AS "schema", s.sequence_name AS "name", s.min_value AS "min", s.max_value AS "max",
       s.increment_by AS "increment", s.cycle_flag AS "cycle", s.cache_size AS "cache", s.last_number AS "last"
  FROM {view}_sequences s
 WHERE s.sequence_owner {users} AND s.sequence_name NOT LIKE 'ISEQ$$%'
 ORDER BY s.sequence_owner, s.sequence_name`;

export async function readSequences(dictionary: Dictionary): Promise<readonly OracleSequence[]> {
  return (await dictionary.read(SEQUENCES)).map((row) => ({
    schema: row.schema ?? "",
    name: row.name ?? "",
    min: row.min ?? "1",
    max: row.max ?? "",
    increment: row.increment ?? "1",
    cycle: row.cycle === "Y",
    cache: row.cache ?? "0",
    lastNumber: row.last ?? "1",
  }));
}

const VIEWS = `
SELECT v.owner AS "schema", v.view_name AS "name", v.text AS "query", v.read_only AS "read_only"
  FROM {view}_views v
 WHERE v.owner {users} AND v.view_type IS NULL
 ORDER BY v.owner, v.view_name`;

const MATERIALIZED = `
SELECT m.owner AS "schema", m.mview_name AS "name", m.query AS "query"
  FROM {view}_mviews m
 WHERE m.owner {users}
 ORDER BY m.owner, m.mview_name`;

/** `columnsOf` gives the names of a relation's columns, which {view}_tab_cols has for views as well. */
export async function readViews(
  dictionary: Dictionary,
  columnsOf: (schema: string, name: string) => readonly string[],
): Promise<readonly OracleView[]> {
  const plain = (await dictionary.read(VIEWS)).map((row) => ({ row, materialized: false }));
  const kept = (await dictionary.read(MATERIALIZED)).map((row) => ({ row, materialized: true }));
  return [...plain, ...kept].map(({ row, materialized }) => ({
    schema: row.schema ?? "",
    name: row.name ?? "",
    materialized,
    columns: columnsOf(row.schema ?? "", row.name ?? ""),
    query: row.query ?? "",
    readOnly: row.read_only === "Y",
  }));
}

/** Public synonyms are Oracle's own by the thousand; those for users' objects move into the schema of what they name. */
const SYNONYMS = `
SELECT s.owner AS "schema", s.synonym_name AS "name", s.table_owner AS "table_owner", s.table_name AS "table", s.db_link AS "link"
  FROM {view}_synonyms s
 WHERE s.owner {users}
 ORDER BY s.owner, s.synonym_name`;

export async function readSynonyms(dictionary: Dictionary): Promise<readonly OracleSynonym[]> {
  return (await dictionary.read(SYNONYMS)).map((row) => ({
    schema: row.schema ?? "",
    name: row.name ?? "",
    target: { schema: row.table_owner ?? "", name: row.table ?? "" },
    link: row.link ?? undefined,
  }));
}

const SOURCES = `
SELECT s.owner AS "schema", s.name AS "name", s.type AS "type", s.line AS "line", s.text AS "text"
  FROM {view}_source s
 WHERE s.owner {users} AND s.type IN ('TYPE', 'TYPE BODY', 'FUNCTION', 'PROCEDURE', 'PACKAGE', 'PACKAGE BODY', 'TRIGGER')
 ORDER BY s.owner, s.type, s.name, s.line`;

const TRIGGERS = `
SELECT t.owner AS "schema", t.trigger_name AS "name", t.table_owner AS "table_owner", t.table_name AS "table", t.status AS "status"
  FROM {view}_triggers t
 WHERE t.owner {users}`;

export async function readSources(dictionary: Dictionary): Promise<readonly OracleSource[]> {
  const triggers = new Map((await dictionary.read(TRIGGERS)).map((row) => [JSON.stringify([row.schema, row.name]), row]));
  const units = grouped(await dictionary.read(SOURCES), (row) => JSON.stringify([row.schema, row.type, row.name]));
  return [...units.values()].flatMap((lines): OracleSource[] => {
    const [first] = lines;
    if (!first) return [];
    const [schema, name] = [first.schema ?? "", first.name ?? ""];
    const trigger = first.type === "TRIGGER" ? triggers.get(JSON.stringify([schema, name])) : undefined;
    return [
      {
        schema,
        name,
        kind: (first.type ?? "").toLowerCase() as OracleSource["kind"],
        text: lines.map(({ text }) => text ?? "\n").join(""),
        on: trigger?.table ? { schema: trigger.table_owner ?? schema, name: trigger.table } : undefined,
        enabled: trigger?.status !== "DISABLED",
      },
    ];
  });
}

const COMMENTS = `
SELECT c.owner AS "schema", c.table_name AS "relation", NULL AS "column", c.comments AS "text"
  FROM {view}_tab_comments c WHERE c.owner {users} AND c.comments IS NOT NULL
 UNION ALL
SELECT c.owner, c.table_name, c.column_name, c.comments
  FROM {view}_col_comments c WHERE c.owner {users} AND c.comments IS NOT NULL`;

export async function readComments(dictionary: Dictionary): Promise<readonly OracleComment[]> {
  return (await dictionary.read(COMMENTS)).map((row) => ({
    schema: row.schema ?? "",
    relation: row.relation ?? "",
    column: row.column ?? undefined,
    text: row.text ?? "",
  }));
}

const DEPENDENCIES = `
SELECT d.owner AS "schema", d.name AS "name", d.referenced_owner AS "r_schema", d.referenced_name AS "r_name"
  FROM {view}_dependencies d
 WHERE d.owner {users} AND d.referenced_owner {users} AND NOT (d.owner = d.referenced_owner AND d.name = d.referenced_name)`;

/** What each object needs, both as SCHEMA.NAME. A package's body counts as the package. */
export async function readNeeds(dictionary: Dictionary): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = grouped(await dictionary.read(DEPENDENCIES), (row) => `${row.schema}.${row.name}`);
  return new Map([...rows].map(([key, needs]) => [key, [...new Set(needs.map((row) => `${row.r_schema}.${row.r_name}`))]]));
}
