/** A column of an emulated table; `kind` as in the scanner's RedoKind. */
export interface EmulatedColumn {
  readonly name: string;
  readonly kind: string;
}

export type TableColumns = (owner: string, name: string) => EmulatedObject | undefined;

export interface EmulatedObject {
  readonly columns: readonly EmulatedColumn[];
  /** Flashback queries reach back to here: ORA-01466 before (Development Guide, "Oracle Flashback Technology": moved, truncated, column dropped). */
  readonly changedScn: bigint;
}

export interface Translated {
  readonly sql: string;
  readonly values: unknown[];
}

/**
 * The product's SQL for Oracle as the emulator's PostgreSQL runs it: named binds, `#` in names, emulated tables in place of their names (with AS OF
 * SCN, the rows of that moment). Nothing more: what the product sends has to be SQL that both read alike.
 */
export function translate(sql: string, binds: Readonly<Record<string, unknown>>, objects: TableColumns): Translated {
  const values: unknown[] = [];
  const places = new Map<string, number>();
  const bind = (name: string): string => {
    if (!(name in binds)) throw Object.assign(new Error("ORA-01008: not all variables bound"), { code: "ORA-01008" });
    const known = places.get(name);
    if (known !== undefined) return `$${known}`;
    const value = binds[name];
    values.push(typeof value === "bigint" ? value.toString() : value);
    places.set(name, values.length);
    return `$${values.length}`;
  };
  const tables = sql.replace(
    /"([^"]+)"\."([^"]+)"(?:\s+AS OF SCN (:?\w+))?/g,
    (whole, owner: string, name: string, scn?: string) => {
      const found = objects(owner, name);
      if (!found && scn) {
        throw Object.assign(new Error(`ORA-00942: table or view ${owner}.${name} does not exist`), { code: "ORA-00942" });
      }
      if (!found) return whole;
      const at = scn?.startsWith(":") ? binds[scn.slice(1)] : scn;
      if (scn && BigInt(at as string) < found.changedScn) {
        throw Object.assign(new Error(`ORA-01466: unable to read data - table definition of ${name} has changed`), {
          code: "ORA-01466",
        });
      }
      return versions(owner, name, found.columns, scn && (scn.startsWith(":") ? `${bind(scn.slice(1))}::bigint` : scn));
    },
  );
  const parts = tables.split(/('(?:[^']|'')*'|"[^"]*")/);
  const text = parts.map((part, index) => (index % 2 === 1 ? part.replaceAll(".FF9", ".US") : plain(part, bind))).join("");
  return { sql: text, values };
}

function plain(part: string, bind: (name: string) => string): string {
  return part
    .replace(/\b(\w+)#/g, "$1_no")
    .replace(/\b(AS|RETURNING) CLOB\b/gi, "$1 text")
    .replace(/\bAS N?VARCHAR2\b/gi, "AS varchar")
    .replace(/\bAS NUMBER\b/gi, "AS numeric")
    .replace(/\bAS RAW\(\d+\)/gi, "AS bytea")
    .replace(/(?<!:):(\w+)/g, (_, name: string) => bind(name));
}

function versions(owner: string, name: string, columns: readonly EmulatedColumn[], scn: string | undefined): string {
  const list = columns.map((column) => `(r."values" ->> ${text(column.name)})::${postgresType(column.kind)} AS "${column.name}"`);
  const alive = scn === undefined ? "r.to_scn IS NULL" : `r.from_scn <= ${scn} AND (r.to_scn IS NULL OR r.to_scn > ${scn})`;
  return (
    `(SELECT r.row_id COLLATE "C" AS rowid, ${list.join(", ")} FROM oracle_emulator.row_version r ` +
    `WHERE r.owner = ${text(owner)} AND r.name = ${text(name)} AND ${alive}) AS "${name}"`
  );
}

function postgresType(kind: string): string {
  switch (kind) {
    case "number":
      return "numeric";
    case "date":
    case "timestamp":
      return "timestamp";
    case "timestampTz":
    case "timestampLtz":
      return "timestamptz";
    case "yearToMonth":
    case "dayToSecond":
      return "interval";
    case "xml":
    case "json":
      return kind;
    case "bytes":
    case "blob":
      return "bytea";
    default:
      return "text";
  }
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
