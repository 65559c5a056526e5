import { setTimeout as sleep } from "node:timers/promises";
import type { QualifiedName } from "../../../engine/models/catalog.js";
import type { PlannedTable } from "../../../engine/models/plan.js";
import { type PlanOptions, type ResolvedPlan, resolvePlan } from "../../../engine/plan.js";
import { COPY_DONE } from "../../postgres/apply/copyEncoding.js";
import { ident, qualified } from "../../postgres/sql.js";
import { kindOfType } from "../catalog/columns.js";
import type { OracleCatalog } from "../catalog/model.js";
import { readCatalog } from "../catalog/readCatalog.js";
import { openOracleReader } from "../copy/rowReader.js";
import type { OracleConnection } from "../driver.js";
import { positionAt } from "../logMiner/position.js";
import { currentScn } from "../logMiner/settledScn.js";
import { oracleCode } from "../oracleErrors.js";
import { type OracleTargetTraits, planOracleSchema } from "../schema/planSchema.js";
import type { OpenTarget } from "./openTarget.js";
import { withStored } from "./storedColumns.js";

/** A table of the source as it is at an SCN, to be made on the target in one transaction with its rows. */
export interface TakenTable {
  readonly catalog: OracleCatalog;
  readonly planned: PlannedTable;
  readonly scn: bigint;
  /** Before the rows, and behind them: keys and indexes. */
  readonly before: readonly string[];
  readonly behind: readonly string[];
  /** Keys and indexes that could not be converted, with the reason. */
  readonly left: readonly string[];
}

/** What `takeTable` met: the table, nothing (it is gone again), or why it can't be made. */
export type Taken = TakenTable | string | undefined;

/** Reads what the dictionary says of a table now. `options`: for its schema. */
export async function takeTable(
  source: OracleConnection,
  name: QualifiedName,
  options: PlanOptions,
  traits: OracleTargetTraits,
): Promise<Taken> {
  // Before the dictionary: a change of structure in between shows in the flashback query (ORA-01466), and all of it is read again.
  const scn = await currentScn(source);
  const whole = await readCatalog(source);
  const catalog = only(whole, name);
  const resolved: ResolvedPlan = resolvePlan(catalog, options);
  const planned = resolved.tables.find(({ source: of }) => of.schema === name.schema && of.name === name.name);
  const details = planned && catalog.details.get(planned.id);
  if (!planned || !details) return undefined;
  const plan = planOracleSchema(catalog, resolved, traits);
  if (plan.tablesLeftOut.includes(planned.id)) return plan.skipped.map(({ reason }) => reason).join("; ");
  const sqlOf = (early: boolean) =>
    plan.steps.filter(({ stage }) => (stage === "beforeRows") === early).flatMap(({ sql }) => sql);
  return {
    catalog: whole,
    planned: { ...withStored(planned, details.stored, scn), structureAt: positionAt(scn + 1n).toString() },
    scn,
    before: sqlOf(true),
    behind: sqlOf(false),
    left: plan.skipped.map(({ kind, name: of, reason }) => `${kind} ${of}: ${reason}`),
  };
}

/** The catalog without what is not this table's own. Types stay: its columns may be of them. */
export function only(catalog: OracleCatalog, { schema, name }: QualifiedName): OracleCatalog {
  const isIt = (of: { readonly schema: string; readonly name: string }) => of.schema === schema && of.name === name;
  const tables = catalog.tables.filter(isIt);
  return {
    ...catalog,
    tables,
    objects: catalog.objects.filter(({ kind, ...of }) => kind === "type" || (kind === "table" && isIt(of))),
    details: new Map([...catalog.details].filter(([, of]) => isIt(of))),
    constraints: catalog.constraints.filter((of) => of.schema === schema && of.table === name && of.kind !== "foreignKey"),
    indexes: catalog.indexes.filter((of) => of.tableSchema === schema && of.table === name),
    comments: catalog.comments.filter((of) => of.schema === schema && of.relation === name),
    sequences: [],
    views: [],
    synonyms: [],
    sources: [],
    unsupported: [],
  };
}

/** Makes the table and brings its rows, within the target's open transaction. `made` says which statements are run how. */
export async function loadTaken(
  source: OracleConnection,
  target: OpenTarget,
  { planned, scn }: TakenTable,
  onZeros: (count: number) => void,
): Promise<void> {
  const takenOut = { zeros: 0 };
  const columns = planned.columns.map(({ target: name }) => ident(name)).join(", ");
  const copy = `COPY ${qualified(planned.target)}${columns === "" ? "" : ` (${columns})`} FROM STDIN`;
  const reader = openOracleReader(source, {
    snapshot: { id: scn.toString(), position: positionAt(scn + 1n), close: async () => undefined },
    kindOf: (table, name) => kindOfType(table.columns.find((column) => column.source === name)?.type ?? ""),
    takenOut,
  });
  await reader.read(planned, { index: 0, condition: undefined }, "text", {
    write: (frames) => target.copy(copy, [frames, COPY_DONE]),
  });
  if (takenOut.zeros > 0) onZeros(takenOut.zeros);
}

/** Oracle's way to say that a table changed since that SCN, which is cured by reading it again. */
const CHANGED = "ORA-01466";

/** Tries again while the table's structure changes underneath. */
export async function whileItChanges<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (cause) {
      if (tries >= 5 || oracleCode(causeOf(cause)) !== CHANGED) throw cause;
      await sleep(1000 * tries);
    }
  }
}

function causeOf(cause: unknown): unknown {
  return (cause as { cause?: unknown } | undefined)?.cause ?? cause;
}
