import type { Client } from "pg";
import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import { displayName } from "../../../engine/selection.js";
import { isConnectionError } from "../connectionErrors.js";
import { withheldMessage } from "../etl/withheldMessage.js";
import { ident } from "../sql.js";
import type { RuledTable } from "./ruledTable.js";
import { textArray } from "./textArray.js";

/** What the source says of a row. */
export interface Answer {
  readonly meets: boolean;
  /** Of the table's `values`, in the text form; nothing of a row that does not move. */
  readonly values: readonly (Buffer | null)[];
}

interface AskedRows {
  /** Column by column. */
  readonly values: (Buffer | null)[][];
  readonly answers: ((answer: Answer) => void)[];
}

/** Rows to be judged and rewritten, table by table, and where the answers go. */
export class RowQuestions {
  private readonly byTable = new Map<RuledTable, AskedRows>();

  /** `values`: of the table's `columns`, in their order; kept until they are judged. */
  ask(table: RuledTable, values: readonly (Buffer | null)[], answer: (answer: Answer) => void): void {
    let asked = this.byTable.get(table);
    if (!asked) {
      asked = { values: table.columns.map(() => []), answers: [] };
      this.byTable.set(table, asked);
    }
    for (const [index, value] of values.entries()) asked.values[index]?.push(value);
    asked.answers.push(answer);
  }

  get tables(): Iterable<readonly [RuledTable, AskedRows]> {
    return this.byTable;
  }
}

/**
 * Says which rows meet a table's condition, and what the expressions for their values give, by asking the source itself: an expression of PostgreSQL
 * means there, and only there, what the user meant by it (collations, types, functions). One question per table and piece of the stream.
 */
export class RowJudge {
  private readonly typeNames = new Map<number, string>();

  constructor(private readonly client: Client) {}

  /** Errors: GW1507, a connection's failure. */
  async judge(questions: RowQuestions): Promise<void> {
    for (const [table, { values, answers }] of questions.tables) {
      const { verdicts, columns } = await this.answers(table, values);
      for (const [row, answer] of answers.entries()) {
        const meets = verdicts[row] === "1";
        answer({ meets, values: meets ? columns.map((column) => bytesOf(column[row])) : [] });
      }
    }
  }

  private async answers(
    table: RuledTable,
    values: readonly (readonly (Buffer | null)[])[],
  ): Promise<{ verdicts: string; columns: (string | null)[][] }> {
    await this.learnTypes([...table.columns, ...table.values].map(({ typeId }) => typeId));
    try {
      const { rows } = await this.client.query<(string | (string | null)[])[]>({
        text: this.question(table),
        values: values.map(textArray),
        rowMode: "array",
      });
      const [verdicts = "", ...columns] = rows[0] ?? [];
      return { verdicts: verdicts as string, columns: columns as (string | null)[][] };
    } catch (cause) {
      if (isConnectionError(cause)) throw cause;
      throw failure(table, cause);
    }
  }

  private question({ columns, planned: { filter }, values }: RuledTable): string {
    const casts = columns.map(({ name, typeId }, index) => `r.v${index}::${this.typeNames.get(typeId)} AS ${ident(name)}`);
    // unnest of several arrays is only known by its bare name.
    const arrays = columns.map((_, index) => `$${index + 1}::pg_catalog.text[]`);
    const inputs = [...columns.keys()].map((index) => `v${index}, `).join("");
    const given = `SELECT r.n AS ${NUMBER}, ${casts.join(", ")} FROM unnest(${arrays.join(", ")}) WITH ORDINALITY AS r (${inputs}n)`;
    // In steps that the planner keeps apart: an expression is computed once, and not at all for a row that does not move.
    const judged = `SELECT *, ${filter?.condition ?? "true"} AS ${MEETS} FROM (${given}) AS changed OFFSET 0`;
    const made = values.map(
      ({ expression, typeId }, index) =>
        `, CASE WHEN ${MEETS} THEN CAST(${expression} AS ${this.typeNames.get(typeId)}) END AS x${index}`,
    );
    const rewritten = `SELECT ${NUMBER} AS n, ${MEETS} AS meets${made.join("")} FROM (${judged}) AS judged OFFSET 0`;
    // As the type's output function writes it, which a cast to text does not for every type (boolean, inet). A row of nothing but NULLs is no NULL.
    const texts = values.map(
      (_, index) =>
        `, pg_catalog.json_agg(CASE WHEN x${index} IS DISTINCT FROM NULL THEN pg_catalog.format('%s', x${index}) END ORDER BY n)`,
    );
    return `SELECT pg_catalog.string_agg(CASE WHEN meets THEN '1' ELSE '0' END, '' ORDER BY n)${texts.join("")} FROM (${rewritten}) AS rewritten`;
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

/** Names of our own, which no column of a table can have: those have 63 bytes at most. */
const NUMBER = ident(`godwit ${"#".repeat(50)}`);
const MEETS = ident(`godwit ${"?".repeat(50)}`);

function bytesOf(text: string | null | undefined): Buffer | null {
  return text === null || text === undefined ? null : Buffer.from(text);
}

function failure(table: RuledTable, cause: unknown): GodwitError {
  const { source, filter } = table.planned;
  const object = displayName(source);
  if (table.values.length > 0) {
    return new GodwitError(
      ErrorCode.RowFilterFailed,
      `an expression of \`etl\` fails for a row that was changed: ${withheldMessage(cause)}`,
      {
        object,
        remedy: "mend the row at the source, or exclude the table, run pulumi up, and take it in again with other expressions",
      },
    );
  }
  return new GodwitError(ErrorCode.RowFilterFailed, cause instanceof Error ? cause.message : String(cause), {
    object,
    remedy: `the condition "${filter?.given}" fails for a row that was changed: mend the row at the source, or exclude the table, run pulumi up, and take it in again with another condition`,
    cause,
  });
}
