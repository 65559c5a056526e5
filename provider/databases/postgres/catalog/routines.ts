import type { PgAggregate, PgRoutine } from "./model.js";
import { type CatalogSession, inUserSchema, notFromExtension, notPartOfAnother, optional, rows, since } from "./query.js";

interface RoutineRow extends Omit<PgRoutine, "key" | "sqlBody"> {
  id: number;
  sql_body: string | null;
}

/** Functions and procedures, but those in C: what they call is a library on the source's disk (see immovable.ts). */
export async function readRoutines(session: CatalogSession): Promise<PgRoutine[]> {
  return (await rows<RoutineRow>(session, routinesSql(session))).map(({ id, sql_body, ...row }) => ({
    ...row,
    key: `pg_proc/${id}`,
    sqlBody: optional(sql_body),
  }));
}

interface AggregateRow {
  id: number;
  schema: string;
  name: string;
  signature: string;
  kind: "n" | "o" | "h";
  clauses: Record<string, string | boolean | null>;
}

export async function readAggregates(session: CatalogSession): Promise<PgAggregate[]> {
  return (await rows<AggregateRow>(session, aggregatesSql(session))).map(({ id, clauses, kind, ...row }) => ({
    ...row,
    key: `pg_proc/${id}`,
    signature: row.signature === "" ? "*" : row.signature,
    clauses: [
      ...Object.entries(clauses)
        .filter(([, value]) => value !== null && value !== false)
        .map(([name, value]) => (value === true ? name : `${name} = ${value}`)),
      ...(kind === "h" ? ["HYPOTHETICAL"] : []),
    ],
  }));
}

function routinesSql(session: CatalogSession): string {
  return `
SELECT p.oid AS id, n.nspname AS schema, p.proname AS name, l.lanname AS language,
       ${since(session, 11, "CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END", "'function'")} AS kind,
       pg_catalog.pg_get_function_identity_arguments(p.oid) AS signature,
       pg_catalog.pg_get_functiondef(p.oid) AS definition,
       ${since(session, 14, "pg_catalog.pg_get_function_sqlbody(p.oid)", "NULL")} AS sql_body
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE ${since(session, 11, "p.prokind <> 'a'", "NOT p.proisagg")} AND l.lanname <> 'c'
  AND ${inUserSchema("p.pronamespace")} AND ${notPartOfAnother("pg_proc", "p.oid")}
ORDER BY p.oid`;
}

/** regproc and regtype print qualified names, for nothing but pg_catalog is on the search path. */
function aggregatesSql(session: CatalogSession): string {
  const routine = (column: string): string => `CASE WHEN a.${column} <> 0 THEN a.${column}::text END`;
  const modify = (column: string): string =>
    since(session, 11, `CASE a.${column} WHEN 'r' THEN 'READ_ONLY' WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END`, "NULL");
  return `
SELECT p.oid AS id, n.nspname AS schema, p.proname AS name, a.aggkind AS kind,
       pg_catalog.pg_get_function_identity_arguments(p.oid) AS signature,
       pg_catalog.json_build_object(
         'SFUNC', a.aggtransfn::text,
         'STYPE', pg_catalog.format_type(a.aggtranstype, NULL),
         'SSPACE', CASE WHEN a.aggtransspace > 0 THEN a.aggtransspace::text END,
         'FINALFUNC', ${routine("aggfinalfn")},
         'FINALFUNC_EXTRA', a.aggfinalextra,
         'FINALFUNC_MODIFY', CASE WHEN a.aggfinalfn <> 0 THEN ${modify("aggfinalmodify")} END,
         'COMBINEFUNC', ${routine("aggcombinefn")},
         'SERIALFUNC', ${routine("aggserialfn")},
         'DESERIALFUNC', ${routine("aggdeserialfn")},
         'INITCOND', pg_catalog.quote_literal(a.agginitval),
         'MSFUNC', ${routine("aggmtransfn")},
         'MINVFUNC', ${routine("aggminvtransfn")},
         'MSTYPE', CASE WHEN a.aggmtranstype <> 0 THEN pg_catalog.format_type(a.aggmtranstype, NULL) END,
         'MSSPACE', CASE WHEN a.aggmtransspace > 0 THEN a.aggmtransspace::text END,
         'MFINALFUNC', ${routine("aggmfinalfn")},
         'MFINALFUNC_EXTRA', a.aggmfinalextra,
         'MFINALFUNC_MODIFY', CASE WHEN a.aggmfinalfn <> 0 THEN ${modify("aggmfinalmodify")} END,
         'MINITCOND', pg_catalog.quote_literal(a.aggminitval),
         'SORTOP', (SELECT 'OPERATOR(' || pg_catalog.quote_ident(m.nspname) || '.' || o.oprname || ')'
                      FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace m ON m.oid = o.oprnamespace WHERE o.oid = a.aggsortop),
         'PARALLEL', CASE p.proparallel WHEN 's' THEN 'SAFE' WHEN 'r' THEN 'RESTRICTED' END
       ) AS clauses
FROM pg_catalog.pg_aggregate a
JOIN pg_catalog.pg_proc p ON p.oid = a.aggfnoid
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE ${inUserSchema("p.pronamespace")} AND ${notFromExtension("pg_proc", "p.oid")}
ORDER BY p.oid`;
}
