import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { QualifiedName } from "../../../engine/models/catalog.js";
import type { DdlOperations, PlannedTable } from "../../../engine/models/plan.js";
import { ddlOperations, resolvePlan } from "../../../engine/plan.js";
import type { TaskSelection } from "../../../engine/taskDefinition.js";
import type { TableRecord } from "../../../engine/taskStore.js";
import type { Applier } from "../../postgres/apply/applier.js";
import { describeTargets, type TargetTable } from "../../postgres/apply/targetTables.js";
import type { OracleCatalog, OracleColumn } from "../catalog/model.js";
import { naturalName } from "../catalog/naturalName.js";
import { convertDdl } from "../convert/convertDdl.js";
import { quoteName } from "../convert/write/names.js";
import type { DdlChange } from "../logMiner/emitTransaction.js";
import { formatPosition } from "../logMiner/position.js";
import type { RedoTables } from "../logMiner/redoTables.js";
import { type DdlName, type DdlStatement, readDdlStatement } from "./ddlStatement.js";
import { OpenTarget, Refused } from "./openTarget.js";
import { redoInputs } from "./redoInputs.js";
import { withColumnsOf } from "./withColumnsOf.js";

export interface DdlFollowerOptions {
  /** Absent in tasks made before structure was followed: every change of a table's structure stops them. */
  readonly selection: TaskSelection | undefined;
  readonly entries: readonly Entry[];
  readonly tables: RedoTables;
  readonly applier: Applier;
  /** Statements of the store for the same transaction. */
  readonly store:
    | {
        tablePlanned(table: PlannedTable, loadPosition: bigint | undefined): string;
        tableGone(tableId: number): string;
      }
    | undefined;
  /** The source as it is now, which may be further than the statement at hand. */
  readonly readCatalog: () => Promise<OracleCatalog>;
  readonly onWarning: (message: string) => void;
}

type Entry = Pick<TableRecord, "table" | "loadPosition">;

interface Replan extends Entry {
  readonly target: OpenTarget;
  readonly catalog: OracleCatalog;
  /** The target's columns before the statement. */
  readonly before: ReadonlySet<string>;
  /** Of a table that was just made. */
  readonly born?: bigint;
}

/**
 * Carries DDL of the source over to the target: the statement's text, converted, in a target transaction of its own that also records the table's new plan.
 * What the converter or the target refuses of a table stops the task (GW1502, GW1551); of a view or a routine it is a warning, for no row depends on it.
 */
export class DdlFollower {
  private readonly entries: Map<string, Entry>;
  private readonly task: DdlOperations;
  private readonly readAt: bigint;

  constructor(private readonly options: DdlFollowerOptions) {
    this.entries = new Map(options.entries.map((entry) => [keyOf(entry.table.source), entry]));
    this.task = ddlOperations(options.selection?.options.operations?.ddl, "operations");
    this.readAt = options.selection ? BigInt(options.selection.readAt) : 0n;
  }

  /** Errors: GW1502, GW1551. */
  async take(change: DdlChange): Promise<void> {
    // The plan was read after it.
    if (change.position < this.readAt) return;
    const statement = readDdlStatement(change.sql);
    if (statement.kind === "other") return;
    const table = "table" in statement && statement.table ? named(statement.table, change.owner) : undefined;
    const entry = table && this.entries.get(keyOf(table));
    const allowed = (entry?.table.ddl ?? this.task)[statement.operation];
    if (!allowed || (table && !entry && statement.kind !== "createTable")) return;
    if (entry && this.isRenamed(entry.table)) {
      throw this.stops(change, entry.table.source, "its names are others on the target, so the statement can't be carried over");
    }
    if (statement.kind === "createTable")
      return entry ? undefined : this.create(change, statement, named(statement.table, change.owner));
    if (statement.kind === "object" || statement.kind === "index") return this.object(change, statement);
    if (entry) return this.alter(change, statement, entry);
  }

  private async alter(change: DdlChange, statement: DdlStatement, { table, loadPosition }: Entry): Promise<void> {
    const sql = this.converted(change, table.source);
    if (sql.length === 0) return;
    const renamed = statement.kind === "renameTable" ? { schema: table.source.schema, name: statement.to } : table.source;
    const catalog = statement.kind === "dropTable" ? undefined : await this.options.readCatalog();
    await this.within(change, async (target) => {
      const before = columnNames(await describe(target, table));
      await this.run(target, change, sql, table.source);
      if (!catalog) {
        await target.run([this.options.store?.tableGone(table.id) ?? ""].filter(Boolean));
        this.options.applier.forget(table.id);
        this.entries.delete(keyOf(table.source));
        return;
      }
      const moved = { ...table, source: renamed, target: targetOf(renamed, table.target) };
      this.entries.delete(keyOf(table.source));
      await this.replan({ target, table: moved, catalog, loadPosition, before });
    });
  }

  private async create(change: DdlChange, statement: DdlStatement & { kind: "createTable" }, name: QualifiedName): Promise<void> {
    const { selection } = this.options;
    const chosen = selection?.options.objects?.find(({ schema }) => schema === name.schema);
    if (!selection || (selection.options.objects && (!chosen || chosen.tables || chosen.exclude?.includes(name.name)))) return;
    const catalog = await this.options.readCatalog();
    // Gone again by now: the rows it had are gone as well.
    if (!catalog.tables.some((table) => keyOf(table) === keyOf(name))) return;
    if (statement.fromQuery) throw this.stops(change, name, "a table made from a query brings rows that its redo may not hold");
    const sql = this.converted(change, name);
    const planned = resolvePlan(catalog, selection.options).tables.find(({ source }) => keyOf(source) === keyOf(name));
    if (!planned || sql.length === 0) return;
    await this.within(change, async (target) => {
      await this.run(target, change, [`CREATE SCHEMA IF NOT EXISTS ${quoteName(planned.target.schema)}`, ...sql], name);
      // Every row it has comes after this statement.
      const born = change.position;
      await this.replan({ target, table: planned, catalog, loadPosition: undefined, before: new Set(), born });
    });
  }

  /** The table's plan from here on: the source's columns as far as the target has them. Later statements bring the others. */
  private async replan({ target, table, catalog, loadPosition, before, born }: Replan): Promise<void> {
    const described = await describe(target, table);
    const source = catalog.tables.find(
      ({ id, schema, name }) => id === table.id || keyOf({ schema, name }) === keyOf(table.source),
    );
    const planned = withColumnsOf(table, source, { before, now: columnNames(described) });
    const { store, applier, tables } = this.options;
    await target.run([store?.tablePlanned(planned, born) ?? ""].filter(Boolean));
    applier.replan({ table: planned, loadPosition }, described);
    tables.set(redoInputs(planned, detailsOf(catalog, source?.id)));
    this.entries.set(keyOf(planned.source), { table: planned, loadPosition });
  }

  private async object(change: DdlChange, statement: DdlStatement & { kind: "object" | "index" }): Promise<void> {
    const conversion = convertDdl(`${change.sql}\n/\n`);
    for (const { reason } of conversion.skipped) this.options.onWarning(`${shown(change)} was not carried over: ${reason}`);
    const sql = [...conversion.support, ...conversion.statements.flatMap((each) => each.sql)];
    if (sql.length === 0) return;
    await this.within(change, async (target) => {
      try {
        await target.run(["SAVEPOINT godwit_ddl", ...this.inSchema(change, sql), "RELEASE SAVEPOINT godwit_ddl"]);
      } catch (cause) {
        if (!(cause instanceof Refused)) throw cause;
        await target.run(["ROLLBACK TO SAVEPOINT godwit_ddl", "RELEASE SAVEPOINT godwit_ddl"]);
        const what = statement.kind === "index" ? "an index" : "an object";
        this.options.onWarning(`${what} was not carried over, the target refused it: ${cause.message}; ${shown(change)}`);
      }
    });
  }

  /** What the statement becomes; nothing where PostgreSQL has nothing to be told. Errors: GW1502. */
  private converted(change: DdlChange, table: QualifiedName): readonly string[] {
    const conversion = convertDdl(`${change.sql}\n/\n`);
    const [refused] = conversion.skipped;
    if (refused) throw this.stops(change, table, refused.reason);
    return [...conversion.support, ...conversion.statements.flatMap((each) => each.sql)];
  }

  private async run(target: OpenTarget, change: DdlChange, sql: readonly string[], table: QualifiedName): Promise<void> {
    try {
      await target.run(this.inSchema(change, sql));
    } catch (cause) {
      if (!(cause instanceof Refused)) throw cause;
      throw new GodwitError(ErrorCode.StructureStatementRejected, `the target refused a change of structure: ${cause.message}`, {
        object: `${table.schema}.${table.name}`,
        position: formatPosition(change.position),
        remedy: `mend what the target objects to; the statement was: ${cause.statement.slice(0, 500)}`,
        cause,
      });
    }
  }

  private inSchema(change: DdlChange, sql: readonly string[]): readonly string[] {
    return [`SET LOCAL search_path = ${quoteName(naturalName(change.owner))}, public`, ...sql, "SET LOCAL search_path = ''"];
  }

  private async within(change: DdlChange, work: (target: OpenTarget) => Promise<void>): Promise<void> {
    const { applier } = this.options;
    applier.begin(change.position);
    await applier.between((connection) => work(new OpenTarget(connection)));
    applier.commit(change.position, change.endPosition, change.timeMs);
  }

  private isRenamed({ source, target, columns }: PlannedTable): boolean {
    return (
      naturalName(source.schema) !== target.schema ||
      naturalName(source.name) !== target.name ||
      columns.some((column) => naturalName(column.source) !== column.target)
    );
  }

  private stops(change: DdlChange, table: QualifiedName, reason: string): GodwitError {
    return new GodwitError(ErrorCode.StructureChanged, `the table's structure changed: ${reason}`, {
      object: `${table.schema}.${table.name}`,
      position: formatPosition(change.position),
      remedy:
        "make the same change on the target, then run pulumi up: the task takes the new structure over and goes on; the statement was: " +
        change.sql.slice(0, 500),
    });
  }
}

function named({ schema, name }: DdlName, owner: string): QualifiedName {
  return { schema: schema ?? owner, name };
}

function keyOf({ schema, name }: QualifiedName): string {
  return `${schema}.${name}`;
}

function targetOf(source: QualifiedName, former: QualifiedName): QualifiedName {
  return { schema: former.schema, name: naturalName(source.name) };
}

async function describe(target: OpenTarget, table: PlannedTable): Promise<TargetTable | undefined> {
  return (await describeTargets(target.asClient() as Parameters<typeof describeTargets>[0], [table])).get(table.id);
}

function columnNames(target: TargetTable | undefined): ReadonlySet<string> {
  return new Set(target?.columns.keys() ?? []);
}

function detailsOf(catalog: OracleCatalog, id: number | undefined): readonly OracleColumn[] | undefined {
  return id === undefined ? undefined : catalog.details.get(id)?.columns;
}

function shown({ owner, sql }: DdlChange): string {
  return `DDL in ${owner}: ${sql.slice(0, 200)}`;
}
