import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { LobScanner } from "../../../../provider/databases/oracle/redo/lobStatement.js";
import { type RedoColumn, RedoTable } from "../../../../provider/databases/oracle/redo/redoTable.js";
import { scan, tableOf } from "./scan.js";

/** A statement with the values that other tools read from it: literals as they stand, but for plain strings. */
interface RedoCase {
  readonly id: number | string;
  readonly parser: "dml" | "select_lob" | "extended_string" | "xml_begin" | "xml_write" | "value";
  readonly sql_redo: string;
  readonly operation?: string | null;
  readonly table_columns?: readonly string[];
  readonly lob_columns?: Readonly<Record<string, string>>;
  readonly old_values?: Readonly<Record<string, string | null>>;
  readonly new_values?: Readonly<Record<string, string | null>>;
  /** Of the whole statement, where new and old are not told apart. */
  readonly fields?: Readonly<Record<string, string | null>>;
  readonly column?: string;
  readonly expect_error?: boolean;
  readonly charset?: "utf8" | "latin1";
  readonly data?: string | null;
}

const OWN: readonly RedoCase[] = [
  {
    id: "own insert",
    parser: "dml",
    operation: "INSERT",
    sql_redo: `insert into "S"."T"("ID","AT","RAW1","OTHER") values ('1',TO_DATE('2021-05-15 00:00:00', 'YYYY-MM-DD HH24:MI:SS'),HEXTORAW('ab'),Unsupported Type);`,
    table_columns: ["ID", "AT", "RAW1", "OTHER", "LATER"],
    new_values: {
      ID: "1",
      AT: "TO_DATE('2021-05-15 00:00:00', 'YYYY-MM-DD HH24:MI:SS')",
      RAW1: "HEXTORAW('ab')",
      OTHER: null,
      LATER: null,
    },
  },
  {
    id: "own update",
    parser: "dml",
    operation: "UPDATE",
    sql_redo: `update "S"."T" set "A" = 'new' where "ID" = '1' and "A" = 'old' and "B" IS NULL`,
    table_columns: ["ID", "A", "B"],
    old_values: { ID: "1", A: "old", B: null },
    new_values: { ID: "1", A: "new", B: null },
  },
];

/** A file of more cases, as JSON: GODWIT_REDO_CASES. */
const file = process.env.GODWIT_REDO_CASES;
const given: readonly RedoCase[] = file ? (JSON.parse(readFileSync(file, "utf8")) as RedoCase[]) : [];

it.each([...OWN, ...given].map((one) => [`${one.parser} ${one.id}`, one] as const))("reads as other tools do: %s", (_, one) => {
  switch (one.parser) {
    case "dml":
      return checkRow(one);
    case "value":
      expect(scan(tableOf("V"), `insert into "S"."T"("V") values (${one.sql_redo})`).new).toEqual([one.data]);
      return;
    case "xml_write": {
      const { steps } = piece(one, tableOf("ID|DOC:xml"));
      expect(steps).toEqual([
        one.data === null ? { kind: "null" } : { kind: "write", offset: "append", data: Buffer.from(one.data ?? "") },
      ]);
      return;
    }
    default:
      return checkLocator(one);
  }
});

function checkRow(one: RedoCase): void {
  const values = one.new_values ?? {};
  const old = one.old_values ?? {};
  const names = one.table_columns ?? Object.keys(one.fields ?? {});
  const columns = names.map((name): RedoColumn => {
    const shown = [values[name], old[name], one.fields?.[name]].find(
      (value) => typeof value === "string" && value !== "__UNAVAILABLE__",
    );
    const lob = one.lob_columns?.[name];
    const kind = lob === "BLOB" ? "blob" : lob ? "clob" : kindOf(shown ?? "");
    const known = old[name] ?? (one.operation === "DELETE" ? one.fields?.[name] : null);
    return { name, kind, partOfKey: known != null && known !== "__UNAVAILABLE__" && name !== "ROWID" };
  });
  const table = new RedoTable({ id: 1, owner: "S", name: "T", columns, fullIdentity: false });
  const shown = scan(table, one.sql_redo);
  const tuple = one.operation === "DELETE" ? shown.old : shown.new;
  const expected = one.fields ?? (one.operation === "DELETE" ? old : values);
  for (const [place, name] of names.entries()) {
    if (name === "ROWID") continue;
    const value = tuple?.[place];
    const wanted = expected[name] ?? null;
    if (wanted === "__UNAVAILABLE__") expect(value, name).toBe("(unchanged)");
    else if (wanted === null) expect([null, "(unchanged)"], name).toContain(value);
    else expect(value, name).toBe(evaluated(wanted));
  }
  for (const [place, name] of names.entries()) {
    if (one.operation === "UPDATE" && shown.old && old[name] != null && old[name] !== "__UNAVAILABLE__")
      expect(shown.old[place], name).toBe(evaluated(old[name]));
  }
}

function checkLocator(one: RedoCase): void {
  const values = one.new_values ?? {};
  const names = [...new Set([...(one.table_columns ?? []), ...Object.keys(values), one.column ?? "DATA", "ID"])];
  const columns = names.map((name): RedoColumn => ({ name, kind: kindOf(values[name] ?? ""), partOfKey: false }));
  const table = new RedoTable({ id: 1, owner: "S", name: "T", columns, fullIdentity: false });
  if (one.expect_error) {
    expect(() => piece(one, table)).toThrow();
    return;
  }
  const { column, row } = piece(one, table);
  expect(table.columns[column ?? -1]?.name).toBe(one.column);
  for (const [name, wanted] of Object.entries(values)) {
    const value = row.get(names.indexOf(name));
    if (wanted !== null) expect(value?.toString("utf8"), name).toBe(evaluated(wanted));
    else expect(value ?? null, name).toBeNull();
  }
}

function piece(one: RedoCase, table: RedoTable) {
  const scanner = new LobScanner({ zeroBytes: "remove", decodeText: (bytes) => bytes.toString(one.charset ?? "utf8") });
  const data = Buffer.from(one.sql_redo);
  const statement = scanner.scan(table, data, 0, data.length);
  if (one.parser === "xml_begin" && statement.column === undefined) throw new Error("no beginning of a document");
  return statement;
}

function kindOf(shown: string): RedoColumn["kind"] {
  if (shown.startsWith("TO_DATE")) return "date";
  if (shown.startsWith("TO_TIMESTAMP")) return "timestamp";
  return shown.startsWith("HEXTORAW") ? "bytes" : "text";
}

/** PostgreSQL's text of a literal, for the few forms the cases have. */
function evaluated(literal: string): string {
  const date = /^TO_DATE\('([^']*)',\s?'([^']*)'\)$/.exec(literal);
  if (date) {
    const [, text = "", format = ""] = date;
    if (format.startsWith("YYYY-MM-DD")) return text;
    if (format.startsWith("DD-MM-YYYY")) return text.replace(/^(\d\d)-(\d\d)-(\d{4})/, "$3-$2-$1");
    const parsed = new Date(`${text} UTC`);
    return parsed.toISOString().slice(0, 19).replace("T", " ");
  }
  const stamp = /^TO_TIMESTAMP\('([^']*?)\.?'\)$/.exec(literal);
  if (stamp) return stamp[1] ?? "";
  const hex = /^HEXTORAW\('([^']*)'\)$/.exec(literal);
  if (hex) return `\\x${(hex[1] ?? "").length % 2 ? "0" : ""}${hex[1]}`;
  if (!literal.startsWith("UNISTR(")) return literal;
  return [...literal.matchAll(/UNISTR\('([^']*)'\)/g)]
    .map(([, text = ""]) =>
      text.replace(/\\([0-9A-Fa-f]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16))),
    )
    .join("");
}
