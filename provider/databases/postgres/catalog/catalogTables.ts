import type { CatalogColumn, CatalogKey, CatalogTable } from "../../../engine/models/catalog.js";
import type { PgColumn, PgIndex, PgRelation } from "./model.js";

/** The neutral description of every table and partitioned table. */
export function describeTables(
  relations: readonly PgRelation[],
  indexes: readonly PgIndex[],
  portable: (typeId: number) => boolean,
): CatalogTable[] {
  const byId = new Map(relations.map((relation) => [relation.id, relation]));
  const primary = new Map<number, PgIndex>();
  const identity = new Map<number, PgIndex>();
  for (const index of indexes) {
    if (index.primary) primary.set(index.relation, index);
    if (index.replicaIdentity) identity.set(index.relation, index);
  }
  return relations.flatMap((relation): CatalogTable[] => {
    if (relation.kind !== "table" && relation.kind !== "partitionedTable") return [];
    const primaryIndex = primary.get(relation.id);
    const identityIndex = relation.replicaIdentity === "index" ? identity.get(relation.id) : undefined;
    // A deferrable key may be broken inside a transaction, so the server does not publish it under identity DEFAULT.
    const keyPublished =
      relation.replicaIdentity === "nothing"
        ? false
        : relation.replicaIdentity !== "default" || primaryIndex?.immediate !== false;
    return [
      {
        id: relation.id,
        schema: relation.schema,
        name: relation.name,
        kind: relation.kind,
        columns: relation.columns.map((column) => describeColumn(column, portable)),
        key: describeKey(relation, primaryIndex, identityIndex),
        replicaIdentity: relation.replicaIdentity,
        keyPublished,
        parents: relation.parents.flatMap((id) => {
          const parent = byId.get(id);
          return parent ? [{ schema: parent.schema, name: parent.name }] : [];
        }),
        isPartition: relation.partitionBound !== undefined,
        unlogged: relation.unlogged,
        estimatedRows: relation.estimatedRows,
        bytes: relation.bytes,
      },
    ];
  });
}

/**
 * With identity `index` the changes carry that index's columns, whatever the primary key is. A unique index that is not the identity is no
 * key: its columns are not published.
 */
function describeKey(relation: PgRelation, primary: PgIndex | undefined, identity: PgIndex | undefined): CatalogKey {
  const index = identity ?? primary;
  if (!index) return { source: "none", columns: [] };
  const names = new Map(relation.columns.map((column) => [column.number, column.name]));
  return {
    source: index.primary ? "primaryKey" : "uniqueIndex",
    columns: index.keyColumns.flatMap((number) => names.get(number) ?? []),
  };
}

function describeColumn(column: PgColumn, portable: (typeId: number) => boolean): CatalogColumn {
  return {
    name: column.name,
    number: column.number,
    type: column.type,
    nullable: !column.notNull,
    generated: column.generated !== "",
    identity: column.identity === "a" ? "always" : column.identity === "d" ? "byDefault" : undefined,
    binaryPortable: portable(column.typeId),
  };
}
