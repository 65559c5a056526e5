import type { QualifiedName } from "../../../engine/models/catalog.js";
import { type SchemaContext, shown } from "../../postgres/schema/draft.js";

/** Ids of the steps that PostgreSQL does not have. */
export function packageId(context: SchemaContext, name: QualifiedName): string {
  return `package:${shown(context, name)}`;
}

export function synonymId(context: SchemaContext, name: QualifiedName): string {
  return `synonym:${shown(context, name)}`;
}
