import { DdlWords, tokensOf } from "./ddlWords.js";

/** What ALTER TABLE does to a column. Types as DDL has them, undefined where the statement does not change it. */
export type ColumnChange =
  | { readonly kind: "add"; readonly name: string; readonly type: string }
  | { readonly kind: "drop"; readonly name: string }
  /** Its values stay in the rows until DROP UNUSED COLUMNS. */
  | { readonly kind: "unuse"; readonly name: string }
  | { readonly kind: "dropUnused" }
  | { readonly kind: "rename"; readonly name: string; readonly to: string }
  | { readonly kind: "modify"; readonly name: string; readonly type: string | undefined };

/** The changes of columns in an ALTER TABLE, in order; none in what changes constraints, storage or partitions. Pure. */
export function columnChanges(sql: string): readonly ColumnChange[] {
  const words = new DdlWords(tokensOf(sql));
  if (!words.accept("ALTER", "TABLE")) return [];
  words.accept("IF", "EXISTS");
  words.name();
  const changes: ColumnChange[] = [];
  while (!words.done) {
    // ADD VALUES of a list's partition is no column.
    if (words.accept("MODIFY", "PARTITION") || words.accept("MODIFY", "SUBPARTITION")) return changes;
    if (words.accept("ADD")) changes.push(...added(words));
    else if (words.accept("MODIFY")) changes.push(...modified(words));
    else if (words.accept("RENAME", "COLUMN")) {
      const name = words.part();
      words.accept("TO");
      changes.push({ kind: "rename", name, to: words.part() });
    } else if (words.accept("DROP", "UNUSED", "COLUMNS")) changes.push({ kind: "dropUnused" });
    else if (words.accept("DROP", "COLUMN")) changes.push({ kind: "drop", name: words.part() });
    else if (words.peek() === "DROP" && words.peek(1) === "(") {
      words.next();
      changes.push(...listed(words).map((name): ColumnChange => ({ kind: "drop", name })));
    } else if (words.accept("SET", "UNUSED")) {
      words.accept("COLUMN");
      const names = words.peek() === "(" ? listed(words) : [words.part()];
      changes.push(...names.map((name): ColumnChange => ({ kind: "unuse", name })));
    } else words.next();
  }
  return changes;
}

/** The columns that CREATE TABLE makes, as if they were added; none where it does not list them (from a query, of a type). */
export function createdColumns(sql: string): readonly ColumnChange[] {
  const words = new DdlWords(tokensOf(sql));
  while (!words.done && words.peek() !== "TABLE") words.next();
  words.next();
  words.accept("IF", "NOT", "EXISTS");
  words.name();
  return words.peek() === "(" ? added(words) : [];
}

/** Words that begin what is added but no column. */
const NO_COLUMN = new Set(
  "CONSTRAINT PRIMARY UNIQUE FOREIGN CHECK SUPPLEMENTAL PARTITION SUBPARTITION OVERFLOW PERIOD SCOPE REF".split(" "),
);

function added(words: DdlWords): ColumnChange[] {
  return elements(words).flatMap(({ name, type }): ColumnChange[] => [{ kind: "add", name, type: type ?? "" }]);
}

function modified(words: DdlWords): ColumnChange[] {
  if (
    ["CONSTRAINT", "PRIMARY", "UNIQUE", "PARTITION", "SUBPARTITION", "DEFAULT", "NESTED", "LOB", "OPAQUE"].includes(words.peek())
  )
    return [];
  return elements(words).map(({ name, type }): ColumnChange => ({ kind: "modify", name, type }));
}

interface Element {
  readonly name: string;
  readonly type: string | undefined;
}

function elements(words: DdlWords): Element[] {
  const found: Element[] = [];
  const bracketed = words.accept("(");
  // In one statement may come several changes.
  const ends = new Set(bracketed ? [] : ["ADD", "MODIFY", "DROP", "RENAME", "SET"]);
  if (!bracketed) words.accept("COLUMN");
  do {
    if (NO_COLUMN.has(words.peek())) words.skipElement(ends);
    else {
      const name = words.part();
      const type = typeText(words);
      words.skipElement(ends);
      found.push({ name, type });
    }
  } while (words.accept(","));
  if (bracketed) words.accept(")");
  return found;
}

/** Words behind a column's name that are no type. */
const NO_TYPE = new Set(
  "DEFAULT NOT NULL CONSTRAINT PRIMARY UNIQUE CHECK REFERENCES GENERATED AS VISIBLE INVISIBLE ENCRYPT DECRYPT DROP ADD MODIFY RENAME SET SORT COLLATE".split(
    " ",
  ),
);

/** The type with its brackets, as far as it says what kind of values there are. */
function typeText(words: DdlWords): string | undefined {
  const parts: string[] = [];
  for (let depth = 0; !words.done; words.at++) {
    const text = words.peek();
    if (depth === 0 && (text === "," || text === ")" || NO_TYPE.has(text))) break;
    if (text === "(") depth++;
    if (text === ")") depth--;
    const token = words.tokens[words.at];
    parts.push(token?.kind === "quoted" ? `"${token.value}"` : text || (token?.value ?? ""));
  }
  if (parts.length === 0) return undefined;
  return ownType(
    parts
      .join(" ")
      .replace(/ ?\( ?/g, "(")
      .replace(/ (?=[,).])/g, "")
      .replace(/(?<=[,-]) /g, "")
      .replace(/(?<=\.) /g, ""),
  );
}

/** Oracle stores the types of the standard as its own. */
function ownType(type: string): string {
  return type
    .replace(/^(INTEGER|INT|SMALLINT|DECIMAL|DEC|NUMERIC|DOUBLE PRECISION|REAL)\b/, "NUMBER")
    .replace(/^(VARCHAR|CHARACTER VARYING|CHAR VARYING)(?=\(|$)/, "VARCHAR2")
    .replace(/^(NATIONAL (CHARACTER|CHAR) VARYING|NCHAR VARYING)\b/, "NVARCHAR2")
    .replace(/^NATIONAL (CHARACTER|CHAR)\b/, "NCHAR")
    .replace(/^CHARACTER\b/, "CHAR");
}

function listed(words: DdlWords): string[] {
  const names: string[] = [];
  words.accept("(");
  do names.push(words.part());
  while (words.accept(","));
  words.accept(")");
  return names;
}
