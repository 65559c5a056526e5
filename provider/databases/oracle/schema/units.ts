import type { CatalogObject, QualifiedName } from "../../../engine/models/catalog.js";
import type { ResolvedPlan } from "../../../engine/plan.js";
import { shownTarget } from "../../postgres/schema/draft.js";
import { ident, qualified } from "../../postgres/sql.js";
import type { OracleCatalog, OracleSource } from "../catalog/model.js";
import { naturalName } from "../catalog/naturalName.js";
import { commentText, sequenceText, sourceText, synonymText, viewText } from "./codeText.js";
import { type IndexNames, indexNames } from "./indexNames.js";
import { createSpelling, type Spelling } from "./spelling.js";
import { constraintText, indexText, tableText } from "./tableText.js";
import type { Unit } from "./unit.js";

/** Every object of the catalog as Oracle would create it under its target name, in an order in which the converter meets what it needs. */
export function schemaUnits(catalog: OracleCatalog, resolved: ResolvedPlan): readonly Unit[] {
  const maker = new UnitMaker(catalog, resolved);
  const types = catalog.sources.filter(({ kind }) => kind === "type" || kind === "type body");
  const code = catalog.sources.filter(({ kind }) => kind !== "type" && kind !== "type body");
  return [
    ...catalog.sequences.map((sequence) => maker.sequence(sequence)),
    ...types.map((source) => maker.source(source)),
    ...[...catalog.details.values()].map((table) => maker.table(table)),
    ...catalog.constraints.map((constraint) => maker.constraint(constraint)),
    ...catalog.indexes.flatMap((index) => maker.index(index)),
    ...catalog.views.map((view) => maker.view(view)),
    ...catalog.synonyms.map((synonym) => maker.synonym(synonym)),
    ...SOURCE_ORDER.flatMap((kind) => code.filter((source) => source.kind === kind)).map((source) => maker.source(source)),
  ];
}

const SOURCE_ORDER: readonly OracleSource["kind"][] = ["package", "function", "procedure", "package body", "trigger"];

class UnitMaker {
  private readonly spelling: Spelling;
  private readonly indexNames: IndexNames;
  private readonly comments: ReadonlyMap<string, readonly string[]>;
  private readonly tables: ReadonlyMap<string, { readonly id: number; readonly bytes: number }>;

  constructor(
    private readonly catalog: OracleCatalog,
    private readonly resolved: ResolvedPlan,
  ) {
    this.indexNames = indexNames(catalog, resolved);
    this.tables = new Map(catalog.tables.map((table) => [keyOf(table), table]));
    const objects = new Set(catalog.objects.map(keyOf));
    this.spelling = createSpelling(resolved.names, {
      ...renamedBy(catalog, resolved),
      isTable: (name) => this.tables.has(keyOf(name)),
      isSchema: (name) => catalog.schemas.includes(name),
      isObject: (name) => objects.has(name),
    });
    this.comments = this.commentTexts();
  }

  sequence(sequence: OracleCatalog["sequences"][number]): Unit {
    return this.unit({ kind: "sequence", ...named(sequence) }, "sequence", "beforeRows", sequenceText(sequence, this.spelling));
  }

  table(table: Parameters<typeof tableText>[0]): Unit {
    const text = tableText(table, this.spelling, (column) => this.resolved.names.excluded(table, column));
    const needs = table.rowType ? [keyOf(table.rowType)] : [];
    const unit = this.unit({ kind: "table", ...named(table) }, "table", "beforeRows", text);
    const mentioned = table.columns.flatMap(({ type, expression }) => [type, expression ?? ""]);
    return {
      ...unit,
      needs: [...unit.needs, ...needs, ...mentioned.flatMap((part) => this.spelling.mentioned(table.schema, part))],
      left: table.temporary
        ? "temporary tables of PostgreSQL are made by each session: CREATE TEMPORARY TABLE in the application's sessions"
        : undefined,
    };
  }

  constraint(constraint: OracleCatalog["constraints"][number]): Unit {
    const table = { schema: constraint.schema, name: constraint.table };
    const foreign = constraint.kind === "foreignKey";
    const subject: CatalogObject = {
      kind: foreign ? "foreignKey" : "constraint",
      schema: constraint.schema,
      name: constraint.name,
      on: table,
    };
    const word = foreign ? "foreignKey" : constraint.kind === "check" ? "check" : "constraint";
    const target = this.resolved.names.relation(table);
    const references = constraint.references;
    const spelled = this.constraintName(constraint);
    const shown = `${shownTarget(target)}.${naturalName(spelled)}`;
    const blocked = constraint.enabled
      ? this.partitionReason(constraint)
      : "it is disabled at the source, so its rows may break it";
    const wanted = foreign && references ? this.keyOfTarget(references) : [];
    return {
      ...this.bare(subject, `${word}:${shown}`, foreign ? "foreignKeys" : "afterRows"),
      kind: subject.kind,
      name: shown,
      text: constraintText(constraint, spelled, this.spelling),
      requires: [this.tableId(table), ...wanted],
      needs: this.spelling.mentioned(constraint.schema, constraint.condition),
      weight: this.tables.get(keyOf(table))?.bytes ?? 0,
      blocked,
    };
  }

  /** PostgreSQL keeps a key unique within each partition, so it has to hold what tells the partitions apart. */
  private partitionReason({ kind, schema, table, columns }: OracleCatalog["constraints"][number]): string | undefined {
    if (kind !== "primaryKey" && kind !== "unique") return undefined;
    const lacking = this.partitionKey({ schema, name: table }).filter((column) => !columns.includes(column));
    if (lacking.length === 0) return undefined;
    return `a key of a partitioned table has to hold ${lacking.join(", ")} on PostgreSQL; an index that is not unique stands in for it`;
  }

  private mayBeUnique(index: OracleCatalog["indexes"][number]): boolean {
    return this.partitionKey({ schema: index.tableSchema, name: index.table }).every((column) => index.columns?.includes(column));
  }

  private partitionKey(table: QualifiedName): readonly string[] {
    const id = this.tables.get(keyOf(table))?.id;
    return (id === undefined ? undefined : this.catalog.details.get(id))?.partitionKey ?? [];
  }

  /** None for the index that a key brings along. */
  index(index: OracleCatalog["indexes"][number]): readonly Unit[] {
    const table = { schema: index.tableSchema, name: index.table };
    const key = JSON.stringify(index.columns ?? null);
    const covered = this.catalog.constraints.some(
      ({ kind, schema, table: of, columns, enabled }) =>
        (kind === "primaryKey" || kind === "unique") &&
        enabled &&
        this.partitionKey(table).every((column) => columns.includes(column)) &&
        schema === table.schema &&
        of === table.name &&
        JSON.stringify(columns) === key,
    );
    if (covered) return [];
    const subject: CatalogObject = { kind: "index", schema: index.schema, name: index.name, on: table };
    // PostgreSQL keeps an index in its table's schema.
    const spelled = this.indexNames.index(index.schema, index.name);
    const target = { schema: this.resolved.names.relation(table).schema, name: naturalName(spelled) };
    return [
      {
        ...this.bare(subject, `index:${shownTarget(target)}`, "afterRows"),
        name: shownTarget(target),
        text: indexText({ ...index, unique: index.unique && this.mayBeUnique(index) }, spelled, this.spelling),
        requires: [this.tableId(table)],
        needs: index.terms.flatMap((term) => this.spelling.mentioned(index.tableSchema, term)),
        weight: this.tables.get(keyOf(table))?.bytes ?? 0,
        blocked: index.unsupported,
      },
    ];
  }

  view(view: OracleCatalog["views"][number]): Unit {
    const { text, blocked } = this.spelling.code(view.query);
    const kind = view.materialized ? "materializedView" : "view";
    const unit = this.unit({ kind, ...named(view) }, "view", "afterRows", viewText(view, text, this.spelling));
    return { ...unit, blocked: this.renamedReason(blocked) };
  }

  synonym(synonym: OracleCatalog["synonyms"][number]): Unit {
    const unit = this.unit({ kind: "synonym", ...named(synonym) }, "synonym", "afterRows", synonymText(synonym, this.spelling));
    return { ...unit, needs: [keyOf(synonym.target)] };
  }

  source(source: OracleSource): Unit {
    const { text, blocked } = this.spelling.code(source.text);
    const kind = source.kind === "type body" ? "type" : source.kind === "package body" ? "package" : source.kind;
    const subject: CatalogObject = { kind, ...named(source), ...(source.on ? { on: source.on } : {}) };
    const trigger = source.kind === "trigger";
    const word = kind === "type" ? "type" : trigger ? "oracleTrigger" : "oracleCode";
    const stage = trigger ? "afterRows" : "beforeRows";
    const unit = this.unit(subject, word, stage, sourceText(source, text, this.spelling));
    const body = source.kind.endsWith("body");
    return {
      ...unit,
      id: body ? `${unit.id}#body` : unit.id,
      source: body ? undefined : unit.source,
      requires: body ? [unit.id] : source.on ? this.relationIds(source.on) : [],
      finally: trigger && !source.enabled && source.on ? [this.disabled(source, source.on)] : [],
      blocked: this.renamedReason(blocked) ?? (trigger && !source.on ? "a trigger of a schema or the database" : undefined),
    };
  }

  private disabled(source: OracleSource, on: QualifiedName): string {
    return `ALTER TABLE ${qualified(this.targetOf(on))} DISABLE TRIGGER ${ident(naturalName(source.name))}`;
  }

  private renamedReason(name: string | undefined): string | undefined {
    return name === undefined ? undefined : `its text mentions ${name}, which has another name on the target`;
  }

  private unit(subject: CatalogObject, word: string, stage: Unit["stage"], text: string): Unit {
    const target = this.targetOf(subject);
    return {
      ...this.bare(subject, `${word}:${shownTarget(target)}`, stage),
      name: shownTarget(target),
      source: keyOf(subject),
      text,
      after: this.comments.get(keyOf(subject)) ?? [],
      needs: this.catalog.needs.get(keyOf(subject)) ?? [],
    };
  }

  private bare(subject: CatalogObject, id: string, stage: Unit["stage"]): Unit {
    return {
      id,
      kind: subject.kind,
      stage,
      name: "",
      source: undefined,
      schema: subject.schema,
      subject,
      text: "",
      after: [],
      requires: [],
      needs: [],
      weight: 0,
      finally: [],
      blocked: undefined,
      left: undefined,
    };
  }

  private targetOf(object: QualifiedName): QualifiedName {
    const { schema, name } = this.resolved.names.relation(object);
    // Names of tables are spelled for the target already; the others follow the same rule.
    return { schema, name: this.tables.has(keyOf(object)) ? name : naturalName(name) };
  }

  private tableId(table: QualifiedName): string {
    return `table:${shownTarget(this.targetOf(table))}`;
  }

  private relationIds(relation: QualifiedName): readonly string[] {
    const shown = shownTarget(this.targetOf(relation));
    return [this.tables.has(keyOf(relation)) ? `table:${shown}` : `view:${shown}`];
  }

  private constraintName({ kind, schema, name }: OracleCatalog["constraints"][number]): string {
    return kind === "primaryKey" || kind === "unique" ? this.indexNames.key(schema, name) : name;
  }

  /** The key that a foreign key points at. */
  private keyOfTarget({ schema, table, columns }: { schema: string; table: string; columns: readonly string[] }): string[] {
    const target = shownTarget(this.targetOf({ schema, name: table }));
    return this.catalog.constraints
      .filter((key) => key.schema === schema && key.table === table && (key.kind === "primaryKey" || key.kind === "unique"))
      .filter((key) => JSON.stringify(key.columns) === JSON.stringify(columns))
      .map((key) => `constraint:${target}.${naturalName(this.constraintName(key))}`);
  }

  private commentTexts(): ReadonlyMap<string, readonly string[]> {
    const texts = new Map<string, string[]>();
    for (const { schema, relation, column, text } of this.catalog.comments) {
      const on = { schema, name: relation };
      if (column !== undefined && this.resolved.names.excluded(on, column)) continue;
      const key = keyOf(on);
      const own = texts.get(key) ?? [];
      own.push(
        commentText(this.spelling.relation(on), column === undefined ? undefined : this.spelling.column(on, column), text),
      );
      texts.set(key, own);
    }
    return texts;
  }
}

function named({ schema, name }: QualifiedName): QualifiedName {
  return { schema, name };
}

function keyOf({ schema, name }: QualifiedName): string {
  return `${schema}.${name}`;
}

function renamedBy(catalog: OracleCatalog, { names }: ResolvedPlan) {
  const schemas = new Set(catalog.schemas.filter((schema) => names.schema(schema) !== naturalName(schema)));
  const renamed = new Set<string>();
  for (const table of catalog.tables) {
    if (names.relation(table).name !== naturalName(table.name)) renamed.add(table.name);
    for (const { name } of table.columns) if (names.column(table, name) !== naturalName(name)) renamed.add(name);
  }
  return { schemas, names: renamed };
}
