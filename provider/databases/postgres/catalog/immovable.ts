import type { NeutralCatalog } from "../../../engine/models/catalog.js";
import type { ObjectKey } from "./model.js";
import { type CatalogSession, inUserSchema, notFromExtension, rows, since } from "./query.js";

export interface Immovable {
  readonly unsupported: NeutralCatalog["unsupported"];
  readonly keys: ReadonlyMap<ObjectKey, string>;
}

interface ImmovableRow {
  key: string;
  kind: string;
  schema: string | null;
  name: string;
  reason: string;
}

/** What exists at the source and does not move, with the reason a user is given. */
export async function readImmovable(session: CatalogSession): Promise<Immovable> {
  const found = await rows<ImmovableRow>(session, SOURCES(session).join("\nUNION ALL\n"));
  return {
    unsupported: found.map(({ kind, schema, name, reason }) => ({ kind, schema: schema ?? undefined, name, reason })),
    keys: new Map(
      found
        .filter(({ key }) => key !== "")
        .map(({ key, kind, schema, name }) => [key, `${kind} ${schema ? `${schema}.` : ""}${name}`]),
    ),
  };
}

interface Source {
  readonly kind: string;
  readonly catalog: string;
  readonly name: string;
  readonly namespace?: string;
  readonly where?: string;
  readonly reason: string;
}

function select({ kind, catalog, name, namespace, where, reason }: Source): string {
  const conditions = [
    "o.oid >= 16384",
    notFromExtension(catalog, "o.oid"),
    ...(namespace ? [inUserSchema(namespace)] : []),
    ...(where ? [where] : []),
  ];
  const schema = namespace ? `(SELECT s.nspname::text FROM pg_catalog.pg_namespace s WHERE s.oid = ${namespace})` : "NULL";
  return `SELECT '${catalog}/' || o.oid AS key, '${kind}' AS kind, ${schema} AS schema, ${name}::text AS name, '${reason}' AS reason
FROM pg_catalog.${catalog} o WHERE ${conditions.join(" AND ")}`;
}

const table = (oid: string): string => `(SELECT r.relname FROM pg_catalog.pg_class r WHERE r.oid = ${oid})`;
const tableSchema = (oid: string): string => `(SELECT r.relnamespace FROM pg_catalog.pg_class r WHERE r.oid = ${oid})`;
const onDatabase = "pg_catalog.current_database()";

const LIBRARY = "its code is a library on the source''s disk; install it on the target and create it there";
const TEXT_SEARCH = "text search objects rely on dictionary files of the server; create it on the target";

const SOURCES = (session: CatalogSession): readonly string[] => [
  select({
    kind: "foreignTable",
    catalog: "pg_class",
    name: "o.relname",
    namespace: "o.relnamespace",
    where: "o.relkind = 'f'",
    reason: "its rows live on another server; create the foreign server and the table on the target",
  }),
  select({
    kind: "foreignServer",
    catalog: "pg_foreign_server",
    name: "o.srvname",
    reason: "its user mappings hold passwords; create it on the target",
  }),
  select({ kind: "foreignDataWrapper", catalog: "pg_foreign_data_wrapper", name: "o.fdwname", reason: LIBRARY }),
  select({
    kind: "policy",
    catalog: "pg_policy",
    name: `o.polname || ' on ' || ${table("o.polrelid")}`,
    namespace: tableSchema("o.polrelid"),
    reason: "row security policies name roles, which do not move; create it on the target",
  }),
  select({
    kind: "rowSecurity",
    catalog: "pg_class",
    name: "o.relname",
    namespace: "o.relnamespace",
    where: "o.relrowsecurity",
    reason: "row security is off on the target''s table; enable it after its policies are there",
  }).replace("'pg_class/' || o.oid", "''"),
  select({
    kind: "eventTrigger",
    catalog: "pg_event_trigger",
    name: "o.evtname",
    where: "o.evtname !~ '^godwit'",
    reason: "it acts on the whole database; create it on the target",
  }),
  select({
    kind: "publication",
    catalog: "pg_publication",
    name: "o.pubname",
    where: "o.pubname !~ '^godwit'",
    reason: "its subscribers follow the source; create it on the target when they move",
  }),
  `SELECT '' AS key, 'subscription' AS kind, NULL AS schema, s.subname::text AS name,
  'it holds a connection to another server; create it on the target' AS reason
FROM pg_catalog.pg_subscription s WHERE s.subdbid = (SELECT b.oid FROM pg_catalog.pg_database b WHERE b.datname = ${onDatabase})`,
  select({
    kind: "textSearchConfiguration",
    catalog: "pg_ts_config",
    name: "o.cfgname",
    namespace: "o.cfgnamespace",
    reason: TEXT_SEARCH,
  }),
  select({
    kind: "textSearchDictionary",
    catalog: "pg_ts_dict",
    name: "o.dictname",
    namespace: "o.dictnamespace",
    reason: TEXT_SEARCH,
  }),
  select({ kind: "textSearchParser", catalog: "pg_ts_parser", name: "o.prsname", namespace: "o.prsnamespace", reason: LIBRARY }),
  select({
    kind: "textSearchTemplate",
    catalog: "pg_ts_template",
    name: "o.tmplname",
    namespace: "o.tmplnamespace",
    reason: LIBRARY,
  }),
  select({ kind: "conversion", catalog: "pg_conversion", name: "o.conname", namespace: "o.connamespace", reason: LIBRARY }),
  select({ kind: "language", catalog: "pg_language", name: "o.lanname", reason: LIBRARY }),
  select({ kind: "accessMethod", catalog: "pg_am", name: "o.amname", reason: LIBRARY }),
  select({ kind: "transform", catalog: "pg_transform", name: "pg_catalog.format_type(o.trftype, NULL)", reason: LIBRARY }),
  select({
    kind: "type",
    catalog: "pg_type",
    name: "o.typname",
    namespace: "o.typnamespace",
    where: "o.typtype IN ('b', 'p') AND NOT (o.typcategory = 'A' AND o.typelem <> 0)",
    reason: LIBRARY,
  }),
  select({
    kind: "function",
    catalog: "pg_proc",
    name: "o.proname",
    namespace: "o.pronamespace",
    where: `o.prolang = (SELECT l.oid FROM pg_catalog.pg_language l WHERE l.lanname = 'c') AND ${since(session, 11, "o.prokind <> 'a'", "NOT o.proisagg")}`,
    reason: LIBRARY,
  }),
  ...(session.version < 12
    ? [
        select({
          kind: "tableOption",
          catalog: "pg_class",
          name: "o.relname",
          namespace: "o.relnamespace",
          where: "o.relhasoids AND o.relkind IN ('r', 'p')",
          reason: "WITH OIDS: the target''s version has no hidden oid column; its values stay behind",
        }).replace("'pg_class/' || o.oid", "''"),
      ]
    : []),
  `SELECT '' AS key, 'largeObjects' AS kind, NULL AS schema, m.count || ' large objects' AS name,
  'large objects belong to no table and are not streamed; copy them with lo_export and lo_import' AS reason
FROM (SELECT pg_catalog.count(*) FROM pg_catalog.pg_largeobject_metadata) m WHERE m.count > 0`,
  `SELECT '' AS key, 'privileges' AS kind, NULL AS schema, m.count || ' objects with grants' AS name,
  'roles do not move, so owners and grants are not set on the target; grant them there' AS reason
FROM (SELECT pg_catalog.count(*) FROM pg_catalog.pg_class c WHERE c.relacl IS NOT NULL AND ${inUserSchema("c.relnamespace")}) m WHERE m.count > 0`,
];
