import type { QualifiedName } from "../../../engine/models/catalog.js";
import type { ResolvedPlan } from "../../../engine/plan.js";
import type { OracleCatalog } from "../catalog/model.js";
import { naturalName } from "../catalog/naturalName.js";

export interface IndexNames {
  /** Of a primary key or unique constraint, as Oracle would spell it: the source's name, or one with a suffix. */
  key(schema: string, name: string): string;
  index(schema: string, name: string): string;
}

/**
 * Names for indexes and for the keys that bring one along. To Oracle indexes, constraints and tables have a namespace each; PostgreSQL keeps an index
 * among the tables of its table's schema. A name that is taken there gets a suffix. Pure, and the same for the same catalog.
 */
export function indexNames(catalog: OracleCatalog, { names }: ResolvedPlan): IndexNames {
  const taken = new Set<string>();
  const place = (schema: string, name: string) => JSON.stringify([names.schema(schema), naturalName(name)]);
  const relations: readonly QualifiedName[] = [...catalog.sequences, ...catalog.views, ...catalog.synonyms];
  for (const { schema, name } of relations) taken.add(place(schema, name));
  for (const table of catalog.tables) taken.add(JSON.stringify(Object.values(names.relation(table))));
  for (const source of catalog.sources) if (source.kind === "type") taken.add(place(source.schema, source.name));
  const given = new Map<string, string>();
  const give = (tableSchema: string, schema: string, name: string, suffix: string): void => {
    let spelled = name;
    for (let count = 1; taken.has(place(tableSchema, spelled)); count++) spelled = `${name}_${suffix}${count === 1 ? "" : count}`;
    taken.add(place(tableSchema, spelled));
    given.set(JSON.stringify([suffix, schema, name]), spelled);
  };
  for (const { kind, schema, name } of catalog.constraints) {
    if (kind === "primaryKey" || kind === "unique") give(schema, schema, name, "KEY");
  }
  for (const { schema, name, tableSchema } of catalog.indexes) give(tableSchema, schema, name, "IDX");
  return {
    key: (schema, name) => given.get(JSON.stringify(["KEY", schema, name])) ?? name,
    index: (schema, name) => given.get(JSON.stringify(["IDX", schema, name])) ?? name,
  };
}
