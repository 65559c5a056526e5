import type { QualifiedName } from "../../../engine/models/catalog.js";
import type { DdlOperations, PlannedTable } from "../../../engine/models/plan.js";
import { ddlOperations, resolvePlan } from "../../../engine/plan.js";
import type { TaskSelection } from "../../../engine/taskDefinition.js";
import type { TableRecord } from "../../../engine/taskStore.js";
import type { Applier } from "../../postgres/apply/applier.js";
import { describeTargets, type TargetTable } from "../../postgres/apply/targetTables.js";
import { ident, qualified } from "../../postgres/sql.js";
import type { OracleCatalog } from "../catalog/model.js";
import { naturalName } from "../catalog/naturalName.js";
import type { OracleConnection } from "../driver.js";
import type { DdlChange } from "../logMiner/emitTransaction.js";
import { positionAt } from "../logMiner/position.js";
import type { RedoTables } from "../logMiner/redoTables.js";
import { alterSql, PARTITIONS } from "./alterSql.js";
import { ChangeConversion } from "./changeConversion.js";
import { columnChanges, createdColumns } from "./columnChanges.js";
import { optionsOf, takesIn } from "./ddlScope.js";
import { type DdlOperation, type DdlStatement, isInRecycleBin, readDdlStatement } from "./ddlStatement.js";
import { structureRejected, structureStops } from "./ddlStops.js";
import type { NamesOnTarget } from "./ddlText.js";
import type { DdlName } from "./ddlWords.js";
import { OpenTarget, Refused } from "./openTarget.js";
import { renamedColumns, withPlaces } from "./planNames.js";
import { redoInputs } from "./redoInputs.js";
import { evolveStored, tableAsOf, withStored } from "./storedColumns.js";
import { loadTaken, only, takeTable, whileItChanges } from "./takeTable.js";
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
  /** A session where the tables are. */
  readonly withSource: <T>(use: (connection: OracleConnection) => Promise<T>) => Promise<T>;
  readonly postgis: boolean;
  readonly onWarning: (message: string) => void;
}

const TABLES_OF_CLUSTER = `
SELECT t.owner AS "schema", t.table_name AS "table" FROM all_tables t WHERE t.owner = :schema AND t.cluster_name = :name`;

const UNDEFINED_TABLE = "42P01";

type Entry = Pick<TableRecord, "table" | "loadPosition">;

interface Replan extends Entry {
  readonly target: OpenTarget;
  readonly catalog: OracleCatalog;
  /** The target's columns before the statement. */
  readonly before: ReadonlySet<string>;
  /** The statement says something of keys. */
  readonly keyMayDiffer?: boolean;
}

/**
 * Carries DDL of the source over to the target: the statement's text, converted, in a target transaction of its own that also records the table's new plan.
 * What the converter or the target refuses of a table stops the task (GW1502, GW1551); of a view or a routine it is a warning, for no row depends on it.
 * A statement that operations.ddl leaves out changes what is known of the source all the same: rows go on arriving in the new form.
 */
export class DdlFollower implements NamesOnTarget {
  private readonly entries: Map<string, Entry>;
  private readonly task: DdlOperations;
  private readonly readAt: bigint;
  private readonly conversion: ChangeConversion;

  constructor(private readonly options: DdlFollowerOptions) {
    this.conversion = new ChangeConversion(options, this);
    this.entries = new Map(options.entries.map((entry) => [keyOf(entry.table.source), entry]));
    this.task = ddlOperations(options.selection?.options.operations?.ddl, "operations");
    this.readAt = options.selection ? BigInt(options.selection.readAt) : 0n;
  }

  /** Errors: GW1502, GW1551, and what reading the source throws. */
  async take(change: DdlChange): Promise<void> {
    // The plan was read after it.
    if (change.position < this.readAt) return;
    const statement = readDdlStatement(change.sql);
    if (statement.kind === "other") return;
    if (statement.kind === "object") return this.object(change, statement);
    if (statement.kind === "exchange") return this.exchanged(change, statement);
    if (statement.kind === "truncateCluster") return this.truncateCluster(change, statement.cluster);
    const table = statement.table && named(statement.table, change.owner);
    const entry = table && this.entries.get(keyOf(table));
    if (entry?.table.structureAt !== undefined && change.position < BigInt(entry.table.structureAt)) return;
    const allowed = this.allows(statement.operation, entry?.table);
    if (statement.kind === "createTable") {
      if (entry || !table) return;
      // Its name may be one that a table of the task had before: what comes under it is not that table's any more.
      this.options.tables.forget(table);
      if (isInRecycleBin(table.name)) return allowed ? this.comeBack(change, table.schema) : undefined;
      return allowed ? this.create(change, statement, table) : undefined;
    }
    if (statement.kind === "index") {
      if (allowed && (!table || entry)) await this.convertAndTry(change);
      return;
    }
    if (!entry) {
      if (statement.kind === "renameTable" && table) this.options.tables.forget({ schema: table.schema, name: statement.to });
      return;
    }
    if (statement.kind === "dropTable") return this.drop(change, entry, allowed);
    if (statement.kind === "renameTable") return this.rename(change, entry, statement.to, allowed);
    if (statement.kind === "truncate") {
      const sql = `TRUNCATE TABLE ${qualified(entry.table.target)}${statement.cascade ? " CASCADE" : ""}`;
      if (allowed) await this.within(change, (target) => this.run(target, change, [sql], entry.table.source));
      return;
    }
    await this.alter(change, entry, allowed);
  }

  table(source: QualifiedName): PlannedTable | undefined {
    return this.entries.get(keyOf(source))?.table;
  }

  /** Tables of a schema go where it goes. */
  schema(source: string): string | undefined {
    const chosen = this.options.selection?.options.objects?.find(({ schema }) => schema === source);
    if (chosen?.rename !== undefined) return chosen.rename;
    for (const { table } of this.entries.values()) if (table.source.schema === source) return table.target.schema;
    return chosen ? naturalName(source) : undefined;
  }

  /** Whatever operations.ddl says: the rows that came are in no redo. */
  private async exchanged(change: DdlChange, statement: DdlStatement & { kind: "exchange" }): Promise<void> {
    for (const name of [statement.table, statement.with]) {
      const entry = this.entries.get(keyOf(named(name, change.owner)));
      if (!entry) continue;
      const { structureAt, source } = entry.table;
      if (structureAt !== undefined && change.position < BigInt(structureAt)) continue;
      throw structureStops(
        change,
        source,
        "a partition and a table changed places, and no redo holds the rows of either",
        "take the tables of the exchange out of the task (exclude them, pulumi up), empty them on the target and take them in again, which loads them anew; " +
          "or make the same exchange on the target (DETACH PARTITION, ATTACH PARTITION) and run pulumi up",
      );
    }
  }

  private async truncateCluster(change: DdlChange, cluster: DdlName): Promise<void> {
    const { schema, name } = named(cluster, change.owner);
    const rows = await this.options.withSource((connection) =>
      connection.query<{ schema: string; table: string }>(TABLES_OF_CLUSTER, { schema, name }),
    );
    const ids = rows.flatMap((row) => this.entries.get(keyOf({ schema: row.schema, name: row.table }))?.table.id ?? []);
    if (ids.length === 0) return;
    const { applier } = this.options;
    applier.begin(change.position);
    applier.truncate(ids, false, false);
    applier.commit(change.position, change.endPosition, change.timeMs);
  }

  /** Out of the recycle bin by its name there: it is one that the dictionary has and the task does not know. */
  private async comeBack(change: DdlChange, schema: string): Promise<void> {
    const { selection, readCatalog } = this.options;
    if (!selection) return;
    for (const table of (await readCatalog()).tables) {
      const known = table.schema !== schema || this.entries.has(keyOf(table)) || !takesIn(selection.options, table, "table");
      if (!known) await this.createWithRows(change, { schema, name: table.name }, selection);
    }
  }

  private async alter(change: DdlChange, { table, loadPosition }: Entry, allowed: boolean): Promise<void> {
    const changes = columnChanges(change.sql);
    const sql = allowed ? await alterSql(change, table, changes, this.conversion) : [];
    if (sql.length === 0 && changes.length === 0) return;
    const catalog = await this.options.readCatalog();
    const details = catalog.details.get(table.id);
    await this.within(change, async (target) => {
      const before = columnNames(await describe(target, table));
      await this.run(target, change, sql, table.source);
      const base = table.stored ? table : withStored(table, details?.stored ?? [], 0n);
      const stored = base.stored && evolveStored(base.stored, changes, details?.stored ?? [], change.scn);
      const renamed = renamedColumns({ ...base, ...(stored ? { stored } : {}) }, changes, allowed);
      const keyMayDiffer = /\b(PRIMARY|UNIQUE|CONSTRAINT)\b/i.test(change.sql);
      await this.replan({ target, table: renamed, catalog, loadPosition, before, keyMayDiffer });
    });
  }

  private async rename(change: DdlChange, { table, loadPosition }: Entry, to: string, allowed: boolean): Promise<void> {
    const source = { schema: table.source.schema, name: to };
    // A name that the program gave stays.
    const follows = allowed && table.target.name === naturalName(table.source.name);
    const target = follows ? { schema: table.target.schema, name: naturalName(to) } : table.target;
    const sql = follows ? [`ALTER TABLE ${qualified(table.target)} RENAME TO ${ident(target.name)}`] : [];
    const catalog = await this.options.readCatalog();
    await this.within(change, async (open) => {
      const before = columnNames(await describe(open, table));
      await this.run(open, change, sql, table.source);
      this.entries.delete(keyOf(table.source));
      await this.replan({ target: open, table: { ...table, source, target }, catalog, loadPosition, before });
    });
  }

  /** What is not dropped on the target stays there as it is: a table that takes its name at the source is another one. */
  private async drop(change: DdlChange, { table }: Entry, allowed: boolean): Promise<void> {
    await this.within(change, async (target) => {
      if (allowed) {
        const drop = `DROP TABLE IF EXISTS ${qualified(table.target)}`;
        // Oracle lets views and foreign keys lose their table; they are of no more use there.
        const refused = await target.first([drop], [`${drop} CASCADE`]);
        if (refused) throw structureRejected(change, refused, table.source);
      }
      await target.run(this.stored((store) => store.tableGone(table.id)));
      this.options.applier.forget(table.id);
      this.options.tables.forget(table.source);
      this.entries.delete(keyOf(table.source));
    });
  }

  private async create(change: DdlChange, statement: DdlStatement & { kind: "createTable" }, name: QualifiedName): Promise<void> {
    const { selection } = this.options;
    if (!selection || !takesIn(selection.options, name, "table")) return;
    if (statement.withRows) return this.createWithRows(change, name, selection);
    const catalog = await this.options.readCatalog();
    // Gone again by now: the rows it had are gone as well.
    if (!catalog.tables.some((table) => keyOf(table) === keyOf(name))) return;
    const sql = await this.conversion.ofTable(change, name);
    const planned = resolvePlan(only(catalog, name), optionsOf(selection.options, new Set([name.schema]))).tables.find(
      ({ source }) => keyOf(source) === keyOf(name),
    );
    if (!planned || sql.length === 0) return;
    const details = catalog.details.get(planned.id)?.stored ?? [];
    const columns = createdColumns(change.sql);
    const since = change.scn.toString();
    const table =
      columns.length === 0
        ? withStored(planned, details, change.scn)
        : { ...planned, stored: evolveStored({ since, columns: [] }, columns, details, change.scn) };
    await this.within(change, async (target) => {
      await this.run(target, change, [`CREATE SCHEMA IF NOT EXISTS ${ident(table.target.schema)}`, ...sql], name);
      // Every row it has comes after this statement.
      await this.replan({ target, table, catalog, loadPosition: change.position, before: new Set() });
    });
  }

  /**
   * CREATE TABLE ... AS SELECT, and what comes back from the recycle bin. Redo of a direct load need not hold the rows (NOLOGGING): the table is made
   * as the dictionary has it, its rows are read as of an SCN of now, and changes up to there are passed over.
   */
  private createWithRows(change: DdlChange, name: QualifiedName, selection: TaskSelection): Promise<void> {
    const { postgis, withSource, onWarning } = this.options;
    return whileItChanges(() =>
      withSource(async (source) => {
        const taken = await takeTable(source, name, optionsOf(selection.options, new Set([name.schema])), { postgis });
        if (taken === undefined) return;
        if (typeof taken === "string") throw structureStops(change, name, taken);
        for (const reason of taken.left) onWarning(`not carried over with ${name.schema}.${name.name}: ${reason}`);
        await this.within(change, async (target) => {
          await this.run(target, change, taken.before, name);
          await loadTaken(source, target, taken, (zeros) =>
            onWarning(`${zeros} characters of value 0 were taken out of rows of ${name.name}: PostgreSQL cannot hold them`),
          );
          await this.run(target, change, taken.behind, name);
          const { planned, catalog, scn } = taken;
          await this.replan({ target, table: planned, catalog, loadPosition: positionAt(scn + 1n), before: new Set() });
        });
      }),
    );
  }

  /** The table's plan from here on: the source's columns as far as the target has them. Later statements bring the others. */
  private async replan({ target, table, catalog, loadPosition, before, keyMayDiffer = false }: Replan): Promise<void> {
    const described = await describe(target, table);
    const current = catalog.tables.find(({ id, ...name }) => id === table.id || keyOf(name) === keyOf(table.source));
    const source = tableAsOf(table, current, keyMayDiffer);
    const planned = withPlaces(withColumnsOf(table, source, { before, now: columnNames(described) }));
    const { applier, tables } = this.options;
    await target.run(this.stored((store) => store.tablePlanned(planned, loadPosition)));
    applier.replan({ table: planned, loadPosition }, described);
    tables.set(redoInputs(planned, catalog.details.get(table.id) ?? {}));
    this.entries.set(keyOf(planned.source), { table: planned, loadPosition });
  }

  private async object(change: DdlChange, statement: DdlStatement & { kind: "object" }): Promise<void> {
    const { selection } = this.options;
    if (!selection || !this.allows(statement.operation, undefined) || !statement.name) return;
    const name = named(statement.name, change.owner);
    const comment = statement.object === "comment" && this.entries.has(keyOf(name));
    if (!comment && !takesIn(selection.options, name, statement.object)) return;
    await this.convertAndTry(change);
  }

  /** What the converter or the target refuses is a warning: no row depends on it. */
  private async convertAndTry(change: DdlChange): Promise<void> {
    const { statements, skipped } = await this.conversion.of(change);
    for (const { reason } of skipped) this.options.onWarning(`${shown(change)} was not carried over: ${reason}`);
    const sql = statements.flatMap((each) => each.sql);
    if (sql.length === 0) return;
    await this.within(change, async (target) => {
      // PostgreSQL lets no view lose a column and no function change its result in place.
      const anew = statements.flatMap(({ drop }) => drop);
      const attempts = [sql, ...(anew.length > 0 ? [[...anew, ...sql]] : [])];
      const refused = await target.first(...attempts.map((each) => this.inSchema(change, each)));
      if (refused) this.options.onWarning(`${shown(change)} was not carried over, the target refused it: ${refused.message}`);
    });
  }

  private async run(target: OpenTarget, change: DdlChange, sql: readonly string[], table: QualifiedName): Promise<void> {
    if (sql.length === 0) return;
    try {
      await target.run(this.inSchema(change, sql));
    } catch (cause) {
      if (!(cause instanceof Refused)) throw cause;
      if (cause.code !== UNDEFINED_TABLE || !PARTITIONS.test(change.sql)) throw structureRejected(change, cause, table);
      throw structureStops(
        change,
        table,
        `the target has no such partition (${cause.message}): its rows lie in another one, such as the default partition that an interval's go to`,
        `delete the partition's rows on the target by hand, then run pulumi up; the statement was: ${change.sql.slice(0, 500)}`,
      );
    }
  }

  private inSchema({ owner }: DdlChange, sql: readonly string[]): readonly string[] {
    const schema = this.schema(owner) ?? naturalName(owner);
    return [`SET LOCAL search_path = ${ident(schema)}, public`, ...sql, "SET LOCAL search_path = ''"];
  }

  private async within(change: DdlChange, work: (target: OpenTarget) => Promise<void>): Promise<void> {
    const { applier } = this.options;
    applier.begin(change.position);
    await applier.between((connection) => work(new OpenTarget(connection)));
    applier.commit(change.position, change.endPosition, change.timeMs);
  }

  private allows(operation: DdlOperation, table: PlannedTable | undefined): boolean {
    if (operation === "truncate") return table?.operations.truncate ?? false;
    return (table?.ddl ?? this.task)[operation];
  }

  private stored(statement: (store: NonNullable<DdlFollowerOptions["store"]>) => string): readonly string[] {
    return this.options.store ? [statement(this.options.store)] : [];
  }
}

function named({ schema, name }: DdlName, owner: string): QualifiedName {
  return { schema: schema ?? owner, name };
}

function keyOf({ schema, name }: QualifiedName): string {
  return `${schema}.${name}`;
}

async function describe(target: OpenTarget, table: PlannedTable): Promise<TargetTable | undefined> {
  return (await describeTargets(target.asClient() as Parameters<typeof describeTargets>[0], [table])).get(table.id);
}

function columnNames(target: TargetTable | undefined): ReadonlySet<string> {
  return new Set(target?.columns.keys() ?? []);
}

function shown({ owner, sql }: DdlChange): string {
  return `DDL in ${owner}: ${sql.slice(0, 200)}`;
}
