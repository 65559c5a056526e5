import { ErrorCode, GodwitError } from "../../../../engine/errors.js";
import type { QualifiedName } from "../../../../engine/models/catalog.js";
import { NOT_LOADED, type Position } from "../../../../engine/models/change.js";
import type { DdlOperations, DdlStep, PlannedTable } from "../../../../engine/models/plan.js";
import { formatLsn } from "../../lsn.js";
import { shownTarget } from "../../schema/draft.js";
import { ident, qualified } from "../../sql.js";
import type { DdlEvent } from "../ddlEvent.js";
import { type Change, difference } from "../difference.js";
import { type EmitContext, type EmitTable, operationOf } from "../emit/ddlDialect.js";
import { tableStatements } from "../emit/tableStatements.js";
import type { ColumnStructure, Structure, TableStructure } from "../structure.js";
import type { DdlFollowing, FollowedEntry } from "./ddlFollowing.js";
import type { DdlTarget } from "./ddlTarget.js";
import type { FollowedNames } from "./followedNames.js";
import { keyStep, keyStepId, renamedKeyStep } from "./keySteps.js";
import { isNeeded } from "./needed.js";
import { parentsOnTarget, referencedTable, withoutUnknownReferences } from "./neighbours.js";
import { planNewTable, refuseJoinedRuled, refuseRuled, replanTable } from "./replan.js";

export type TableOutcome =
  /** Nothing of the plan is another. */
  | { readonly kind: "kept" }
  /** It has left the task. */
  | { readonly kind: "gone" }
  /** Its rows are applied by this plan from here on. */
  | { readonly kind: "planned"; readonly table: PlannedTable };

export interface TableChange {
  readonly event: Extract<DdlEvent, { kind: "change" }>;
  /** What the task knew of it; undefined: nothing. */
  readonly former: FollowedEntry | undefined;
  readonly position: Position;
  readonly context: EmitContext;
  readonly target: DdlTarget;
  /** Whether another followed table has this name on the target. */
  readonly isTaken: (name: QualifiedName) => boolean;
  /** Whether every followed table stands where the stream is. */
  readonly isLevel: () => boolean;
}

/** Carries one table's change of structure over to the target, as far as the program's operations say. */
export class TableFollower {
  /** Tables that were emptied for the command at hand, by the transaction's position. */
  private readonly empties = new Map<number, Position>();
  /** Statements for the end of the transaction at hand. */
  readonly atCommit: string[] = [];

  constructor(
    private readonly names: FollowedNames,
    /** The task's own choice, for tables that have none. */
    private readonly operations: DdlOperations,
    private readonly following: DdlFollowing,
    private readonly overwrite: boolean,
  ) {}

  emptied(id: number, position: Position): void {
    this.empties.set(id, position);
  }

  async change(change: TableChange): Promise<TableOutcome> {
    const { before, after } = change.event;
    const [was, is] = [before as TableStructure | undefined, after as TableStructure | undefined];
    if (!is) return was ? this.drop(change, was) : { kind: "kept" };
    if (change.former) return this.alter(change, change.former.table, was, is);
    if (is.partitioned) return this.partitioned(change, was, is);
    return this.unknown(change, was, is);
  }

  private async drop({ former, context, target, isTaken }: TableChange, was: TableStructure): Promise<TableOutcome> {
    const operations = former?.table.ddl ?? this.operations;
    const name = former?.table.target ?? this.names.newTable(was);
    if (operations.drop && !isTaken(name) && context.dialect.refuses({ kind: "dropTable", table: was }) === undefined)
      await target.run([`DROP TABLE IF EXISTS ${qualified(name)}`]);
    return { kind: "gone" };
  }

  private async unknown(change: TableChange, was: TableStructure | undefined, is: TableStructure): Promise<TableOutcome> {
    const { event, position } = change;
    const isPublished = event.published.includes(this.following.publication);
    const isNew = was === undefined;
    const selects = (table: TableStructure) => this.names.selects("table", table, table.parents) || table.bound !== null;
    if (isNew && this.operations.create && selects(is) && (isPublished || is.unlogged)) return this.create(change, is);
    // Made before the plan was read, it is not in the plan on purpose, or gone again.
    if (isPublished || position < this.following.readAt || !this.names.selects("table", is, is.parents)) return { kind: "kept" };
    // One that was selected before is left out on purpose; one of which nothing was told so far was made while nobody looked.
    if ((was && this.names.selects("table", was, was.parents)) || !this.operations.create || is.unlogged) return { kind: "kept" };
    throw new GodwitError(
      ErrorCode.StructureChanged,
      `${event.command.tag} brought a table with rows of its own into the selection`,
      {
        object: `${is.schema}.${is.name}`,
        position: formatLsn(position),
        remedy: "run pulumi up: the task takes the table in, copies its rows and goes on",
      },
    );
  }

  private async create({ event, position, context, target }: TableChange, is: TableStructure): Promise<TableOutcome> {
    const planned = planNewTable(is, this.following, this.names);
    if (!planned) return { kind: "kept" };
    this.register(planned);
    const name = planned.target;
    if (await target.hasRelation(name)) {
      if (!this.overwrite) {
        throw new GodwitError(
          ErrorCode.StructureConflict,
          `${event.command.tag}: the target has a relation of that name already`,
          {
            object: `${name.schema}.${name.name}`,
            position: formatLsn(position),
            remedy: "drop or rename the one on the target, or exclude the table; then run pulumi up",
          },
        );
      }
    } else {
      const byNumber = columnsByNumber(planned, is);
      await this.make(is, { planned: name, byNumber }, context, target);
    }
    return { kind: "planned", table: planned };
  }

  private async make(
    is: TableStructure,
    { planned: name, byNumber }: { planned: QualifiedName; byNumber: (number: number) => string | undefined },
    context: EmitContext,
    target: DdlTarget,
  ): Promise<void> {
    const change: Change = { kind: "createTable", table: await withoutUnknownReferences(is, context, target) };
    if (context.dialect.refuses(change) !== undefined) return;
    if (!(await target.hasSchema(name.schema))) await target.run([`CREATE SCHEMA IF NOT EXISTS ${ident(name.schema)}`]);
    const table: EmitTable = {
      source: is,
      from: name,
      to: name,
      columnBefore: byNumber,
      columnAfter: byNumber,
      empty: true,
      hasParent: await parentsOnTarget(is.parents, context, target),
    };
    await target.run(tableStatements(change, table, context));
  }

  /** A partitioned table has no plan of its own: it is followed by the selection. */
  private async partitioned(change: TableChange, was: TableStructure | undefined, is: TableStructure): Promise<TableOutcome> {
    const { context, target } = change;
    const place = (table: TableStructure) => this.mapped(table);
    const to = place(is);
    this.names.set(is, { target: to.target, columns: to.columns, excluded: to.excluded });
    if (was === undefined) {
      refuseRuled(is, this.following);
      if (this.operations.create && !(await target.hasRelation(to.target)))
        await this.make(is, { planned: to.target, byNumber: to.byNumber }, context, target);
      return { kind: "kept" };
    }
    const from = place(was);
    const emptied = [...this.empties.values()].includes(change.position);
    const table = {
      source: is,
      from: from.target,
      to: to.target,
      columnBefore: from.byNumber,
      columnAfter: to.byNumber,
      empty: emptied,
    };
    await this.carry(difference(was, is), { ...table, hasParent: () => true }, this.operations, change);
    return { kind: "kept" };
  }

  private async alter(
    change: TableChange,
    planned: PlannedTable,
    was: TableStructure | undefined,
    is: TableStructure,
  ): Promise<TableOutcome> {
    const { context, target, position } = change;
    refuseJoinedRuled(planned, was, is, this.following);
    const { objects } = this.following.options;
    if (objects && !objects.some(({ schema }) => schema === is.schema)) return { kind: "gone" };
    const operations = planned.ddl ?? NONE;
    const entry = this.names.entry(was ?? is, (was ?? is).parents);
    const given = new Set((entry?.table.columns ?? []).flatMap(({ name, rename }) => (rename === undefined ? [] : [name])));
    const found = await target.relation(planned.target);
    const now = found?.type === "table" ? found : undefined;
    const newColumn = (column: ColumnStructure): string | undefined => {
      if (this.names.entry(is, is.parents)?.table.excludeColumns?.includes(column.name)) return undefined;
      const name = this.names.entry(is, is.parents)?.table.columns?.find(({ name }) => name === column.name)?.rename;
      const there = name ?? this.names.spell(column.name);
      return operations.alter || now?.columns.some((each) => each.name === there) ? there : undefined;
    };
    const renamed = replanTable(planned, was, is, {
      renames: operations.rename,
      newColumn,
      givenColumn: (name) => given.has(name),
      spell: (name) => this.names.spell(name),
      target: this.targetOf(planned, is, operations),
    });
    this.names.forget(planned.source);
    this.register(renamed);
    const before = new Map(planned.columns.map((column) => [column.number, column.target]));
    const generated = new Map(
      (was?.columns ?? []).filter((each) => each.generated).map((each) => [each.number, this.names.spell(each.name)]),
    );
    const after = columnsByNumber(renamed, is);
    const table: EmitTable = {
      source: is,
      from: planned.target,
      to: renamed.target,
      columnBefore: (number) => before.get(number) ?? generated.get(number),
      columnAfter: after,
      empty: this.empties.get(is.id) === position || this.waits(change),
      hasParent: await parentsOnTarget([...is.parents, ...(was?.parents ?? [])], context, target),
    };
    await this.carry(was ? difference(was, is) : [], table, operations, change);
    await this.renameWaitingKeys(planned, table, target);
    await this.refuseMissingValues(renamed, is, target, change);
    return { kind: "planned", table: renamed };
  }

  /** Keys from and to the table that wait for the rows were written down in the names it had. */
  private async renameWaitingKeys(planned: PlannedTable, table: EmitTable, target: DdlTarget): Promise<void> {
    const names = new Map(planned.columns.map(({ number, target: name }) => [name, table.columnAfter(number) ?? name]));
    const [before, after] = [shownTarget(table.from), shownTarget(table.to)];
    if (before === after && [...names].every(([name, next]) => name === next)) return;
    const { store } = this.following;
    const waiting = ((await target.json(store.stepsNeeding(`table:${before}`))) ?? []) as DdlStep[];
    const renaming = { from: table.from, to: table.to, column: (name: string) => names.get(name) ?? name };
    await target.run(waiting.map((step) => store.stepPlanned(renamedKeyStep(step, renaming))));
  }

  /** Not loaded yet, so empty on the target; unless rows of its owner's are there. */
  private waits({ former }: TableChange): boolean {
    return former?.loadPosition === NOT_LOADED && !this.overwrite;
  }

  /** Steps that were asked for, that this target takes, and that are not taken yet. */
  private async carry(
    changes: readonly Change[],
    table: EmitTable,
    operations: DdlOperations,
    { event, context, target, isLevel }: TableChange,
  ): Promise<void> {
    const { dialect } = context;
    const { store } = this.following;
    for (const each of changes) {
      if (!operations[operationOf(each)]) continue;
      const refused = dialect.refuses(each);
      if (refused !== undefined) {
        this.passedOver(event, refused);
        continue;
      }
      // Asked anew for each step: one may have done another's work (a parent's column, a key's index).
      const places = [table.from, { schema: table.from.schema, name: table.to.name }, table.to];
      let now: Structure | undefined;
      for (const place of places) now ??= await target.relation(place);
      if (now?.type !== "table" || !isNeeded(each, table, now)) continue;
      const change = byItsOwnName(each, now);
      const referenced = await referencedTable(change, table.source, context, target);
      if (change.kind === "addConstraint" && change.constraint.referenced && !referenced) continue;
      const isMoved = now.schema === table.to.schema && now.name === table.to.name;
      const placed = isMoved || change.kind === "rename" || change.kind === "setSchema" ? table : { ...table, to: table.from };
      if (change.kind === "setSchema" && !(await target.hasSchema(table.to.schema)))
        await target.run([`CREATE SCHEMA IF NOT EXISTS ${ident(table.to.schema)}`]);
      if (change.kind === "changeType" && table.empty) await this.suspendForeignKeys(placed.to, target);
      if (each.kind === "dropConstraint" && each.constraint.kind === "f")
        await target.run([store.stepsGone(keyStepId({ target: table.from }, each.constraint))]);
      const place = { table: placed, now, ...(referenced ? { referenced } : {}) };
      const impossible = dialect.refusesOn?.(change, place);
      if (impossible !== undefined) {
        this.passedOver(event, impossible);
        continue;
      }
      const statements = dialect.tableStep?.(change, place, context) ?? tableStatements(change, placed, context);
      const waits = change.kind === "addConstraint" && change.constraint.kind === "f" && !isLevel();
      await target.run(waits ? [store.stepPlanned(keyStep(change.constraint, statements, placed, context))] : statements);
    }
  }

  private passedOver({ command, after, before }: TableChange["event"], reason: string): void {
    const subject = after ?? before;
    this.following.tell?.(`${command.tag} on ${subject?.schema}.${subject?.name} is not carried over: ${reason}`);
  }

  /** The server would look for the keys of an emptied table at once; they hold again when its rows are back. */
  private async suspendForeignKeys(name: QualifiedName, target: DdlTarget): Promise<void> {
    const keys = await target.foreignKeys(name);
    await target.run(keys.map(({ drop }) => drop));
    this.atCommit.push(...keys.map(({ make }) => make));
  }

  /** The target keeps what the program does not carry over; a row that says nothing of it must still fit. */
  private async refuseMissingValues(
    planned: PlannedTable,
    is: TableStructure,
    target: DdlTarget,
    { event, position }: TableChange,
  ): Promise<void> {
    const now = await target.relation(planned.target);
    if (now?.type !== "table") return;
    const written = new Set([
      ...planned.columns.map(({ target: name }) => name),
      ...is.columns.filter((each) => each.generated).map(({ name }) => this.names.spell(name)),
    ]);
    const stuck = now.columns.find(
      (column) => column.notNull && column.default === null && !column.identity && !written.has(column.name),
    );
    if (!stuck) return;
    throw new GodwitError(
      ErrorCode.StructureChanged,
      `${event.command.tag} took column "${stuck.name}" away, which the target keeps and does not let be empty`,
      {
        object: `${planned.target.schema}.${planned.target.name}`,
        position: formatLsn(position),
        remedy: `ALTER TABLE ${qualified(planned.target)} ALTER COLUMN ${ident(stuck.name)} DROP NOT NULL on the target, or add alter to operations.ddl; then run pulumi up`,
      },
    );
  }

  /** A name that the program gave stays; others follow the source's where renames are carried over. */
  private targetOf(planned: PlannedTable, is: TableStructure, operations: DdlOperations): QualifiedName {
    if (planned.source.schema === is.schema && planned.source.name === is.name) return planned.target;
    if (!operations.rename) return planned.target;
    const given = this.names.entry(planned.source)?.table.rename !== undefined;
    const next = this.names.newTable(is);
    return {
      schema: planned.source.schema === is.schema ? planned.target.schema : next.schema,
      name: given || planned.source.name === is.name ? planned.target.name : next.name,
    };
  }

  /** Target names of a table that has no plan. */
  private mapped(table: TableStructure) {
    const entry = this.names.entry(table, table.parents)?.table;
    const renames = new Map((entry?.columns ?? []).map(({ name, rename }) => [name, rename]));
    const excluded = new Set(entry?.excludeColumns ?? []);
    const columns = new Map(
      table.columns
        .filter(({ name }) => !excluded.has(name))
        .map(({ name }) => [name, renames.get(name) ?? this.names.spell(name)]),
    );
    const byNumber = (number: number): string | undefined =>
      columns.get(table.columns.find((column) => column.number === number)?.name ?? "");
    return { target: this.names.newTable(table), columns, excluded, byNumber };
  }

  private register(planned: PlannedTable): void {
    this.names.set(planned.source, {
      target: planned.target,
      columns: new Map(planned.columns.map(({ source, target }) => [source, target])),
      excluded: new Set(this.names.entry(planned.source)?.table.excludeColumns),
    });
  }
}

/** A primary key is the one that the table has, whatever it is called there. */
function byItsOwnName(change: Change, now: TableStructure): Change {
  if (change.kind !== "dropConstraint" || change.constraint.kind !== "p") return change;
  const there = now.constraints.find(({ kind }) => kind === "p");
  return there ? { ...change, constraint: { ...change.constraint, name: there.name } } : change;
}

/** Plans made before there was a choice. */
const NONE: DdlOperations = {
  create: false,
  alter: false,
  drop: false,
  rename: false,
  index: false,
  view: false,
  routine: false,
};

/** Generated columns are no part of a plan, and on the target all the same. */
function columnsByNumber(planned: PlannedTable, is: TableStructure): (number: number) => string | undefined {
  const columns = new Map(planned.columns.map(({ number, target }) => [number, target]));
  for (const { number, name, generated } of is.columns) if (generated && !columns.has(number)) columns.set(number, name);
  return (number) => columns.get(number);
}
