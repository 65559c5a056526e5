import type { PgConstraint, PostgresCatalog } from "../../postgres/catalog/model.js";
import { toPostgresType } from "../schema/types.js";

/** Schemas of the server that it may have made after initdb; those it made then are told by their numbers (catalog/query.ts). */
const SYSTEM_SCHEMAS: ReadonlySet<string> = new Set([
  "sys",
  "dbo",
  "polar_catalog",
  "polar_feature_utils",
  "polar_gawr_collection",
  "polardb_catalog",
]);

/** Indexes over the hidden row id that tables may have (polar_enable_rowid, default_with_rowids). The target makes its own. */
const ROWID_INDEX = /^polar_rowid/i;

/** The catalog without what belongs to the server. */
export function usersOwn(catalog: PostgresCatalog): PostgresCatalog {
  const mine = ({ schema }: { readonly schema: string }): boolean => !SYSTEM_SCHEMAS.has(schema);
  const relations = catalog.relations.filter(mine);
  const ids = new Set(relations.map(({ id }) => id));
  const ofMine = ({ relation }: { readonly relation: number }): boolean => ids.has(relation);
  const types = catalog.types.filter(mine);
  const domains = new Set(types.map(({ key }) => key));
  const constrains = ({ relation, domain }: PgConstraint): boolean =>
    domain === undefined ? ids.has(relation) : domains.has(domain);
  const indexes = catalog.indexes.filter((index) => mine(index) && ofMine(index) && !ROWID_INDEX.test(index.name));
  return {
    ...catalog,
    schemas: catalog.schemas.filter((name) => !SYSTEM_SCHEMAS.has(name)),
    namespaces: catalog.namespaces.filter(({ name }) => !SYSTEM_SCHEMAS.has(name)),
    tables: catalog.tables.filter(mine),
    objects: catalog.objects.filter(
      (object) => mine(object.on ?? object) && !(object.kind === "index" && ROWID_INDEX.test(object.name)),
    ),
    unsupported: catalog.unsupported.filter(({ schema }) => schema === undefined || !SYSTEM_SCHEMAS.has(schema)),
    relations,
    types,
    indexes,
    sequences: catalog.sequences.filter(mine),
    collations: catalog.collations.filter(mine),
    routines: catalog.routines.filter(mine),
    aggregates: catalog.aggregates.filter(mine),
    operators: catalog.operators.filter(mine),
    operatorFamilies: catalog.operatorFamilies.filter(mine),
    operatorClasses: catalog.operatorClasses.filter(mine),
    casts: catalog.casts.filter(({ source, target }) => !isServersCast(source, target)),
    constraints: catalog.constraints.filter(constrains),
    statistics: catalog.statistics.filter(mine),
    rules: catalog.rules.filter(ofMine),
    triggers: catalog.triggers.filter(ofMine),
  };
}

/** To or from a type of PolarDB O's own, and not a user's type on the other side. */
function isServersCast(source: string, target: string): boolean {
  const isServers = (type: string): boolean => SYSTEM_SCHEMAS.has(type.split(".")[0] ?? "") || toPostgresType(type) !== undefined;
  const isBuiltIn = (type: string): boolean => isServers(type) || !type.includes(".");
  return [source, target].some(isServers) && [source, target].every(isBuiltIn);
}
