/**
 * The query that describes a table of the target in the shape of `postgres/ddl/structure.ts`, in SQL that both PostgreSQL 9.4 and 12 have (json, not
 * jsonb; columns that came later through row_to_json), with what it is distributed by. What a segmented target never has, or what no step asks
 * of it, is empty: identities, sequences, parents.
 */
export function segmentedStructure(id: string): string {
  return `
SELECT pg_catalog.json_build_object(
  'type', CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materializedView' ELSE 'table' END,
  'id', c.oid::pg_catalog.int8, 'schema', n.nspname, 'name', c.relname, 'partitioned', c.relkind = 'p', 'unlogged', c.relpersistence = 'u',
  'identity', 'd', 'populated', true, 'options', '[]'::pg_catalog.json, 'partitionKey', NULL, 'bound', NULL, 'query', NULL, 'parents', '[]'::pg_catalog.json,
  'distributed', (SELECT CASE WHEN d.policytype = 'p' THEN coalesce((
       SELECT pg_catalog.json_agg(k.attname) FROM pg_catalog.pg_attribute k
        WHERE k.attrelid = c.oid AND k.attnum = ANY (d.distkey::pg_catalog.int2[])), '[]') END
     FROM pg_catalog.gp_distribution_policy d WHERE d.localoid = c.oid),
  'pointing', coalesce((
     SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
              'table', pg_catalog.json_build_object('schema', m.nspname, 'name', f.relname), 'name', k.conname,
              'definition', pg_catalog.pg_get_constraintdef(k.oid)) ORDER BY k.oid)
       FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class f ON f.oid = k.conrelid JOIN pg_catalog.pg_namespace m ON m.oid = f.relnamespace
      WHERE k.confrelid = c.oid AND k.contype = 'f'), '[]'),
  'columns', coalesce((
     SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
              'number', a.attnum, 'name', a.attname, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod), 'notNull', a.attnotnull, 'identity', '',
              'generated', coalesce(pg_catalog.row_to_json(a) ->> 'attgenerated', ''), 'default', pg_catalog.pg_get_expr(v.adbin, v.adrelid),
              'collation', NULL, 'missing', NULL, 'sequence', NULL, 'portable', false) ORDER BY a.attnum)
       FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_attrdef v ON v.adrelid = a.attrelid AND v.adnum = a.attnum
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]'),
  'constraints', coalesce((
     SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
              'id', k.oid::pg_catalog.int8, 'name', k.conname, 'kind', k.contype, 'definition', pg_catalog.pg_get_constraintdef(k.oid),
              'validated', k.convalidated, 'deferrable', k.condeferrable, 'deferred', k.condeferred, 'inherited', false, 'index', NULL,
              'columns', pg_catalog.to_json(coalesce(k.conkey, '{}'::pg_catalog.int2[])), 'referenced', NULL) ORDER BY k.oid)
       FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid AND k.contype IN ('c', 'f', 'p', 'u', 'x')), '[]'),
  'indexes', coalesce((
     SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
              'id', x.oid::pg_catalog.int8, 'name', x.relname, 'definition', pg_catalog.pg_get_indexdef(x.oid), 'valid', i.indisvalid, 'identity', false,
              'constraint', EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.conindid = x.oid AND k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x')),
              'unique', i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL, 'inherited', false, 'immediate', i.indimmediate,
              'columns', pg_catalog.to_json(i.indkey::pg_catalog.int2[])) ORDER BY x.oid)
       FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid), '[]'))
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.oid = ${id} AND c.relkind IN ('r', 'p', 'v', 'm') AND c.relpersistence <> 't'`;
}
