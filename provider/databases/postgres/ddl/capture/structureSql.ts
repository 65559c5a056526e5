/**
 * The SQL that describes one object as jsonb, in the shape of `structure.ts`. It is part of the capture's functions at the source, and is
 * asked of the target as well. With nothing but pg_catalog on the search_path every name that the server deparses is qualified.
 * `version`: the server's major version. Each function gives a scalar query over the object whose oid is the expression `id`.
 */

/** Tables, partitioned tables, views and materialized views; NULL when there is no such relation. */
export function relationSql(version: number, id: string): string {
  const since = (from: number, expression: string, before: string): string => (version >= from ? expression : before);
  return `
SELECT pg_catalog.jsonb_build_object(
  'type', CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materializedView' ELSE 'table' END,
  'id', c.oid::pg_catalog.int8, 'schema', n.nspname, 'name', c.relname,
  'partitioned', c.relkind = 'p', 'unlogged', c.relpersistence = 'u', 'identity', c.relreplident, 'populated', c.relispopulated,
  'options', pg_catalog.to_jsonb(coalesce(c.reloptions, '{}'::pg_catalog.text[])),
  'partitionKey', CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END,
  'bound', CASE WHEN c.relispartition THEN pg_catalog.pg_get_expr(c.relpartbound, c.oid) END,
  'query', CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) END,
  'parents', coalesce((
     SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('schema', pn.nspname, 'name', pc.relname, 'id', pc.oid::pg_catalog.int8) ORDER BY i.inhseqno)
       FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class pc ON pc.oid = i.inhparent JOIN pg_catalog.pg_namespace pn ON pn.oid = pc.relnamespace
      WHERE i.inhrelid = c.oid), '[]'),
  'columns', coalesce((
     SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
              'number', a.attnum, 'name', a.attname, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
              'notNull', a.attnotnull, 'identity', a.attidentity, 'generated', ${since(12, "a.attgenerated", "''")},
              'default', pg_catalog.pg_get_expr(d.adbin, d.adrelid),
              'collation', CASE WHEN a.attcollation <> 0 AND a.attcollation <> t.typcollation THEN
                 (SELECT pg_catalog.quote_ident(kn.nspname) || '.' || pg_catalog.quote_ident(k.collname)
                    FROM pg_catalog.pg_collation k JOIN pg_catalog.pg_namespace kn ON kn.oid = k.collnamespace WHERE k.oid = a.attcollation) END,
              'missing', ${since(11, missing, "NULL")},
              'sequence', (SELECT pg_catalog.jsonb_build_object('schema', sn.nspname, 'name', sc.relname, 'options', ${sequenceOptions("sc.oid")})
                 FROM pg_catalog.pg_depend e JOIN pg_catalog.pg_class sc ON sc.oid = e.objid AND sc.relkind = 'S'
                 JOIN pg_catalog.pg_namespace sn ON sn.oid = sc.relnamespace
                WHERE e.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.refobjid = c.oid AND e.refobjsubid = a.attnum
                  AND e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.deptype = CASE WHEN a.attidentity = '' THEN 'a' ELSE 'i' END LIMIT 1),
              'portable', ${portable}) ORDER BY a.attnum)
       FROM pg_catalog.pg_attribute a
       JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
       LEFT JOIN pg_catalog.pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype
                                                      WHEN t.typcategory = 'A' AND t.typelem <> 0 THEN t.typelem ELSE t.oid END
       LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]'),
  'constraints', coalesce((
     SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
              'id', k.oid::pg_catalog.int8, 'name', k.conname, 'kind', k.contype, 'definition', pg_catalog.pg_get_constraintdef(k.oid),
              'validated', k.convalidated, 'deferrable', k.condeferrable, 'deferred', k.condeferred,
              'inherited', NOT k.conislocal OR ${since(11, "k.conparentid <> 0", "false")},
              'index', CASE WHEN k.contype IN ('p', 'u', 'x') THEN (SELECT xc.relname FROM pg_catalog.pg_class xc WHERE xc.oid = k.conindid) END,
              'columns', pg_catalog.to_jsonb(coalesce(k.conkey, '{}'::pg_catalog.int2[])),
              'referenced', CASE WHEN k.contype = 'f' THEN (SELECT pg_catalog.jsonb_build_object('schema', rn.nspname, 'name', rc.relname)
                 FROM pg_catalog.pg_class rc JOIN pg_catalog.pg_namespace rn ON rn.oid = rc.relnamespace WHERE rc.oid = k.confrelid) END) ORDER BY k.oid)
       FROM pg_catalog.pg_constraint k
      WHERE k.conrelid = c.oid AND k.contype IN ('c', 'f', 'p', 'u', 'x')), '[]'),
  'indexes', coalesce((
     SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
              'id', xc.oid::pg_catalog.int8, 'name', xc.relname, 'definition', pg_catalog.pg_get_indexdef(xc.oid), 'valid', x.indisvalid,
              'identity', x.indisreplident, 'constraint', k.oid IS NOT NULL, 'inherited', EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhrelid = xc.oid),
              'immediate', x.indimmediate, 'columns', (SELECT coalesce(pg_catalog.jsonb_agg(u.attnum ORDER BY u.place), '[]')
                 FROM pg_catalog.unnest(x.indkey::pg_catalog.int2[]) WITH ORDINALITY AS u (attnum, place)
                WHERE u.place <= ${since(11, "x.indnkeyatts", "x.indnatts")})) ORDER BY xc.oid)
       FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class xc ON xc.oid = x.indexrelid
       LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = xc.oid AND k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x')
      WHERE x.indrelid = c.oid), '[]'))
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.oid = ${id} AND c.relkind IN ('r', 'p', 'v', 'm') AND c.relpersistence <> 't'`;
}

/**
 * What rows older than an added column show for it: now() of the moment it was added, say, which no other server can work out again. A partitioned
 * table has no rows; its partitions' value is the one that all of them got.
 */
const missing = `(
    WITH RECURSIVE below (id) AS (
      SELECT c.oid UNION ALL SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN below ON below.id = i.inhparent WHERE c.relkind = 'p')
    SELECT (m.attmissingval::pg_catalog.text::pg_catalog.text[])[1]
      FROM below JOIN pg_catalog.pg_attribute m ON m.attrelid = below.id AND m.attname = a.attname AND m.atthasmissing LIMIT 1)`;

/** Whether a value's binary form means the same on every server; when in doubt, no (see catalog/binaryForm.ts for the reasons). */
const portable = `(t.typtype = 'e' OR (t.typtype IN ('b', 'd', 'r') AND b.oid < 16384 AND (b.typtype = 'b' OR b.typtype = 'r')
                 AND b.typsend <> 0 AND b.typname !~ '^reg'))`;

/** Options as CREATE SEQUENCE and GENERATED .. AS IDENTITY take them. */
function sequenceOptions(id: string): string {
  return `(SELECT 'AS ' || pg_catalog.format_type(q.seqtypid, NULL) || ' START WITH ' || q.seqstart || ' INCREMENT BY ' || q.seqincrement
                || ' MINVALUE ' || q.seqmin || ' MAXVALUE ' || q.seqmax || ' CACHE ' || q.seqcache || CASE WHEN q.seqcycle THEN ' CYCLE' ELSE ' NO CYCLE' END
           FROM pg_catalog.pg_sequence q WHERE q.seqrelid = ${id})`;
}

/** Sequences that no column made for itself (an identity's is part of its column). */
export function sequenceSql(id: string): string {
  return `
SELECT pg_catalog.jsonb_build_object(
  'type', 'sequence', 'id', c.oid::pg_catalog.int8, 'schema', n.nspname, 'name', c.relname, 'options', ${sequenceOptions("c.oid")},
  'owner', (SELECT pg_catalog.jsonb_build_object('schema', tn.nspname, 'name', tc.relname, 'column', a.attname)
     FROM pg_catalog.pg_depend e JOIN pg_catalog.pg_class tc ON tc.oid = e.refobjid JOIN pg_catalog.pg_namespace tn ON tn.oid = tc.relnamespace
     JOIN pg_catalog.pg_attribute a ON a.attrelid = tc.oid AND a.attnum = e.refobjsubid
    WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = c.oid
      AND e.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.deptype = 'a' LIMIT 1))
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.oid = ${id} AND c.relkind = 'S' AND c.relpersistence <> 't'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = c.oid AND e.deptype = 'i')`;
}

export function schemaSql(id: string): string {
  return `
SELECT pg_catalog.jsonb_build_object('type', 'schema', 'id', n.oid::pg_catalog.int8, 'schema', n.nspname, 'name', n.nspname)
  FROM pg_catalog.pg_namespace n WHERE n.oid = ${id}`;
}

/** Functions and procedures but those in C, whose code is a library on the source's disk, and aggregates. */
export function routineSql(version: number, id: string): string {
  const kind = version >= 11 ? "CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END" : "'function'";
  return `
SELECT pg_catalog.jsonb_build_object(
  'type', ${kind}, 'id', p.oid::pg_catalog.int8, 'schema', n.nspname, 'name', p.proname,
  'signature', pg_catalog.pg_get_function_identity_arguments(p.oid), 'result', pg_catalog.pg_get_function_result(p.oid),
  'definition', pg_catalog.pg_get_functiondef(p.oid), 'body', ${version >= 14 ? "pg_catalog.pg_get_function_sqlbody(p.oid)" : "NULL"})
  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace JOIN pg_catalog.pg_language l ON l.oid = p.prolang
 WHERE p.oid = ${id} AND l.lanname NOT IN ('c', 'internal') AND ${version >= 11 ? "p.prokind <> 'a'" : "NOT p.proisagg"}`;
}

/** Enums, domains and composite types made by themselves. */
export function typeSql(id: string): string {
  return `
SELECT pg_catalog.jsonb_build_object(
  'type', CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' ELSE 'composite' END,
  'id', t.oid::pg_catalog.int8, 'schema', n.nspname, 'name', t.typname,
  'labels', CASE WHEN t.typtype = 'e' THEN (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('id', e.oid::pg_catalog.int8, 'label', e.enumlabel) ORDER BY e.enumsortorder)
     FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid) END,
  'base', CASE WHEN t.typtype = 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END,
  'default', CASE WHEN t.typtype = 'd' THEN pg_catalog.pg_get_expr(t.typdefaultbin, 0) END, 'notNull', t.typnotnull,
  'constraints', coalesce((SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', k.conname, 'definition', pg_catalog.pg_get_constraintdef(k.oid)) ORDER BY k.conname)
     FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'), '[]'),
  'attributes', CASE WHEN t.typtype = 'c' THEN (
     SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('number', a.attnum, 'name', a.attname, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod)) ORDER BY a.attnum)
       FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) END)
  FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_catalog.pg_class r ON r.oid = t.typrelid
 WHERE t.oid = ${id} AND (t.typtype IN ('e', 'd') OR (t.typtype = 'c' AND r.relkind = 'c'))`;
}
