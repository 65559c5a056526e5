import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { Position } from "../../../engine/models/change.js";
import { formatLsn } from "../lsn.js";
import type { ServerError } from "../serverMessage.js";
import { ident } from "../sql.js";
import type { ApplyTable } from "./applyTable.js";
import type { TargetConnection } from "./targetConnection.js";
import type { Value } from "./tuples.js";

/** One change of one row, taken apart. `row` values that are undefined were not sent, being unchanged. */
export type RowChange =
  | { readonly kind: "insert"; readonly table: ApplyTable; readonly row: readonly Value[] }
  | { readonly kind: "update"; readonly table: ApplyTable; readonly old: readonly Value[]; readonly row: readonly Value[] }
  | { readonly kind: "delete"; readonly table: ApplyTable; readonly old: readonly Value[] };

/** Statements on one row; each resolves with whether there was such a row. */
export interface ChangeStatements {
  insert(row: readonly Value[]): Promise<boolean>;
  update(old: readonly Value[], row: readonly Value[]): Promise<boolean>;
  delete(old: readonly Value[]): Promise<boolean>;
}

export type MakeChangeStatements = (connection: TargetConnection, table: ApplyTable, binary: boolean) => ChangeStatements;

export interface CarefulRules {
  readonly binary: boolean;
  readonly overwrite: boolean;
  readonly rowsMustExist: boolean;
  readonly deletedMustExist: boolean;
  /** Where the target's member of the family has its own way. */
  readonly sql?: { readonly changeStatements: MakeChangeStatements };
}

/**
 * Applies one change by a statement of its own, in the order of the source: what the set-based order broke works here, and what does not
 * work here is named. Errors: GW1501, GW1503, with the key's values as text.
 */
export async function applyChange(
  connection: TargetConnection,
  change: RowChange,
  position: Position,
  rules: CarefulRules,
): Promise<void> {
  try {
    const found = await run(connection, change, rules);
    const mustExist = change.kind === "delete" ? rules.deletedMustExist : rules.rowsMustExist;
    if (found || !mustExist) return;
  } catch (cause) {
    const { code, message, detail } = cause as Partial<ServerError>;
    if (code === undefined || !isRejection(code)) throw cause;
    throw new GodwitError(
      ErrorCode.ChangeRejected,
      `the target rejects an ${change.kind}: ${[message, detail].filter(Boolean).join(": ")}`,
      {
        object: `${describe(change.table)} ${await keyText(connection, change, rules)}`,
        position: formatLsn(position),
        remedy: "mend the target's table so that it takes what the source's takes; the task tries again",
        cause,
      },
    );
  }
  throw new GodwitError(ErrorCode.RowMissing, `${change.kind} of a row that the target does not have`, {
    object: `${describe(change.table)} ${await keyText(connection, change, rules)}`,
    position: formatLsn(position),
    remedy: "the target was changed by hand: put the row back, or set conflictMode to ignoreAndProceed",
  });
}

/** Errors that are about the statement and its data; the others are about the server or the connection. */
export function isRejection(sqlState: string): boolean {
  return !/^(08|53|57|58|XX|F0)/.test(sqlState);
}

async function run(connection: TargetConnection, change: RowChange, rules: CarefulRules): Promise<boolean> {
  const statement = rules.sql
    ? rules.sql.changeStatements(connection, change.table, rules.binary)
    : new RowStatements(connection, change.table, rules.binary);
  switch (change.kind) {
    case "insert":
      if (rules.overwrite && change.table.key.length > 0 && (await statement.update(change.row, change.row))) return true;
      return statement.insert(change.row);
    case "update":
      if (await statement.update(change.old, change.row)) return true;
      return rules.overwrite && !change.row.includes(undefined) && statement.insert(change.row);
    case "delete":
      return statement.delete(change.old);
  }
}

/** PostgreSQL's own. */
export class RowStatements implements ChangeStatements {
  constructor(
    private readonly connection: TargetConnection,
    protected readonly table: ApplyTable,
    private readonly binary: boolean,
  ) {}

  async insert(row: readonly Value[]): Promise<boolean> {
    const { table } = this;
    if (table.columns.length === 0) return this.execute(`INSERT INTO ${table.name} DEFAULT VALUES`, []);
    const names = table.columns.map(({ name }) => ident(name)).join(", ");
    const values = table.columns.map((_, place) => this.parameter(place, place + 1)).join(", ");
    return this.execute(`INSERT INTO ${table.name} (${names}) OVERRIDING SYSTEM VALUE VALUES (${values})`, row);
  }

  async update(old: readonly Value[], row: readonly Value[]): Promise<boolean> {
    const { table } = this;
    const values: Value[] = [];
    const parameter = (place: number, value: Value) => this.parameter(place, values.push(value));
    const set = table.columns
      .map((column, place) => ({ column, place, value: row[place] }))
      .filter(({ column, place, value }) => value !== undefined && !(column.key && same(value, old[place])));
    if (set.length === 0) return this.exists(old);
    if (set.some(({ column }) => column.target.identityAlways)) return this.replace(old, row);
    const assignments = set.map(({ column, place, value }) => `${ident(column.name)} = ${parameter(place, value)}`).join(", ");
    return this.execute(`UPDATE ${table.only} AS t SET ${assignments} WHERE ${this.matches(old, parameter)}`, values);
  }

  async delete(old: readonly Value[]): Promise<boolean> {
    const values: Value[] = [];
    const parameter = (place: number, value: Value) => this.parameter(place, values.push(value));
    return this.execute(`DELETE FROM ${this.table.only} AS t WHERE ${this.matches(old, parameter)}`, values);
  }

  /** An identity column that is GENERATED ALWAYS takes a value only from an INSERT. */
  private replace(old: readonly Value[], row: readonly Value[]): Promise<boolean> {
    const { table } = this;
    const values: Value[] = [];
    const parameter = (place: number, value: Value) => this.parameter(place, values.push(value));
    const names = table.columns.map(({ name }) => ident(name));
    const list = table.columns.map((_, place) =>
      row[place] === undefined ? `gone.${names[place]}` : parameter(place, row[place]),
    );
    return this.execute(
      `WITH gone AS (DELETE FROM ${table.only} AS t WHERE ${this.matches(old, parameter)} RETURNING t.*)
       INSERT INTO ${table.name} (${names.join(", ")}) OVERRIDING SYSTEM VALUE SELECT ${list.join(", ")} FROM gone`,
      values,
    );
  }

  private exists(old: readonly Value[]): Promise<boolean> {
    const values: Value[] = [];
    const parameter = (place: number, value: Value) => this.parameter(place, values.push(value));
    return this.execute(`SELECT 1 FROM ${this.table.only} AS t WHERE ${this.matches(old, parameter)}`, values);
  }

  /** By key, or one row of the same content. */
  protected matches(old: readonly Value[], parameter: (place: number, value: Value) => string): string {
    const { table } = this;
    if (table.key.length > 0) {
      return table.key
        .map((place) => {
          const column = table.columns[place];
          return `t.${ident(column?.name ?? "")} ${column?.target.equals} ${parameter(place, old[place])}`;
        })
        .join(" AND ");
    }
    const mine = `ROW(${table.columns.map(({ name }) => `t.${ident(name)}`).join(", ")})::text`;
    const theirs = `ROW(${table.columns.map((_, place) => parameter(place, old[place])).join(", ")})::text`;
    return `(${this.place("t")}) = (SELECT ${this.place("t")} FROM ${table.only} AS t WHERE ${mine} = ${theirs} LIMIT 1)`;
  }

  /** What names one row of the table and its children. */
  protected place(alias: string): string {
    return `${alias}.tableoid, ${alias}.ctid`;
  }

  protected parameter(place: number, number: number): string {
    const column = this.table.columns[place];
    return column?.direct
      ? `$${number}::${column.target.bareType}`
      : `$${number}::${column?.sourceType}::text::${column?.target.bareType}`;
  }

  protected async execute(sql: string, values: readonly Value[]): Promise<boolean> {
    const { tag } = await this.connection.execute(sql, values, this.binary);
    return !tag.endsWith(" 0");
  }
}

/** After an error: the transaction is over, the server still knows how to read the values. For tables without a key, the whole row. */
async function keyText(connection: TargetConnection, change: RowChange, { binary }: CarefulRules): Promise<string> {
  const { table } = change;
  const row = change.kind === "insert" ? change.row : change.old;
  const places = (table.key.length > 0 ? table.key : table.columns.map((_, place) => place)).slice(0, 32);
  const values = places.map((place) => row[place] ?? null);
  const names = places.map((place) => table.columns[place]?.name).join(", ");
  const types = places.map((place, index) => {
    const column = table.columns[place];
    return `$${index + 1}::${column?.direct ? column.target.bareType : column?.sourceType}`;
  });
  try {
    await connection.query("ROLLBACK", []);
    const { text } = await connection.execute(`SELECT pg_catalog.left(ROW(${types.join(", ")})::text, 500)`, values, binary);
    return `(${names})=${text ?? ""}`;
  } catch {
    return `(${names})`; // The values can't be read; the error that is being told matters more.
  }
}

function describe({ planned }: ApplyTable): string {
  return `${planned.target.schema}.${planned.target.name}`;
}

export function same(a: Value, b: Value): boolean {
  return a === b || (a instanceof Buffer && b instanceof Buffer && a.equals(b));
}
