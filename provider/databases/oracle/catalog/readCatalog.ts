import type { CatalogObject, NeutralCatalog, ObjectKind } from "../../../engine/models/catalog.js";
import type { OracleConnection } from "../driver.js";
import { readColumns } from "./columns.js";
import { readConstraints } from "./constraints.js";
import { openDictionary } from "./dictionary.js";
import { readIndexes } from "./indexes.js";
import type { OracleCatalog } from "./model.js";
import { naturalName } from "./naturalName.js";
import { readComments, readNeeds, readSequences, readSources, readSynonyms, readViews } from "./otherObjects.js";
import { readPartitioning } from "./partitions.js";
import { readTables } from "./tables.js";
import { readTypeShapes } from "./typeShapes.js";

/** What Oracle has and PostgreSQL has no like of, by OBJECT_TYPE. */
const IMMOVABLE: Readonly<Record<string, string>> = {
  "DATABASE LINK": "PostgreSQL reaches other databases through foreign data wrappers",
  DIRECTORY: "a folder of the database server",
  CLUSTER: "PostgreSQL has no table clusters; its tables move as tables of their own",
  JOB: "a scheduler's job: use pg_cron or a scheduler outside of the database",
  SCHEDULE: "a scheduler's schedule",
  PROGRAM: "a scheduler's program",
  "JAVA SOURCE": "Java inside the database",
  "JAVA CLASS": "Java inside the database",
  LIBRARY: "a library of the database server",
  OPERATOR: "an operator of an extensible index",
  INDEXTYPE: "an extensible index",
  CONTEXT: "an application context",
  DIMENSION: "a hierarchy for query rewrite",
  QUEUE: "a queue",
  "XML SCHEMA": "a registered XML schema",
};

const OBJECTS = `
SELECT o.owner AS "schema", o.object_name AS "name", o.object_type AS "type"
  FROM {view}_objects o
 WHERE o.owner {users} AND o.object_type IN (${Object.keys(IMMOVABLE)
   .map((type) => `'${type}'`)
   .join(", ")})
 ORDER BY o.owner, o.object_type, o.object_name`;

const SCHEMAS = `SELECT u.username AS "name" FROM all_users u WHERE u.username {users} ORDER BY u.username`;

/** Reads what the users' schemas of the session's database hold. Errors: GW1305. */
export async function readCatalog(connection: OracleConnection): Promise<OracleCatalog> {
  const dictionary = await openDictionary(connection);
  const columns = await readColumns(dictionary);
  const columnNames = new Map<string, string[]>();
  for (const { schema, table, column } of columns) {
    if (column.hidden) continue;
    const key = JSON.stringify([schema, table]);
    const names = columnNames.get(key);
    if (names) names.push(column.name);
    else columnNames.set(key, [column.name]);
  }
  const constraints = await readConstraints(dictionary);
  const indexes = await readIndexes(dictionary);
  const { tables, details, unsupported } = await readTables(
    dictionary,
    columns,
    constraints,
    indexes,
    await readPartitioning(dictionary),
  );
  const views = await readViews(dictionary, (schema, name) => columnNames.get(JSON.stringify([schema, name])) ?? []);
  const sequences = await readSequences(dictionary);
  const synonyms = await readSynonyms(dictionary);
  const sources = await readSources(dictionary);
  const catalog: Omit<OracleCatalog, keyof NeutralCatalog> = {
    details,
    constraints,
    indexes,
    sequences,
    views,
    synonyms,
    sources,
    comments: await readComments(dictionary),
    types: await readTypeShapes(dictionary),
    needs: await readNeeds(dictionary),
  };
  const tableNames = new Set(tables.map(({ schema, name }) => `${schema}.${name}`));
  const immovable = (await dictionary.read(OBJECTS)).map((row) => ({
    kind: (row.type ?? "").toLowerCase(),
    schema: row.schema ?? "",
    name: row.name ?? "",
    reason: IMMOVABLE[row.type ?? ""] ?? "",
  }));
  return {
    ...catalog,
    schemas: (await dictionary.read(SCHEMAS)).map(({ name }) => name ?? ""),
    tables,
    objects: [
      ...tables.map(({ schema, name }): CatalogObject => ({ kind: "table", schema, name })),
      ...sequences.map(({ schema, name }): CatalogObject => ({ kind: "sequence", schema, name })),
      ...views.map(
        ({ schema, name, materialized }): CatalogObject => ({
          kind: materialized ? "materializedView" : "view",
          schema,
          name,
        }),
      ),
      ...synonyms.map(({ schema, name }): CatalogObject => ({ kind: "synonym", schema, name })),
      ...sources
        .filter(({ kind }) => kind !== "type body" && kind !== "package body")
        .map(({ kind, schema, name, on }): CatalogObject => ({ kind: kind as ObjectKind, schema, name, ...(on ? { on } : {}) })),
      // What belongs to a table goes where it goes. One that is called like a table gets another name there.
      ...indexes
        .filter((index) => !tableNames.has(`${index.tableSchema}.${index.name}`))
        .map(
          ({ schema, name, tableSchema, table }): CatalogObject => ({
            kind: "index",
            schema,
            name,
            on: { schema: tableSchema, name: table },
          }),
        ),
    ],
    unsupported: [...unsupported, ...immovable],
    naturalName,
  };
}
