import type { Client } from "pg";

/**
 * Everything a user made in a database, as sorted lines of the server's own words: two databases of one server are alike when
 * their lines are. Without `notNullNames` the names of not-null constraints do not count: sources before PostgreSQL 18 have none.
 * The server names the clones of a partitioned foreign key itself.
 * Whether a key says NO INHERIT is no property of it: ATTACH leaves the flag as it was made. Knows nothing of the code under test. Columns count by position, for a dropped one leaves a gap in attnum.
 */
export async function describeDatabase(
  client: Client,
  options: { readonly schemas?: readonly string[]; readonly notNullNames?: boolean } = {},
): Promise<string[]> {
  const { rows: settings } = await client.query<{ version: number }>(
    "SELECT current_setting('server_version_num')::int / 10000 AS version",
  );
  const version = settings[0]?.version ?? 0;
  const lines: string[] = [];
  for (const [what, sql] of Object.entries(queries(version))) {
    const { rows } = await client.query<Record<string, unknown>>(sql);
    for (const row of rows) {
      if (options.schemas && typeof row.schema === "string" && !options.schemas.includes(row.schema)) continue;
      if (options.notNullNames === false && row.contype === "n") row.conname = "";
      lines.push(`${what} ${JSON.stringify(row)}`);
    }
  }
  return lines.sort();
}

const user = (namespace: string): string =>
  `${namespace} IN (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'godwit', 'godwit_capture'))`;
const about = (oid: string, catalog: string, column = "0"): string =>
  `(SELECT description FROM pg_description WHERE objoid = ${oid} AND classoid = '${catalog}'::regclass AND objsubid = ${column}) AS comment`;
const columnNames = (relation: string, numbers: string): string =>
  `(SELECT array_agg(a.attname ORDER BY o) FROM unnest(${numbers}) WITH ORDINALITY u (n, o) JOIN pg_attribute a ON a.attrelid = ${relation} AND a.attnum = u.n)`;

function queries(version: number): Record<string, string> {
  const since = (from: number, text: string): string => (version >= from ? text : "NULL");
  return {
    schema: `SELECT nspname AS schema, ${about("n.oid", "pg_namespace")} FROM pg_namespace n WHERE ${user("n.oid")}`,
    relation: `SELECT c.oid::regclass, n.nspname AS schema, relkind, relpersistence, reloptions, relreplident, relispopulated,
        (SELECT t.reloptions FROM pg_class t WHERE t.oid = c.reltoastrelid) AS toast, pg_get_expr(relpartbound, c.oid) AS bound,
        CASE WHEN relkind = 'p' THEN pg_get_partkeydef(c.oid) END AS partkey, reloftype::regtype::text AS oftype,
        (SELECT array_agg(inhparent::regclass::text ORDER BY inhseqno) FROM pg_inherits WHERE inhrelid = c.oid) AS parents,
        CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END AS query, ${about("c.oid", "pg_class")}
      FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN ('r', 'p', 'v', 'm', 'c', 'f', 'S') AND ${user("relnamespace")}`,
    column: `SELECT attrelid::regclass, n.nspname AS schema, row_number() OVER (PARTITION BY attrelid ORDER BY attnum) AS position, attname,
        format_type(atttypid, atttypmod) AS type, attnotnull, pg_get_expr(adbin, adrelid) AS expression, attidentity, ${since(12, "attgenerated")} AS generated,
        attcollation::regcollation::text AS collation, attstorage, ${since(14, "attcompression")} AS compression, attstattarget, attoptions, attislocal, attinhcount,
        ${about("attrelid", "pg_class", "attnum")}
      FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace LEFT JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum
      WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p', 'v', 'm', 'c', 'i', 'I') AND ${user("relnamespace")}`,
    constraint: `SELECT conrelid::regclass, contypid::regtype, n.nspname AS schema, CASE WHEN contype = 'f' AND conparentid <> 0 THEN '' ELSE conname END AS conname, contype, pg_get_constraintdef(k.oid) AS definition, convalidated, condeferrable,
        condeferred, conislocal, coninhcount, contype IN ('c', 'n') AND connoinherit AS noinherit, conparentid <> 0 AS cloned, ${columnNames("conrelid", "conkey")} AS columns, ${about("k.oid", "pg_constraint")}
      FROM pg_constraint k JOIN pg_namespace n ON n.oid = connamespace WHERE ${user("connamespace")}`,
    index: `SELECT indexrelid::regclass, n.nspname AS schema, pg_get_indexdef(indexrelid) AS definition, indisvalid, indisclustered, indisreplident, indisprimary, c.reloptions,
        (SELECT inhparent::regclass FROM pg_inherits WHERE inhrelid = indexrelid) AS parent, ${about("indexrelid", "pg_class")}
      FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN pg_namespace n ON n.oid = relnamespace WHERE ${user("relnamespace")}`,
    routine: `SELECT p.oid::regprocedure, n.nspname AS schema, CASE WHEN prokind <> 'a' THEN pg_get_functiondef(p.oid) END AS definition, ${about("p.oid", "pg_proc")}
      FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE ${user("pronamespace")}`,
    aggregate: `SELECT aggfnoid::regprocedure, n.nspname AS schema, aggkind, aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggmtransfn, aggfinalextra, aggfinalmodify,
        aggsortop::regoperator, aggtranstype::regtype, aggtransspace, agginitval, proparallel
      FROM pg_aggregate JOIN pg_proc p ON p.oid = aggfnoid JOIN pg_namespace n ON n.oid = pronamespace WHERE ${user("pronamespace")}`,
    operator: `SELECT o.oid::regoperator, n.nspname AS schema, oprcode, oprcom::regoperator, oprnegate::regoperator, oprrest, oprjoin, oprcanhash, oprcanmerge, ${about("o.oid", "pg_operator")}
      FROM pg_operator o JOIN pg_namespace n ON n.oid = oprnamespace WHERE ${user("oprnamespace")}`,
    operatorClass: `SELECT opcname, n.nspname AS schema, amname, opcintype::regtype, opcdefault, opfname, opckeytype::regtype,
        ARRAY(SELECT amopstrategy || ' ' || amopopr::regoperator FROM pg_amop WHERE amopfamily = opcfamily ORDER BY 1) AS operators,
        ARRAY(SELECT amprocnum || ' ' || amproc::regprocedure FROM pg_amproc WHERE amprocfamily = opcfamily ORDER BY 1) AS functions
      FROM pg_opclass JOIN pg_namespace n ON n.oid = opcnamespace JOIN pg_am ON pg_am.oid = opcmethod JOIN pg_opfamily f ON f.oid = opcfamily WHERE ${user("opcnamespace")}`,
    cast: `SELECT castsource::regtype, casttarget::regtype, castfunc::regprocedure, castcontext, castmethod FROM pg_cast WHERE oid >= 16384`,
    collation: `SELECT c.oid::regcollation, n.nspname AS schema, collprovider, collisdeterministic, collcollate, collctype, ${since(17, "colllocale")} AS locale
      FROM pg_collation c JOIN pg_namespace n ON n.oid = collnamespace WHERE ${user("collnamespace")}`,
    type: `SELECT t.oid::regtype, n.nspname AS schema, typtype, typnotnull, typdefault, typcollation::regcollation, format_type(typbasetype, typtypmod) AS base,
        ARRAY(SELECT enumlabel::text FROM pg_enum WHERE enumtypid = t.oid ORDER BY enumsortorder) AS labels,
        rngsubtype::regtype, rngsubdiff, rngcollation::regcollation, rngmultitypid::regtype, opcname, ${about("t.oid", "pg_type")}
      FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace LEFT JOIN pg_range ON rngtypid = t.oid LEFT JOIN pg_opclass o ON o.oid = rngsubopc WHERE ${user("typnamespace")}`,
    sequence: `SELECT seqrelid::regclass, n.nspname AS schema, seqtypid::regtype, seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle,
        (SELECT deptype::text || ' ' || refobjid::regclass || ' ' || attname::text FROM pg_depend JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
          WHERE objid = seqrelid AND deptype IN ('a', 'i')) AS owner
      FROM pg_sequence JOIN pg_class c ON c.oid = seqrelid JOIN pg_namespace n ON n.oid = relnamespace WHERE ${user("relnamespace")}`,
    trigger: `SELECT tgrelid::regclass, n.nspname AS schema, tgname, pg_get_triggerdef(t.oid) AS definition, tgenabled, tgparentid <> 0 AS cloned, ${about("t.oid", "pg_trigger")}
      FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid JOIN pg_namespace n ON n.oid = relnamespace WHERE (NOT tgisinternal OR tgparentid <> 0 AND tgconstraint = 0) AND ${user("relnamespace")}`,
    rule: `SELECT ev_class::regclass, n.nspname AS schema, rulename, pg_get_ruledef(r.oid) AS definition, ev_enabled, ${about("r.oid", "pg_rewrite")}
      FROM pg_rewrite r JOIN pg_class c ON c.oid = ev_class JOIN pg_namespace n ON n.oid = relnamespace WHERE ${user("relnamespace")}`,
    statistics: `SELECT stxname, n.nspname AS schema, pg_get_statisticsobjdef(s.oid) AS definition, stxstattarget FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = stxnamespace WHERE ${user("stxnamespace")}`,
    extension: "SELECT extname, n.nspname AS schema FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace",
  };
}
