import { createHash } from "node:crypto";
import type { DdlStep, SkippedObject } from "../../../engine/models/plan.js";
import type { ResolvedPlan } from "../../../engine/plan.js";
import { shownTarget } from "../../postgres/schema/draft.js";
import type { SchemaPlan } from "../../postgres/schema/planSchema.js";
import type { OracleCatalog } from "../catalog/model.js";
import { ConversionContext, convertDdl } from "../convert/convertDdl.js";
import { quoteName } from "../convert/write/names.js";
import type { Unit } from "./unit.js";
import { schemaUnits } from "./units.js";

export interface OracleTargetTraits {
  /** PostGIS can be had there, so SDO_GEOMETRY becomes geometry. */
  readonly postgis: boolean;
}

/**
 * The statements that make the selected part of an Oracle catalog on PostgreSQL. Pure. What can't be converted is in `skipped` with the
 * converter's reason, and so is what cannot be without it.
 */
export function planOracleSchema(catalog: OracleCatalog, resolved: ResolvedPlan, traits: OracleTargetTraits): SchemaPlan {
  const units = schemaUnits(catalog, resolved);
  const chosen = chooseUnits(units, resolved);
  const known = new Set(units.map(({ id }) => id));
  const pending = new Set(chosen.map(({ id }) => id));
  const context = new ConversionContext({ postgis: traits.postgis });
  const support = new Set<string>();
  const skipped: SkippedObject[] = [];
  const homes = new Homes(catalog, resolved);
  const made = new Map<string, { readonly unit: Unit; readonly sql: readonly string[] }>();
  for (const unit of chosen) {
    pending.delete(unit.id);
    // Parts of an object that was left out have nothing to be part of.
    const lost = unit.requires.find((id) => known.has(id) && !made.has(id) && !pending.has(id));
    const reason =
      unit.blocked ?? (lost === undefined ? undefined : `it belongs to ${lost.slice(lost.indexOf(":") + 1)}, which is not moved`);
    if (reason !== undefined) {
      skipped.push({ kind: unit.kind, name: unit.name, reason });
      continue;
    }
    const conversion = convertDdl([unit.text, ...unit.after].map((text) => `${text}\n/\n`).join(""), { context });
    skipped.push(
      ...conversion.skipped.map(({ kind, name, reason, line }) => ({
        kind,
        name: name || unit.name,
        reason: `${reason} (line ${line})`,
      })),
    );
    const sql = conversion.statements.flatMap((statement) => statement.sql);
    if (sql.length === 0) continue;
    // What names it is converted all the same, for the converter has read it.
    const left = unit.left ?? homes.taken(unit, sql);
    if (left !== undefined) {
      skipped.push({ kind: unit.kind, name: unit.name, reason: left });
      continue;
    }
    for (const statement of conversion.support) support.add(statement);
    const own = [
      ...homes.without(unit, sql).map((statement) => inSchema(statement, searchPath(unit, resolved))),
      ...unit.finally,
    ];
    made.set(unit.id, { unit, sql: own });
  }
  return {
    steps: ordered(made, support, units, resolved),
    skipped,
    tablesLeftOut: resolved.tables.filter(({ target }) => !made.has(`table:${shownTarget(target)}`)).map(({ id }) => id),
  };
}

const CREATES_SCHEMA = /^CREATE SCHEMA IF NOT EXISTS (.*)$/;

/**
 * The schemas of PostgreSQL that packages and types with methods become, which are called like them: two owners may have one of the same name, and a
 * user may be called so.
 */
class Homes {
  private readonly owners: Map<string, string>;

  constructor(
    catalog: OracleCatalog,
    private readonly resolved: ResolvedPlan,
  ) {
    this.owners = new Map(catalog.schemas.map((schema) => [quoteName(resolved.names.schema(schema)), schema]));
  }

  /** Why a unit's schema can't be made. */
  taken(unit: Unit, sql: readonly string[]): string | undefined {
    for (const statement of sql) {
      const name = CREATES_SCHEMA.exec(statement)?.[1];
      if (name === undefined) continue;
      const owner = this.owners.get(name);
      if (owner !== undefined && owner !== unit.schema) return `its schema on PostgreSQL, ${name}, is one of ${owner} already`;
      this.owners.set(name, unit.schema);
    }
    return undefined;
  }

  /** Without the statement that makes the owner's own schema, which is a step of its own. */
  without(unit: Unit, sql: readonly string[]): readonly string[] {
    const own = quoteName(this.resolved.names.schema(unit.schema));
    return sql.filter((statement) => CREATES_SCHEMA.exec(statement)?.[1] !== own);
  }
}

/** What is selected, and the types, sequences and routines that it needs from elsewhere. */
function chooseUnits(units: readonly Unit[], { selection }: ResolvedPlan): readonly Unit[] {
  const bySource = new Map<string, Unit[]>();
  for (const unit of units) {
    if (unit.source !== undefined) bySource.set(unit.source, [...(bySource.get(unit.source) ?? []), unit]);
  }
  const chosen = new Set(units.filter(({ subject }) => selection.pick(subject) === "selected"));
  const pending = [...chosen];
  for (let unit = pending.pop(); unit; unit = pending.pop()) {
    for (const name of unit.needs) {
      for (const needed of bySource.get(name) ?? []) {
        if (chosen.has(needed) || selection.pick(needed.subject) !== "ifNeeded") continue;
        chosen.add(needed);
        pending.push(needed);
      }
    }
  }
  return units.filter((unit) => chosen.has(unit));
}

/**
 * Names without a schema mean those of the owner's schema, in Oracle as in these statements. The search path is the step's alone.
 */
function searchPath({ schema }: Unit, { names }: ResolvedPlan): string {
  return [quoteName(names.schema(schema)), "public"].join(", ");
}

/**
 * A routine runs under its owner's names, whoever calls it. PostgreSQL lets no procedure with a SET clause end transactions: those keep the
 * caller's path.
 */
export function inSchema(statement: string, path: string): string {
  if (!/^CREATE OR REPLACE (FUNCTION|PROCEDURE) /.test(statement) || /\b(COMMIT|ROLLBACK)\b/.test(statement)) return statement;
  return statement.replace(/\bLANGUAGE (plpgsql|sql)\b/, (language) => `${language} SET search_path = ${path}`);
}

function ordered(
  made: ReadonlyMap<string, { readonly unit: Unit; readonly sql: readonly string[] }>,
  support: ReadonlySet<string>,
  units: readonly Unit[],
  resolved: ResolvedPlan,
): readonly DdlStep[] {
  const steps: DdlStep[] = [];
  const schemas = new Set([...made.values()].map(({ unit }) => unit.schema));
  const step = (id: string, kind: DdlStep["kind"], name: string, sql: readonly string[]): DdlStep => {
    return { id, stage: "beforeRows", kind, name, sql, dependsOn: [], weight: 0 };
  };
  for (const schema of schemas) {
    const name = resolved.names.schema(schema);
    steps.push(step(`schema:${name}`, "schema", name, [`CREATE SCHEMA IF NOT EXISTS ${quoteName(name)}`]));
  }
  // Called by its content: a later plan that needs more of them has another step.
  const supportId = `support:godwit_oracle#${createHash("sha256")
    .update([...support].join("\n"))
    .digest("hex")
    .slice(0, 12)}`;
  if (support.size > 0) steps.push(step(supportId, "function", "godwit_oracle", [...support]));
  const bySource = new Map(units.flatMap((unit) => (unit.source === undefined ? [] : [[unit.source, unit.id] as const])));
  const done = new Set(steps.map(({ id }) => id));
  const visiting = new Set<string>();
  // Depth first: a step comes after what it needs. Two routines that call each other meet here; their bodies are not looked into at creation.
  const visit = (id: string): void => {
    const entry = made.get(id);
    if (!entry || done.has(id) || visiting.has(id)) return;
    visiting.add(id);
    const { unit, sql } = entry;
    const before = [...unit.requires, ...unit.needs.flatMap((name) => bySource.get(name) ?? [])]
      .filter((need) => made.has(need))
      // Rows wait for no view: what looks like one is a column of the same name.
      .filter((need) => unit.kind !== "table" || made.get(need)?.unit.stage === "beforeRows");
    for (const need of before) visit(need);
    visiting.delete(id);
    done.add(id);
    const path = `SET LOCAL search_path = ${searchPath(unit, resolved)}`;
    steps.push({
      id,
      stage: latest([unit.stage, ...before.map((need) => made.get(need)?.unit.stage ?? "beforeRows")]),
      kind: unit.kind,
      name: unit.name,
      sql: [path, ...sql],
      dependsOn: [
        `schema:${resolved.names.schema(unit.schema)}`,
        ...(support.size > 0 ? [supportId] : []),
        ...new Set(before.filter((need) => done.has(need) && need !== id)),
      ],
      weight: unit.weight,
    });
  };
  for (const id of made.keys()) visit(id);
  return STAGES.flatMap((stage) => steps.filter((each) => each.stage === stage));
}

const STAGES = ["beforeRows", "afterRows", "foreignKeys"] as const;

/** A routine over a view waits for the view. A table never waits: it only needs types and functions, which come before the rows. */
function latest(stages: readonly DdlStep["stage"][]): DdlStep["stage"] {
  return STAGES[Math.max(...stages.map((stage) => STAGES.indexOf(stage)))] ?? "beforeRows";
}
