import type { Client } from "pg";
import { ErrorCode, GodwitError } from "../../../../engine/errors.js";
import type { QualifiedName } from "../../../../engine/models/catalog.js";
import { NOT_LOADED, type Position } from "../../../../engine/models/change.js";
import type { DdlOperations, PlannedTable } from "../../../../engine/models/plan.js";
import { ddlOperations } from "../../../../engine/plan.js";
import { CarefulNeeded } from "../../apply/applier.js";
import type { ApplySql } from "../../apply/applyDialect.js";
import { isRejection } from "../../apply/careful.js";
import type { TargetConnection } from "../../apply/targetConnection.js";
import type { PostgresCatalog } from "../../catalog/model.js";
import { formatLsn } from "../../lsn.js";
import { shownTarget } from "../../schema/draft.js";
import { ident, qualified } from "../../sql.js";
import type { DdlEvent } from "../ddlEvent.js";
import { difference } from "../difference.js";
import { type DdlDialect, type EmitContext, operationOf } from "../emit/ddlDialect.js";
import { objectStatements } from "../emit/objectStatements.js";
import type { Structure } from "../structure.js";
import { type DdlFollowing, type FollowedEntry, type StructuralApplier, TextNeeded } from "./ddlFollowing.js";
import { DdlTarget, StatementRefused } from "./ddlTarget.js";
import { FollowedNames } from "./followedNames.js";
import { sqlFor } from "./followedSql.js";
import { TableFollower } from "./tableFollower.js";

export interface FollowerOptions {
  readonly following: DdlFollowing;
  readonly tables: readonly FollowedEntry[];
  readonly applier: StructuralApplier;
  readonly dialect: DdlDialect;
  /** Of the source, as it is now; undefined when no names change. */
  readonly catalog: PostgresCatalog | undefined;
  readonly apply: Pick<ApplySql, "describeTargets" | "binaryFits">;
  /** The stream is in binary. */
  readonly binary: boolean;
  /** conflictMode ignoreAndProceed: a table that is there already is taken as it is. */
  readonly overwrite: boolean;
}

type ChangeEvent = Extract<DdlEvent, { kind: "change" }>;

/**
 * Applies changes of structure on the target, each inside the transaction of the source transaction it came in: with its rows and
 * the checkpoint it is there or it is not.
 */
export class DdlFollower {
  private readonly tables: Map<number, FollowedEntry>;
  private readonly names: FollowedNames;
  private readonly operations: DdlOperations;
  private readonly tableFollower: TableFollower;

  constructor(private readonly options: FollowerOptions) {
    const { following, tables } = options;
    this.tables = new Map(tables.map((entry) => [entry.table.id, entry]));
    this.names = new FollowedNames({
      ...(following.options.objects ? { objects: following.options.objects } : {}),
      ...(following.options.capitalization ? { capitalization: following.options.capitalization } : {}),
    });
    for (const { table } of tables) this.nameTable(table);
    this.operations = ddlOperations(following.options.operations?.ddl, "the task");
    this.tableFollower = new TableFollower(this.names, this.operations, following, options.overwrite);
  }

  /** Whether an event is this task's at all: one that is not must not cost a transaction on the target. */
  concerns(event: DdlEvent, position: Position): boolean {
    switch (event.kind) {
      case "empty":
        return event.ids.some((id) => this.isLive(id, position));
      case "emptied":
        return false;
      case "failed":
        return event.class === "rows" ? this.isLive(event.id, position) : position >= this.options.following.readAt;
      case "refresh":
        return this.operations.view && this.names.selects("view", event.view);
      case "change":
        return this.concernsChange(event, position);
    }
  }

  async apply(event: DdlEvent, position: Position): Promise<void> {
    let refused: StatementRefused | undefined;
    const work = async (connection: TargetConnection): Promise<void> => {
      try {
        await this.applyInside(event, position, connection);
      } catch (cause) {
        if (cause instanceof StatementRefused) refused = cause;
        throw cause;
      }
    };
    try {
      await this.options.applier.between(work);
    } catch (cause) {
      const told = refused ? this.rejected(refused, event, position) : cause;
      // What came before it is applied first; then it is tried again by itself, and told.
      throw told instanceof GodwitError && !this.options.applier.isCareful ? new CarefulNeeded(position, { cause: told }) : told;
    }
  }

  /** Whether something is to be done before the transaction at hand is committed. */
  get hasLast(): boolean {
    return this.tableFollower.atCommit.length > 0;
  }

  /** Does it; all rows of the transaction are on the target by then. */
  async last(): Promise<void> {
    const statements = this.tableFollower.atCommit.splice(0);
    await this.options.applier.between((connection) => new DdlTarget(connection, this.options.dialect).run(statements));
  }

  private async applyInside(event: DdlEvent, position: Position, connection: TargetConnection): Promise<void> {
    const target = new DdlTarget(connection, this.options.dialect);
    await target.run(SETTINGS);
    if (event.kind === "empty") await this.empty(event.ids, position, target);
    else if (event.kind === "refresh") await this.refresh(event.view, target);
    else if (event.kind === "change") await this.change(event, position, target);
    else if (event.kind === "failed") this.refuseFailed(event, position);
    await target.run(RESET);
  }

  private async change(event: ChangeEvent, position: Position, target: DdlTarget): Promise<void> {
    const subject = event.after ?? event.before;
    if (!subject) return;
    if (subject.type !== "table") {
      await this.changeObject(event, subject, target);
      return;
    }
    const former = this.tables.get(event.id);
    const context = this.context(event);
    const outcome = await this.tableFollower.change({
      event,
      former,
      position,
      context,
      target,
      isTaken: (name) => this.isTaken(name, event.id),
      isLevel: () => this.isLevel(position),
    });
    const { store } = this.options.following;
    if (outcome.kind === "kept") return;
    if (outcome.kind === "gone") {
      if (former) {
        this.tables.delete(event.id);
        this.names.forget(former.table.source);
        this.options.applier.forget(event.id);
        await target.run([store.tableGone(event.id), store.stepsGone(`table:${shownTarget(former.table.target)}`)]);
      }
      return;
    }
    const { table } = outcome;
    const entry: FollowedEntry = former ? { ...former, table } : { table, loadPosition: position };
    const targets = await this.options.apply.describeTargets(target.asClient() as Client, [table]);
    if (this.options.binary && table.streamed && !this.options.apply.binaryFits([table], targets)) throw new TextNeeded();
    await target.run([store.tablePlanned(table, entry.loadPosition)]);
    this.tables.set(event.id, entry);
    this.options.applier.replan(entry, targets.get(event.id));
  }

  private async changeObject(event: ChangeEvent, subject: Structure, target: DdlTarget): Promise<void> {
    const context = this.context(event);
    for (const change of difference(event.before, event.after)) {
      if (!this.operations[objectOperation(subject, operationOf(change))]) continue;
      const reason = this.options.dialect.refuses(change);
      if (reason !== undefined) {
        this.options.following.tell?.(`${event.command.tag} ${subject.schema}.${subject.name} is not carried over: ${reason}`);
        continue;
      }
      const name = context.relation(subject);
      // A plan that is newer than the stream may have made it already.
      if (change.kind === "createView" && (await target.hasRelation(name))) {
        if (subject.type === "view") await target.run(objectStatements({ ...change, replaces: true }, subject, context));
        continue;
      }
      if (change.kind === "createIndex" && (await target.hasRelation({ schema: name.schema, name: change.index.name }))) continue;
      if (subject.type === "schema" && change.kind === "rename" && (await target.hasSchema(this.names.schema(change.to))))
        continue;
      if (change.kind === "createType" && (await target.hasType(name))) continue;
      if ((change.kind === "rename" || change.kind === "setSchema") && !isRoutine(subject) && subject.type !== "schema") {
        const there = isType(subject) ? await target.hasType(name) : await target.hasRelation(name);
        if (there) continue;
      }
      if (/^create/.test(change.kind) && subject.type !== "schema") await this.ensureSchema(name.schema, target);
      await target.run(objectStatements(change, subject, context));
    }
  }

  /** The source's command wrote every row of them anew; the new ones follow. */
  private async empty(ids: readonly number[], position: Position, target: DdlTarget): Promise<void> {
    for (const id of ids) {
      const entry = this.tables.get(id);
      if (!entry || !this.isLive(id, position)) continue;
      // Not TRUNCATE: other tables of the target may refer to it.
      await target.run([`DELETE FROM ONLY ${qualified(entry.table.target)}`]);
      this.tableFollower.emptied(id, position);
    }
  }

  private async refresh(view: QualifiedName, target: DdlTarget): Promise<void> {
    const name = this.names.relation(view);
    if (await target.hasRelation(name)) await target.run([`REFRESH MATERIALIZED VIEW ${qualified(name)}`]);
  }

  private async ensureSchema(schema: string, target: DdlTarget): Promise<void> {
    if (!(await target.hasSchema(schema))) await target.run([`CREATE SCHEMA IF NOT EXISTS ${ident(schema)}`]);
  }

  private concernsChange({ id, before, after, published }: ChangeEvent, position: Position): boolean {
    const subject = after ?? before;
    if (!subject) return false;
    if (subject.type === "table") {
      if (this.tables.has(id)) return this.isLive(id, position) || this.waits(id);
      const { publication } = this.options.following;
      return published.includes(publication) || this.names.selects("table", subject, subject.parents);
    }
    if (subject.type === "sequence" && subject.owner) return this.ownerIsFollowed(subject.owner);
    return this.names.selects(subject.type === "materializedView" ? "view" : kindOf(subject), subject);
  }

  /** A serial's sequence goes where its table goes. */
  private ownerIsFollowed(owner: QualifiedName): boolean {
    for (const { table } of this.tables.values())
      if (table.source.schema === owner.schema && table.source.name === owner.name) return true;
    return this.names.selects("table", owner);
  }

  /** The table's rows are those of before the change, not of a later snapshot. */
  private isLive(id: number, position: Position): boolean {
    const entry = this.tables.get(id);
    return entry !== undefined && (entry.loadPosition === undefined || position >= entry.loadPosition);
  }

  /** Every table stands where the stream is: what holds at the source holds on the target. */
  private isLevel(position: Position): boolean {
    for (const { loadPosition } of this.tables.values()) if (loadPosition !== undefined && position < loadPosition) return false;
    return true;
  }

  /** Another followed table has the name on the target: one of a newer plan, or that took the name since. */
  private isTaken({ schema, name }: QualifiedName, id: number): boolean {
    for (const { table } of this.tables.values())
      if (table.id !== id && table.target.schema === schema && table.target.name === name) return true;
    return false;
  }

  /** It is not loaded yet: its rows do not count, its structure is made on the target all the same. */
  private waits(id: number): boolean {
    return this.tables.get(id)?.loadPosition === NOT_LOADED;
  }

  private refuseFailed(event: Extract<DdlEvent, { kind: "failed" }>, position: Position): never {
    const detail = { object: event.name ?? event.command.tag, position: formatLsn(position) };
    if (event.class === "rows") {
      throw new GodwitError(
        ErrorCode.StructureRowsLost,
        `the source could not hand over the rows that ${event.command.tag} wrote: ${event.message}`,
        {
          ...detail,
          remedy: "exclude the table and run pulumi up, empty it on the target, then take it in again: it is copied anew",
        },
      );
    }
    throw new GodwitError(
      ErrorCode.StructureChanged,
      `the source could not describe what ${event.command.tag} changed: ${event.message}`,
      {
        ...detail,
        remedy:
          "make the same change on the target where it is a table of the task, then run pulumi up: the task takes the new structure over",
      },
    );
  }

  private rejected(refused: StatementRefused, event: DdlEvent, position: Position): unknown {
    const { code, detail, hint } = refused.cause as { code?: string; detail?: string; hint?: string };
    if (code === undefined || !isRejection(code)) return refused.cause;
    const command = "command" in event ? `${event.command.tag} of the source` : "a change of structure";
    const object = event.kind === "change" ? (event.after ?? event.before) : undefined;
    return new GodwitError(
      ErrorCode.StructureStatementRejected,
      `${command}: the target rejects ${refused.statement.slice(0, 500)}: ${[refused.message, detail].filter(Boolean).join(": ")}`,
      {
        ...(object ? { object: `${object.type} ${object.schema}.${object.name}` } : {}),
        position: formatLsn(position),
        remedy: `${hint ? `${hint}; ` : ""}mend what the target objects to (or make the change there by hand), then run pulumi up: the statement is tried again`,
        cause: refused.cause,
      },
    );
  }

  private context(event: ChangeEvent): EmitContext {
    const { dialect, catalog } = this.options;
    const named = [event.before, event.after].flatMap((each) => (each ? [{ schema: each.schema, name: each.name }] : []));
    return {
      dialect,
      sql: sqlFor(catalog, this.names, named),
      relation: (source) => this.names.relation(source),
      schema: (source) => this.names.schema(source),
    };
  }

  private nameTable(table: PlannedTable): void {
    this.names.set(table.source, {
      target: table.target,
      columns: new Map(table.columns.map(({ source, target }) => [source, target])),
      excluded: new Set(this.names.entry(table.source)?.table.excludeColumns),
    });
  }
}

/** Long waits for a lock hold the whole stream up, and show nowhere: after a while they are an error that names the statement. */
const SETTINGS = ["SET LOCAL lock_timeout = '60s'", "SET LOCAL enable_hashjoin = on", "SET LOCAL enable_mergejoin = on"];
const RESET = ["SET LOCAL lock_timeout = 0", "SET LOCAL enable_hashjoin = off", "SET LOCAL enable_mergejoin = off"];

function kindOf({ type }: Structure): string {
  return type === "enum" || type === "composite" ? "type" : type;
}

/** A view's rename and its indexes are changes of the view; so with routines. */
function objectOperation(subject: Structure, operation: keyof DdlOperations): keyof DdlOperations {
  if (subject.type === "view" || subject.type === "materializedView") return "view";
  return isRoutine(subject) ? "routine" : operation;
}

function isRoutine({ type }: Structure): boolean {
  return type === "function" || type === "procedure";
}

function isType({ type }: Structure): boolean {
  return type === "enum" || type === "domain" || type === "composite";
}
