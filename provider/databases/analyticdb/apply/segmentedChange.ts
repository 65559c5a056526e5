import type { ApplyTable } from "../../postgres/apply/applyTable.js";
import { type MakeChangeStatements, RowStatements, same } from "../../postgres/apply/careful.js";
import type { Value } from "../../postgres/apply/tuples.js";
import { ident } from "../../postgres/sql.js";
import { exactFormsOf, exactValues } from "../exactFloats.js";
import type { SegmentedServer } from "../serverKind.js";

/** Statements on one row where rows lie on segments. */
export function segmentedChange(major: SegmentedServer["major"]): MakeChangeStatements {
  return (connection, table, binary) => {
    const statements = new SegmentedStatements(connection, table, binary);
    const forms = binary || major > 6 ? undefined : exactFormsOf(table);
    if (!forms) return statements;
    const exact = (row: readonly Value[]) => exactValues(row, forms);
    return {
      insert: (row) => statements.insert(exact(row)),
      update: (old, row) => statements.update(exact(old), exact(row)),
      delete: (old) => statements.delete(exact(old)),
    };
  };
}

class SegmentedStatements extends RowStatements {
  /** Without OVERRIDING SYSTEM VALUE, which PostgreSQL 9.4 lacks. */
  override async insert(row: readonly Value[]): Promise<boolean> {
    const { table } = this;
    if (table.columns.length === 0) return this.execute(`INSERT INTO ${table.name} DEFAULT VALUES`, []);
    const list = table.columns.map(({ name }) => ident(name)).join(", ");
    const values = table.columns.map((_, place) => this.parameter(place, place + 1)).join(", ");
    return this.execute(`INSERT INTO ${table.name} (${list}) VALUES (${values})`, row);
  }

  /**
   * A row whose distribution key changes leaves its segment: a new row with the values sent and the old one's others, then the old one goes. No unique
   * key is met twice meanwhile: each holds the distribution key, which is another now.
   */
  override async update(old: readonly Value[], row: readonly Value[]): Promise<boolean> {
    const { table } = this;
    if (!leavesItsSegment(table, old, row)) return super.update(old, row);
    const values: Value[] = [];
    const parameter = (place: number, value: Value) => this.parameter(place, values.push(value));
    const list = table.columns.map(({ name }) => ident(name));
    const moved = table.columns.map((_, place) => (row[place] === undefined ? `t.${list[place]}` : parameter(place, row[place])));
    const found = await this.execute(
      `INSERT INTO ${table.name} (${list.join(", ")}) SELECT ${moved.join(", ")} FROM ${table.only} AS t WHERE ${this.matches(old, parameter)}`,
      values,
    );
    return found && this.delete(old);
  }

  /** A ctid alone names a row on each segment. */
  protected override place(alias: string): string {
    return `${alias}.gp_segment_id, ${alias}.tableoid, ${alias}.ctid`;
  }
}

function leavesItsSegment(table: ApplyTable, old: readonly Value[], row: readonly Value[]): boolean {
  return table.columns.some(
    ({ key, target }, place) => target.distributed && key && row[place] !== undefined && !same(row[place], old[place]),
  );
}
