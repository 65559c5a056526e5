import type { Client } from "pg";
import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import { type DerivedColumn, type TableEtl, tableEtl } from "../../../engine/etl.js";
import type { CatalogTable } from "../../../engine/models/catalog.js";
import { displayName } from "../../../engine/selection.js";
import { readBinaryForms } from "../catalog/binaryForm.js";
import type { ObjectKey, PgColumn, PostgresCatalog } from "../catalog/model.js";

/** Above every number that a table can give a column (1600 at most). */
const FIRST_NUMBER = 10_001;

interface TypeFacts {
  /** As format_type writes it, with its modifiers. */
  readonly type: string;
  readonly typeId: number;
  /** What the target must have first; undefined for a built-in type. */
  readonly needs: ObjectKey | undefined;
}

/**
 * The catalog with the columns that `etl` adds to its tables, as if the source had them: whatever is made of the catalog, in whatever dialect, has
 * them too. Generic in what members of the family know beside it. Errors: GW1304 for a type that the source does not know.
 */
export async function withDerivedColumns<C extends PostgresCatalog>(
  client: Client,
  catalog: C,
  entries: readonly TableEtl[] | undefined,
): Promise<C> {
  const etlOf = tableEtl(catalog, entries);
  const added = new Map<number, readonly { readonly column: DerivedColumn; readonly facts: TypeFacts }[]>();
  const own = new Set<number>();
  for (const table of catalog.tables) {
    const etl = etlOf(table);
    const fresh = (etl?.derive ?? []).filter(
      ({ column, type }) => type !== undefined && !table.columns.some(({ name }) => name === column),
    );
    if (!etl || fresh.length === 0) continue;
    if (etl.schema === table.schema && etl.table === table.name) own.add(table.id);
    const columns = [];
    for (const column of fresh) columns.push({ column, facts: await readType(client, table, column) });
    added.set(table.id, columns);
  }
  if (added.size === 0) return catalog;
  const portable = await readBinaryForms({ client, version: catalog.version }, catalog.relations);
  const dependencies = new Map(catalog.dependencies);
  return {
    ...catalog,
    tables: catalog.tables.map((table) => ({
      ...table,
      columns: [
        ...table.columns,
        ...(added.get(table.id) ?? []).map(({ column, facts: { type, typeId } }, index) => ({
          name: column.column,
          number: FIRST_NUMBER + index,
          type,
          nullable: true,
          generated: false,
          identity: undefined,
          binaryPortable: portable(typeId),
          derived: { typeId },
        })),
      ],
    })),
    relations: catalog.relations.map((relation) => {
      const columns = added.get(relation.id);
      if (!columns) return relation;
      const needs = columns.flatMap(({ facts }) => facts.needs ?? []).map((on) => ({ on, column: 0 }));
      if (needs.length > 0) dependencies.set(relation.key, [...(dependencies.get(relation.key) ?? []), ...needs]);
      return {
        ...relation,
        columns: [
          ...relation.columns,
          ...columns.map(({ column, facts }, index) =>
            plainColumn(column.column, FIRST_NUMBER + index, facts, own.has(relation.id)),
          ),
        ],
      };
    }),
    dependencies,
  };
}

function plainColumn(name: string, number: number, { type, typeId }: TypeFacts, local: boolean): PgColumn {
  return {
    name,
    number,
    type,
    typeId,
    notNull: false,
    identity: "",
    generated: "",
    expression: undefined,
    expressionKey: undefined,
    collation: undefined,
    storage: undefined,
    compression: undefined,
    statistics: undefined,
    options: [],
    local,
  };
}

async function readType(client: Client, table: CatalogTable, { column, type = "" }: DerivedColumn): Promise<TypeFacts> {
  try {
    // One statement, whatever the type holds. The description of a result tells modifiers, and instead of a domain what is below it.
    const cast = `CAST(NULL AS ${type}\n)`;
    const { rows, fields } = await client.query<{ id: string }>({
      text: `SELECT pg_catalog.pg_typeof(v.x)::pg_catalog.oid::text AS id, v.x FROM (SELECT ${cast} AS x) AS v`,
      queryMode: "extended",
    } as { text: string });
    const id = rows[0]?.id ?? "0";
    const described = fields[1] as { dataTypeID: number; dataTypeModifier: number } | undefined;
    const modifier = String(described?.dataTypeID) === id ? (described?.dataTypeModifier ?? -1) : -1;
    const facts = await client.query<{ type: string; needs: ObjectKey | null }>(NAMED, [id, modifier]);
    return { type: facts.rows[0]?.type ?? type, typeId: Number(id), needs: facts.rows[0]?.needs ?? undefined };
  } catch (cause) {
    if (!("severity" in (cause as object))) throw cause;
    throw new GodwitError(
      ErrorCode.SelectionUnusable,
      `\`etl\` gives column "${column}" a type that the source does not take: ${(cause as Error).message}`,
      {
        object: displayName(table),
        remedy: "write the type as in a CAST at the source; types of schemas with the schema's name",
      },
    );
  }
}

/** An array needs its element's type, a type out of an extension the extension. */
const NAMED = `
  SELECT pg_catalog.format_type(t.oid, $2::pg_catalog.int4) AS type,
         CASE WHEN e.refobjid IS NOT NULL THEN 'pg_extension/' || e.refobjid WHEN n.id >= 16384 THEN 'pg_type/' || n.id END AS needs
    FROM pg_catalog.pg_type t
   CROSS JOIN LATERAL (SELECT CASE WHEN t.typcategory = 'A' AND t.typelem <> 0 THEN t.typelem ELSE t.oid END AS id) AS n
    LEFT JOIN pg_catalog.pg_depend e
           ON e.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND e.objid = n.id AND e.deptype = 'e' AND n.id >= 16384
   WHERE t.oid = $1::pg_catalog.oid`;
