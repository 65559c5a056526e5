import { loadModule, parse } from "@libpg-query/parser";
import { expect } from "vitest";
import { convertDdl } from "../../../../provider/databases/oracle/convert/convertDdl.js";

/** Converts a script of which nothing may be left out; each statement must be one that PostgreSQL's own parser reads, and is then run. */
export async function loadConverted(script: string, run: (sql: string) => Promise<unknown>): Promise<void> {
  await loadModule();
  const { support, statements, skipped } = convertDdl(script);
  expect(skipped).toEqual([]);
  for (const sql of [...support, ...statements.flatMap((statement) => statement.sql)]) {
    expect((await parse(sql)).stmts, sql).toHaveLength(1);
    await run(sql);
  }
}
