import type { Cursor } from "../read/cursor.js";
import { atQuery } from "../read/readQuery.js";
import { type Partitioning, readPartitioning } from "./partitions.js";

export interface TableClauses {
  partitioning?: Partitioning;
  external?: { readonly file: string; readonly delimiter: string };
  preserveRows?: boolean;
  /** AS SELECT follows at the cursor. */
  hasQuery?: boolean;
}

/**
 * What follows the columns of a table. Most of it says where and how rows are stored, which PostgreSQL decides itself; only what changes
 * the meaning of the table is kept.
 */
export function readTableClauses(cursor: Cursor): TableClauses {
  const clauses: TableClauses = {};
  while (!cursor.done) {
    if (cursor.at("PARTITION", "BY") || cursor.at("PARTITIONSET", "BY")) clauses.partitioning = readPartitioning(cursor);
    else if (cursor.accept("ORGANIZATION", "EXTERNAL")) clauses.external = readExternal(cursor);
    else if (cursor.at("EXTERNAL", "PARTITION")) cursor.refuse("a table with external partitions");
    else if (cursor.accept("ON", "COMMIT", "PRESERVE", "ROWS") || cursor.accept("ON", "COMMIT", "PRESERVE", "DEFINITION"))
      clauses.preserveRows = true;
    else if (
      cursor.at("AS") &&
      (cursor.atAhead(1, "SELECT", "WITH") || (cursor.atAhead(1, "(") && cursor.atAhead(2, "SELECT", "WITH", "(")))
    ) {
      cursor.next();
      clauses.hasQuery = true;
      return clauses;
    } else if (cursor.at("(") && atQuery(cursor)) return clauses;
    else cursor.skip();
  }
  return clauses;
}

function readExternal(cursor: Cursor): { file: string; delimiter: string } {
  let file = "external.csv";
  let delimiter = ",";
  const tokens = cursor.bracketed();
  for (const [index, token] of tokens.entries()) {
    const next = tokens[index + 1];
    const value = tokens[index + 2];
    if (token.text === "TERMINATED" && next?.text === "BY" && value?.kind === "string" && value.value.length === 1)
      delimiter = value.value;
    if (token.text === "TERMINATED" && next?.text === "BY" && value?.kind === "string" && /^(0x'?09|\\t)/i.test(value.value))
      delimiter = "\t";
    if (token.text === "LOCATION" && next?.text === "(") {
      const location = tokens.slice(index + 2).find((each) => each.kind === "string");
      if (location) file = location.value;
    }
  }
  return { file, delimiter };
}
