import type { CatalogObject, ObjectKind } from "../../../engine/models/catalog.js";
import type { DdlStage } from "../../../engine/models/plan.js";

/** An object of the source on its way to become a step: Oracle's text of it, and what it has to wait for. */
export interface Unit {
  /** As the steps of a PostgreSQL target are called, so that what exists there is found by it. */
  readonly id: string;
  readonly kind: ObjectKind;
  readonly stage: DdlStage;
  /** Target name as a user would write it. */
  readonly name: string;
  /** The source's, as SCHEMA.NAME: what `needs` of others mean; undefined for parts of tables. */
  readonly source: string | undefined;
  /** The schema whose objects its text may name without one. */
  readonly schema: string;
  readonly subject: CatalogObject;
  readonly text: string;
  /** What is to follow it in its step: comments. */
  readonly after: readonly string[];
  /** Ids of units. */
  readonly requires: readonly string[];
  /** Source names it needs, as the dictionary says. */
  readonly needs: readonly string[];
  readonly weight: number;
  /** PostgreSQL's statements, after those it is converted to. */
  readonly finally: readonly string[];
  /** Why it can't be moved, known before it is converted. */
  readonly blocked: string | undefined;
  /** Why it is not made, although it is converted so that others may name it. */
  readonly left: string | undefined;
}
