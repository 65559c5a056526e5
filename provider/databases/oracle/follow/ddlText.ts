import type { QualifiedName } from "../../../engine/models/catalog.js";
import type { PlannedTable } from "../../../engine/models/plan.js";
import { naturalName, oracleSpelling } from "../catalog/naturalName.js";
import type { Token } from "../convert/read/lexer.js";
import { quoted } from "../sql.js";
import { nameOf, tokensOf } from "./ddlWords.js";

/** What the source's names are called on the target. */
export interface NamesOnTarget {
  /** A table of the task, by its source name. */
  table(source: QualifiedName): PlannedTable | undefined;
  /** The target's name of a schema that the task moves; undefined for others. */
  schema(source: string): string | undefined;
}

/** A name of the target that no text of Oracle's becomes. */
export class Unspellable extends Error {}

/**
 * The text of a statement with its tables, columns and schemas spelled so that the converter makes the target's names of them. Tables of the task get
 * their schema in front. Throws Unspellable. Pure.
 */
export function spelledForTarget(sql: string, owner: string, names: NamesOnTarget): string {
  const tokens = tokensOf(sql);
  const speller = new Speller(sql, tokens, owner, names);
  return speller.write();
}

class Speller {
  private at = 0;
  private from = 0;
  private written = "";
  /** The table whose columns are named. */
  private table: PlannedTable | undefined;
  /** REFERENCES names columns of another one until this bracket closes. */
  private other: { readonly table: PlannedTable | undefined; depth: number } | undefined;

  constructor(
    private readonly sql: string,
    private readonly tokens: readonly Token[],
    private readonly owner: string,
    private readonly names: NamesOnTarget,
  ) {}

  write(): string {
    while (this.at < this.tokens.length) this.step();
    return this.written + this.sql.slice(this.from);
  }

  private step(): void {
    const token = this.tokens[this.at];
    if (!token) return;
    if (this.other) this.bracket(token);
    if (token.kind !== "word" && token.kind !== "quoted") {
      this.at++;
      return;
    }
    const before = this.text(this.at - 1);
    const opens =
      before === "TABLE" || before === "ON" || before === "REFERENCES" || (before === "EXISTS" && this.text(2) === "IF");
    if ((opens || (this.at === 1 && before === "RENAME")) && this.relation(before)) return;
    if (before === "COLUMN" && this.text(0) === "COMMENT") this.commented();
    else this.identifier(token, before);
  }

  /** A table's name, one of two parts maybe. False when it is none of the task's. */
  private relation(before: string): boolean {
    const { name, count } = this.chain();
    const table = this.names.table(name);
    if (before === "REFERENCES") this.other = { table, depth: 0 };
    else this.table ??= table;
    if (!table) return false;
    this.replace(count, `${spelled(table.target.schema)}.${spelled(table.target.name)}`);
    return true;
  }

  /** COMMENT ON COLUMN [schema.]table.column. */
  private commented(): void {
    const parts: string[] = [];
    let count = 0;
    for (; ; count += 2) {
      const token = this.tokens[this.at + count];
      if (token) parts.push(nameOf(token));
      if (this.text(this.at + count + 1) !== ".") break;
    }
    const [column = "", name = "", schema = this.owner] = parts.reverse();
    const table = this.names.table({ schema, name });
    if (!table) {
      this.at += count + 1;
      return;
    }
    this.replace(
      count + 1,
      `${spelled(table.target.schema)}.${spelled(table.target.name)}.${spelled(columnOf(table, column) ?? naturalName(column))}`,
    );
  }

  private identifier(token: Token, before: string): void {
    const name = nameOf(token);
    const schema = this.text(this.at + 1) === "." ? this.names.schema(name) : undefined;
    const table = this.other ? this.other.table : this.table;
    const target = table && columnOf(table, name);
    if (schema !== undefined && before !== ".") this.replace(1, spelled(schema));
    else if (target !== undefined && target !== naturalName(name)) this.replace(1, spelled(target));
    else this.at++;
  }

  private bracket({ text }: Token): void {
    const { other } = this;
    if (!other) return;
    if (text === "(") other.depth++;
    else if (text === ")" && --other.depth <= 0) this.other = undefined;
    else if (text === "," && other.depth === 0) this.other = undefined;
  }

  private chain(): { readonly name: QualifiedName; readonly count: number } {
    const [first, second] = [this.tokens[this.at], this.tokens[this.at + 2]];
    const name = first ? nameOf(first) : "";
    if (this.text(this.at + 1) !== "." || !second) return { name: { schema: this.owner, name }, count: 1 };
    return { name: { schema: name, name: nameOf(second) }, count: 3 };
  }

  private replace(count: number, text: string): void {
    const [first, last] = [this.tokens[this.at], this.tokens[this.at + count - 1]];
    if (!first || !last) return;
    this.written += this.sql.slice(this.from, first.start) + text;
    this.from = last.end;
    this.at += count;
  }

  private text(at: number): string {
    return this.tokens[at]?.text ?? "";
  }
}

function columnOf(table: PlannedTable, source: string): string | undefined {
  return table.columns.find((column) => column.source === source)?.target;
}

function spelled(target: string): string {
  const text = oracleSpelling(target);
  if (text === undefined) throw new Unspellable(`no name of Oracle's becomes "${target}"`);
  return quoted(text);
}
