import type { Client } from "pg";
import type { CatalogObject } from "../../../engine/models/catalog.js";
import { readCatalog } from "../../postgres/catalog/readCatalog.js";
import { ident } from "../../postgres/sql.js";
import { readTraits } from "../readTraits.js";
import type { PolardbCatalog } from "./objects.js";
import { readPackages } from "./packages.js";
import { readSourcedTypes } from "./sourcedTypes.js";
import { readSynonyms } from "./synonyms.js";
import { usersOwn } from "./usersOwn.js";

/** A connection's database on PolarDB O: PostgreSQL's catalogs, and what it has beside them. Errors: those of readCatalog. */
export async function readPolardbCatalog(client: Client): Promise<PolardbCatalog> {
  const traits = await readTraits(client);
  const base = usersOwn(await readCatalog(client));
  await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path = ''");
  try {
    await showStoredNames(client);
    const schemas = new Set(base.schemas);
    const packages = await readPackages(client, traits, schemas);
    const synonyms = await readSynonyms(client, traits, schemas);
    const types = await readSourcedTypes(client, traits, schemas);
    return {
      ...base,
      traits,
      packages,
      synonyms,
      sourcedTypes: types.found,
      objects: [
        ...base.objects,
        ...packages.map(({ schema, name }): CatalogObject => ({ kind: "package", schema, name })),
        ...synonyms.map(({ schema, name }): CatalogObject => ({ kind: "synonym", schema, name })),
        ...types.found
          .filter(({ key }) => !base.relations.some(({ rowType }) => rowType === key))
          .map(({ schema, name }): CatalogObject => ({ kind: "type", schema, name })),
      ],
      unsupported: [...base.unsupported, ...types.unreadable],
      immovable: new Map([
        ...base.immovable,
        ...types.unreadable.map(({ key, schema, name }): [string, string] => [key, `type ${schema}.${name}`]),
      ]),
    };
  } finally {
    await client.query("ROLLBACK");
  }
}

/** Without it 1.0's Oracle views show names in capitals, and those that were quoted in quotes ("polar_comp_redwood_raw_names"). */
async function showStoredNames(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    "SELECT name FROM pg_catalog.pg_settings WHERE name = 'polar_comp_redwood_raw_names' AND context = 'user'",
  );
  for (const { name } of rows) await client.query(`SET LOCAL ${ident(name)} = on`);
}
