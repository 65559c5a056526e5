import type { Client } from "pg";
import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { PlannedTable, RowFilter } from "../../../engine/models/plan.js";
import { displayName } from "../../../engine/selection.js";
import { isConnectionError } from "../connectionErrors.js";
import { ident } from "../sql.js";
import { textArray } from "./textArray.js";

/** A filtered table as the stream describes it now. */
export interface FilteredTable {
  readonly planned: PlannedTable;
  readonly filter: RowFilter;
  /** Where the condition's columns are in the table's tuples, ascending, and their types' numbers. */
  readonly columns: readonly { readonly place: number; readonly name: string; readonly typeId: number }[];
}

interface AskedRows {
  /** Column by column. */
  readonly values: (Buffer | null)[][];
  readonly answers: ((meets: boolean) => void)[];
}

/** Rows to be judged, table by table, and where the answers go. */
export class RowQuestions {
  private readonly byTable = new Map<FilteredTable, AskedRows>();

  /** `values`: of the condition's columns, in their order; kept until they are judged. */
  ask(table: FilteredTable, values: readonly (Buffer | null)[], answer: (meets: boolean) => void): void {
    let asked = this.byTable.get(table);
    if (!asked) {
      asked = { values: table.columns.map(() => []), answers: [] };
      this.byTable.set(table, asked);
    }
    for (const [index, value] of values.entries()) asked.values[index]?.push(value);
    asked.answers.push(answer);
  }

  get tables(): Iterable<readonly [FilteredTable, AskedRows]> {
    return this.byTable;
  }
}

/**
 * Says which rows meet a table's condition by asking the source itself: an expression of PostgreSQL means there, and only there, what the user
 * meant by it (collations, types, functions). One question per table and piece of the stream.
 */
export class RowJudge {
  private readonly typeNames = new Map<number, string>();

  constructor(private readonly client: Client) {}

  /** Errors: GW1507, a connection's failure. */
  async judge(questions: RowQuestions): Promise<void> {
    for (const [table, { values, answers }] of questions.tables) {
      const verdicts = await this.verdicts(table, values);
      for (const [row, answer] of answers.entries()) answer(verdicts[row] === "1");
    }
  }

  private async verdicts(table: FilteredTable, values: readonly (readonly (Buffer | null)[])[]): Promise<string> {
    await this.learnTypes(table.columns.map(({ typeId }) => typeId));
    try {
      const { rows } = await this.client.query<{ verdicts: string | null }>(this.question(table), values.map(textArray));
      return rows[0]?.verdicts ?? "";
    } catch (cause) {
      if (isConnectionError(cause)) throw cause;
      throw new GodwitError(ErrorCode.RowFilterFailed, cause instanceof Error ? cause.message : String(cause), {
        object: displayName(table.planned.source),
        remedy: `the condition "${table.filter.given}" fails for a row that was changed: mend the row at the source, or exclude the table, run pulumi up, and take it in again with another condition`,
        cause,
      });
    }
  }

  private question({ columns, filter }: FilteredTable): string {
    const casts = columns.map(({ name, typeId }, index) => `r.v${index}::${this.typeNames.get(typeId)} AS ${ident(name)}`);
    // unnest of several arrays is only known by its bare name.
    const arrays = columns.map((_, index) => `$${index + 1}::pg_catalog.text[]`);
    // A number of its own, which no column of a table can be called: names have no NUL, and 63 bytes at most.
    const number = ident(`godwit ${"#".repeat(50)}`);
    return `SELECT pg_catalog.string_agg(CASE WHEN ${filter.condition} THEN '1' ELSE '0' END, '' ORDER BY ${number}) AS verdicts
      FROM (SELECT r.n AS ${number}, ${casts.join(", ")}
              FROM unnest(${arrays.join(", ")}) WITH ORDINALITY AS r (${[...columns.keys()].map((index) => `v${index}, `).join("")}n)) AS changed`;
  }

  /** Without a modifier, under which char and bit mean one character. */
  private async learnTypes(ids: readonly number[]): Promise<void> {
    const unknown = ids.filter((id) => !this.typeNames.has(id));
    if (unknown.length === 0) return;
    const { rows } = await this.client.query<{ id: string; name: string }>(
      `SELECT id::text AS id, pg_catalog.format_type(id, -1) AS name FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS t (id)`,
      [unknown],
    );
    for (const { id, name } of rows) this.typeNames.set(Number(id), name);
  }
}
