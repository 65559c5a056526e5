import { setImmediate } from "node:timers/promises";
import type { ResolvedPlan } from "../../../engine/plan.js";
import type { OracleCatalog } from "../catalog/model.js";
import { ConversionContext, convertDdl } from "../convert/convertDdl.js";
import type { OracleTargetTraits } from "./planSchema.js";
import { schemaUnits } from "./units.js";

/** What statements can name: bodies, indexes and triggers are named by none. */
const NAMED = new Set(["table", "type", "sequence", "view", "materializedView", "function", "procedure", "package", "synonym"]);

/** The converter's knowledge of a catalog's objects, for converting statements that came later. Gives way to the event loop. */
export async function knownObjects(
  catalog: OracleCatalog,
  resolved: ResolvedPlan,
  traits: OracleTargetTraits,
): Promise<ConversionContext> {
  const context = new ConversionContext({ postgis: traits.postgis });
  for (const unit of schemaUnits(catalog, resolved)) {
    if (!NAMED.has(unit.kind) || unit.id.endsWith("#body")) continue;
    convertDdl(`${unit.text}\n/\n`, { context });
    await setImmediate();
  }
  return context;
}
