import { type TableEtl, tableEtl } from "../../../engine/etl.js";
import { kindOfType } from "../catalog/columns.js";
import type { OracleCatalog, OracleColumn } from "../catalog/model.js";

/** Above every number that a table can give a column (1000 at most, 4096 from 23ai on). */
const FIRST_NUMBER = 10_001;

/** The catalog with the columns that `etl` adds to its tables, as if Oracle had them: they are converted as any column is. Pure. */
export function withDerivedColumns(catalog: OracleCatalog, entries: readonly TableEtl[] | undefined): OracleCatalog {
  const etlOf = tableEtl(catalog, entries);
  const added = new Map<number, readonly { readonly name: string; readonly type: string }[]>();
  for (const table of catalog.tables) {
    const fresh = (etlOf(table)?.derive ?? []).flatMap(({ column, type }) =>
      type === undefined || table.columns.some(({ name }) => name === column) ? [] : [{ name: column, type: type.toUpperCase() }],
    );
    if (fresh.length > 0) added.set(table.id, fresh);
  }
  if (added.size === 0) return catalog;
  return {
    ...catalog,
    tables: catalog.tables.map((table) => ({
      ...table,
      columns: [
        ...table.columns,
        ...(added.get(table.id) ?? []).map(({ name, type }, index) => ({
          name,
          number: FIRST_NUMBER + index,
          type,
          nullable: true,
          generated: false,
          identity: undefined,
          binaryPortable: false,
          // Oracle's types have names only.
          derived: { typeId: 0 },
        })),
      ],
    })),
    details: new Map(
      [...catalog.details].map(([id, table]) => {
        const columns = [...table.columns, ...(added.get(id) ?? []).map(plainColumn)];
        return [id, { ...table, columns }];
      }),
    ),
  };
}

function plainColumn({ name, type }: { readonly name: string; readonly type: string }): OracleColumn {
  return {
    name,
    type,
    kind: kindOfType(type),
    national: /^N(VARCHAR2|CHAR|CLOB)/.test(type),
    nullable: true,
    expression: undefined,
    virtual: false,
    identity: undefined,
    hidden: false,
    place: undefined,
  };
}
