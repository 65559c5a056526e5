import type { ObjectKind, QualifiedName } from "../../../engine/models/catalog.js";
import type { PlanOptions } from "../../../engine/plan.js";

/** Whether the program's selection takes in an object that a statement makes, changes or drops. Pure. */
export function takesIn(options: PlanOptions, { schema, name }: QualifiedName, kind: ObjectKind): boolean {
  if (!options.objects) return true;
  const chosen = options.objects.find((each) => each.schema === schema);
  // With a list of tables only those move.
  if (!chosen || chosen.tables || chosen.exclude?.includes(name)) return false;
  return !chosen.kinds || chosen.kinds.includes(kind);
}

/**
 * The options for one schema without the names of its tables: those that the program lists may be dropped or renamed by now, which would make the whole
 * selection unusable. Names that a table was given are in its plan.
 */
export function optionsOf({ objects, ...others }: PlanOptions, schemas?: ReadonlySet<string>): PlanOptions {
  if (!objects) return others;
  return {
    ...others,
    objects: objects
      .filter(({ schema }) => schemas?.has(schema) ?? true)
      .map(({ schema, rename }) => ({ schema, ...(rename === undefined ? {} : { rename }) })),
  };
}
