import type { CatalogObject, QualifiedName } from "../../../../engine/models/catalog.js";
import type { PostgresCatalog } from "../../catalog/model.js";
import { type SqlNames, sqlNames } from "../../schema/sqlNames.js";
import type { FollowedNames } from "./followedNames.js";

const same = (sql: string): string => sql;
const UNCHANGED: SqlNames = { definition: same, onTable: same, foreignKey: same, query: same, routine: same };

/**
 * Rewrites deparsed SQL to the target's names. What is a name tells the source's catalog as it is now, together with what the stream
 * has brought: the objects of the event, and the followed tables as they are called at this place of the stream.
 */
export function sqlFor(catalog: PostgresCatalog | undefined, names: FollowedNames, named: readonly QualifiedName[]): SqlNames {
  if (!catalog || !names.renames) return UNCHANGED;
  const added = [...names.known, ...named].map((name): CatalogObject => ({ kind: "table", ...name }));
  return sqlNames({ ...catalog, objects: [...catalog.objects, ...added] }, names);
}
