import type { DdlStep } from "../../engine/models/plan.js";
import type { SourceDialect, TargetDialect } from "../postgres/dialect.js";
import { postgresTarget } from "../postgres/dialect.js";
import { shownTarget } from "../postgres/schema/draft.js";
import { readOfferedExtensions, readTargetObjects } from "../postgres/schema/existingObjects.js";
import { planSchema, type SchemaPlan } from "../postgres/schema/planSchema.js";
import { openPostgresTarget } from "../postgres/target.js";
import { isPolardbCatalog } from "./catalog/objects.js";
import { readPolardbCatalog } from "./catalog/readPolardbCatalog.js";
import { polardbSourceChecks } from "./precheck/sourceChecks.js";
import { polardbTargetChecks } from "./precheck/targetChecks.js";
import { readTraits } from "./readTraits.js";
import { forPolardb } from "./schema/forPolardb.js";
import { forPostgres, readFunctionNames, withoutForeignDefaults } from "./schema/forPostgres.js";
import { readKeywords } from "./schema/keywords.js";
import { readLanguages } from "./schema/languages.js";
import { convertDates } from "./schema/types.js";

export const polardbSource: SourceDialect = { readCatalog: readPolardbCatalog, precheck: polardbSourceChecks };

export const polardbTarget: TargetDialect = {
  async planSchema(client, catalog, resolved) {
    const traits = await readTraits(client);
    const [keywords, languages] = [await readKeywords(client), await readLanguages(client)];
    const dialect = forPolardb(catalog, { traits, keywords, languages });
    return planSchema(catalog, resolved, traits.major, await readOfferedExtensions(client), dialect);
  },
  precheck: polardbTargetChecks,
  openTarget: (connections, { taskId }) => openPostgresTarget(connections, taskId, endsWithMessage),
  async readExisting(client) {
    const { packages, synonyms } = await readPolardbCatalog(client);
    return new Set([
      ...(await readTargetObjects(client)),
      ...packages.flatMap((found) => [`package:${shownTarget(found)}`, `packageBody:${shownTarget(found)}`]),
      ...synonyms.map((found) => `synonym:${shownTarget(found)}`),
    ]);
  },
};

/** PostgreSQL as the target of a PolarDB O source. */
export const postgresFromPolardb: TargetDialect = {
  ...postgresTarget,
  async planSchema(client, catalog, resolved, definition) {
    if (!isPolardbCatalog(catalog)) return postgresTarget.planSchema(client, catalog, resolved, definition);
    const traits = await readTraits(client);
    const side = { languages: await readLanguages(client), functions: await readFunctionNames(client) };
    const { catalog: computable, notes } = withoutForeignDefaults(catalog, side);
    const dialect = forPostgres(computable, side, convertDates(catalog.traits, traits));
    const plan = planSchema(computable, resolved, traits.major, await readOfferedExtensions(client), dialect);
    const lost = notes
      .filter(({ table }) => resolved.tables.some(({ id }) => id === table.id))
      .map(({ table, column, call }) => ({
        kind: "default",
        name: `${shownTarget(resolved.names.relation(table))}.${column}`,
        reason: `its default calls ${call}, which PostgreSQL does not have; set another there`,
      }));
    return { ...plan, skipped: [...plan.skipped, ...lost] } satisfies SchemaPlan;
  },
};

/**
 * CREATE PACKAGE, TYPE BODY and routines written in Oracle's way have semicolons inside and no dollar quotes around them: only the end of the
 * message tells where they end.
 */
function endsWithMessage({ kind }: DdlStep): boolean {
  return ["package", "type", "function", "procedure", "trigger"].includes(kind);
}
