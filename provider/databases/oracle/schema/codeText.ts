import type { OracleSequence, OracleSource, OracleSynonym, OracleView } from "../catalog/model.js";
import { Lexer } from "../convert/read/lexer.js";
import { literal, quoted } from "../sql.js";
import type { Spelling } from "./spelling.js";

/** Oracle's MAXVALUE has 28 digits by default; PostgreSQL's sequences end at that of bigint, as the converter knows. */
export function sequenceText(sequence: OracleSequence, spelling: Spelling): string {
  const cache = Number(sequence.cache) > 1 ? `CACHE ${sequence.cache}` : "NOCACHE";
  return (
    `CREATE SEQUENCE ${spelling.relation(sequence)} START WITH ${sequence.lastNumber} INCREMENT BY ${sequence.increment} ` +
    `MINVALUE ${sequence.min} MAXVALUE ${sequence.max} ${sequence.cycle ? "CYCLE" : "NOCYCLE"} ${cache}`
  );
}

export function viewText(view: OracleView, query: string, spelling: Spelling): string {
  const name = spelling.relation(view);
  if (view.materialized) return `CREATE MATERIALIZED VIEW ${name} AS ${query}`;
  const columns = view.columns.length > 0 ? ` (${view.columns.map(quoted).join(", ")})` : "";
  return `CREATE OR REPLACE VIEW ${name}${columns} AS ${query}${view.readOnly ? " WITH READ ONLY" : ""}`;
}

export function synonymText({ schema, name, target, link }: OracleSynonym, spelling: Spelling): string {
  const at = link === undefined ? "" : `@${link}`;
  const of = target.schema === "" ? quoted(target.name) : spelling.relation(target);
  return `CREATE OR REPLACE SYNONYM ${spelling.relation({ schema, name })} FOR ${of}${at}`;
}

/**
 * CREATE OR REPLACE in front of what the dictionary keeps, whose header often names no schema (`PROCEDURE add_job(...)`) because the author was
 * in it: the owner is put there.
 */
export function sourceText(source: OracleSource, text: string, spelling: Spelling): string {
  const lexer = new Lexer(text);
  let token = lexer.next();
  // The kind's words: PACKAGE BODY, TYPE BODY, or one.
  for (const word of source.kind.toUpperCase().split(" ")) if (token.text === word) token = lexer.next();
  // EDITIONABLE and the like are not kept. What stands here is the name, or the schema with a point behind it.
  const qualified = lexer.next().text === ".";
  const owner = qualified ? "" : `${spelling.schema(source.schema)}.`;
  return `CREATE OR REPLACE ${text.slice(0, token.start)}${owner}${text.slice(token.start)}`;
}

export function commentText(relation: string, column: string | undefined, text: string): string {
  return column === undefined
    ? `COMMENT ON TABLE ${relation} IS ${literal(text)}`
    : `COMMENT ON COLUMN ${relation}.${column} IS ${literal(text)}`;
}
