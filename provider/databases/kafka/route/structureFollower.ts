import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { Position } from "../../../engine/models/change.js";
import type { DdlOperations, PlannedTable } from "../../../engine/models/plan.js";
import { ddlOperations, type PlanOptions } from "../../../engine/plan.js";
import type { PostgresCatalog } from "../../postgres/catalog/model.js";
import type { DdlEvent } from "../../postgres/ddl/ddlEvent.js";
import { FollowedNames } from "../../postgres/ddl/follow/followedNames.js";
import { planNewTable, refuseJoinedRuled, refuseRuled, replanTable } from "../../postgres/ddl/follow/replan.js";
import type { TableStructure } from "../../postgres/ddl/structure.js";
import { formatLsn } from "../../postgres/lsn.js";
import { withWholeRows } from "../../postgres/replication/wholeRows.js";
import type { FollowedTable } from "./changeSink.js";
import { type ChangeEvent, structureTexts } from "./structureTexts.js";
import type { TableShape } from "./tableShapes.js";

export interface StructureOptions {
  readonly publication: string;
  /** The selection as the program writes it: new objects are judged by it. */
  readonly selection: PlanOptions;
  /** Numbers of the tables whose rows it has rules for; absent: there are none. */
  readonly ruled?: readonly number[] | undefined;
  /** Where the source was when the plan was read; older failures of the capture are in it. */
  readonly readAt: Position;
  readonly tables: readonly FollowedTable[];
  readonly catalog: PostgresCatalog | undefined;
  /** The source's major version. */
  readonly version: number;
  /** Store statements, run on the spot: everything before the change is durable, and it comes again when this worker dies. */
  readonly record: (change: { planned: FollowedTable } | { gone: number }) => Promise<void>;
}

/** What a change of structure means for the records. */
export interface StructureOutcome {
  /** Texts for DDL records, about this object by its target name. */
  readonly texts: readonly string[];
  readonly schema: string;
  readonly name: string;
  /** The table's plan from here on, with its keys. */
  readonly planned?: FollowedTable & { readonly shape: Omit<TableShape, "typeIds"> };
  readonly gone?: number;
}

/** Follows the source's structure through the stream: which tables the task has, and what they and their columns are called. */
export class StructureFollower {
  private readonly tables: Map<number, FollowedTable>;
  private readonly names: FollowedNames;
  private readonly operations: DdlOperations;
  /** One command changes several objects (CASCADE), each with the same text. */
  private told: { statement: string; ids: Set<number> } | undefined;

  constructor(private readonly options: StructureOptions) {
    const { objects, capitalization, operations } = options.selection;
    this.tables = new Map(options.tables.map((entry) => [entry.table.id, entry]));
    this.names = new FollowedNames({ ...(objects ? { objects } : {}), ...(capitalization ? { capitalization } : {}) });
    this.operations = ddlOperations(operations?.ddl, "the task");
    for (const { table } of options.tables) this.register(table);
  }

  begin(): void {
    this.told = undefined;
  }

  /** Whether an event is this task's at all. */
  concerns(event: DdlEvent, position: Position): boolean {
    if (event.kind === "failed") {
      return event.class === "rows"
        ? this.isLive(event.id, position)
        : position >= this.options.readAt && this.tables.has(event.id);
    }
    if (event.kind !== "change") return false;
    const subject = event.after ?? event.before;
    if (!subject) return false;
    if (subject.type !== "table") return this.names.selects(kindOf(subject.type), subject);
    // Also one from before the table's load: its plan may be older than that.
    if (this.tables.has(event.id)) return true;
    return event.published.includes(this.options.publication) || this.names.selects("table", subject, subject.parents);
  }

  async apply(event: DdlEvent, position: Position): Promise<StructureOutcome | undefined> {
    if (event.kind === "failed") throw notDescribed(event, position);
    if (event.kind !== "change") return undefined;
    const subject = event.after ?? event.before;
    if (!subject) return undefined;
    const former = this.tables.get(event.id);
    const next = subject.type === "table" ? await this.replan(event, former, position) : undefined;
    // Also where the table's rows are of a later snapshot: who built its columns by the plan learns nowhere else of what changed before its load.
    const news = former === undefined || position >= this.options.readAt || this.isLive(event.id, position);
    const texts = !news
      ? []
      : structureTexts(event, {
          names: this.names,
          catalog: this.options.catalog,
          version: this.options.version,
          operations: this.operations,
          former: former?.table,
          next: next?.table,
        });
    const place = next?.table.target ?? former?.table.target ?? this.target(subject);
    const outcome = { texts: this.untold(event, texts), schema: place.schema, name: place.name };
    if (subject.type !== "table") return outcome;
    if (former && !event.after) {
      this.tables.delete(event.id);
      this.names.forget(former.table.source);
      await this.options.record({ gone: event.id });
      return { ...outcome, gone: event.id };
    }
    if (!next || !event.after || event.after.type !== "table") return outcome;
    return { ...outcome, planned: { ...next, shape: shapeOf(event.after) } };
  }

  private async replan(
    { id, before, after, published }: ChangeEvent,
    former: FollowedTable | undefined,
    position: Position,
  ): Promise<FollowedTable | undefined> {
    if (after?.type !== "table") return undefined;
    const rules = { options: this.options.selection, ruled: this.options.ruled };
    if (after.partitioned) {
      if (before === undefined) refuseRuled(after, rules);
      return undefined;
    }
    const was = before?.type === "table" ? before : undefined;
    if (former) refuseJoinedRuled(former.table, was, after, rules);
    const table = former
      ? this.altered(former.table, was, after)
      : published.includes(this.options.publication) && before === undefined
        ? planNewTable(after, rules, this.names)
        : undefined;
    if (!table) return undefined;
    if (former) this.names.forget(former.table.source);
    this.register(table);
    const entry = { table: former ? table : withWholeRows(table), loadPosition: former ? former.loadPosition : position };
    this.tables.set(id, entry);
    await this.options.record({ planned: entry });
    return entry;
  }

  /** New columns are in the records as soon as rows have them: a topic has no columns of its own. */
  private altered(planned: PlannedTable, before: TableStructure | undefined, after: TableStructure): PlannedTable {
    const renames = planned.ddl?.rename ?? false;
    const entry = this.names.entry(before ?? after, (before ?? after).parents)?.table;
    const given = (name: string) => entry?.columns?.find((column) => column.name === name)?.rename;
    const moved = planned.source.schema !== after.schema || planned.source.name !== after.name;
    const place = this.names.newTable(after);
    const target = {
      schema: planned.source.schema === after.schema ? planned.target.schema : place.schema,
      name: entry?.rename !== undefined || planned.source.name === after.name ? planned.target.name : place.name,
    };
    const next = replanTable(planned, before, after, {
      renames,
      newColumn: ({ name }) => (entry?.excludeColumns?.includes(name) ? undefined : (given(name) ?? this.names.spell(name))),
      givenColumn: (name) => given(name) !== undefined,
      spell: (name) => this.names.spell(name),
      target: moved && renames ? target : planned.target,
    });
    return { ...next, replicaIdentity: planned.replicaIdentity };
  }

  private untold({ id, command }: ChangeEvent, texts: readonly string[]): readonly string[] {
    const { statement } = command;
    if (statement === undefined || texts[0] !== statement) return texts;
    if (this.told?.statement === statement && !this.told.ids.has(id)) {
      this.told.ids.add(id);
      return [];
    }
    this.told = { statement, ids: new Set([id]) };
    return texts;
  }

  private target(subject: { schema: string; name: string; type: string }) {
    return subject.type === "table" ? this.names.newTable(subject) : this.names.relation(subject);
  }

  /** The table's rows are those of before the change, not of a later snapshot. */
  private isLive(id: number, position: Position): boolean {
    const entry = this.tables.get(id);
    return entry !== undefined && (entry.loadPosition === undefined || position >= entry.loadPosition);
  }

  private register(table: PlannedTable): void {
    this.names.set(table.source, {
      target: table.target,
      columns: new Map(table.columns.map(({ source, target }) => [source, target])),
      excluded: new Set(this.names.entry(table.source)?.table.excludeColumns),
    });
  }
}

function kindOf(type: string): string {
  return type === "materializedView" ? "view" : type;
}

/** Keys as the structure tells them; by their names, as they are read from the source. */
function shapeOf(table: TableStructure): Omit<TableShape, "typeIds"> {
  const names = (numbers: readonly number[]) =>
    numbers.flatMap((number) => table.columns.find((column) => column.number === number)?.name ?? []);
  const primary = table.constraints.find(({ kind }) => kind === "p");
  const unique = table.indexes.filter(
    ({ name, definition, valid, columns }) =>
      valid &&
      name !== primary?.index &&
      /^CREATE UNIQUE INDEX /.test(definition) &&
      !/ WHERE /.test(definition) &&
      columns.every((number) => number > 0),
  );
  return {
    primaryKey: names(primary?.columns ?? []),
    uniqueKeys: unique.map(({ name, columns }) => ({ name, columns: names(columns) })).sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

function notDescribed(event: Extract<DdlEvent, { kind: "failed" }>, position: Position): GodwitError {
  const detail = { object: event.name ?? event.command.tag, position: formatLsn(position) };
  if (event.class === "rows") {
    return new GodwitError(
      ErrorCode.StructureRowsLost,
      `the source could not hand over the rows that ${event.command.tag} wrote: ${event.message}`,
      { ...detail, remedy: "exclude the table and run pulumi up, then take it in again: its rows are written anew" },
    );
  }
  return new GodwitError(
    ErrorCode.StructureChanged,
    `the source could not describe what ${event.command.tag} changed: ${event.message}`,
    { ...detail, remedy: "run pulumi up: the task takes the new structure over and goes on" },
  );
}
