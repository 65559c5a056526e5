import { kindOfType } from "../../../provider/databases/oracle/catalog/columns.js";
import { DAY_BEFORE } from "../../../provider/databases/oracle/logMiner/startAt.js";
import { KEPT } from "../../../provider/databases/oracle/precheck/logging.js";
import { DATABASE_ZONE } from "../../../provider/databases/oracle/serverFacts.js";
import type {
  Declarations,
  DeclaredColumn,
  DeclaredIndex,
  DeclaredSequence,
  DeclaredSource,
  DeclaredTable,
} from "./declarations.js";
import { DICTIONARY_TABLES } from "./dictionaryTables.js";
import type { EmulatedTable, OracleEmulator } from "./emulator.js";

type Row = Readonly<Record<string, string | number | null | undefined>>;

/** Fills an emulated Oracle's dictionary, and makes the tables there. Called again, it adds. */
export class EmulatedDictionary {
  private nextObject = 20_000;
  private readonly users = new Set<string>();
  private statements: string[] = [];

  private constructor(private readonly emulator: OracleEmulator) {}

  static async create(emulator: OracleEmulator): Promise<EmulatedDictionary> {
    await emulator.extend(`SET search_path = oracle_emulator; ${DICTIONARY_TABLES}`);
    // What only Oracle's own SQL can say.
    await emulator.answer(DATABASE_ZONE, [{ zone: "+00:00" }]);
    await emulator.answer(KEPT, [{ hours: "200" }]);
    await emulator.answer(DAY_BEFORE, [{ scn: null }]);
    return new EmulatedDictionary(emulator);
  }

  /** Of an emulator whose dictionary is there already. */
  static attach(emulator: OracleEmulator): EmulatedDictionary {
    const dictionary = new EmulatedDictionary(emulator);
    dictionary.nextObject = 50_000;
    return dictionary;
  }

  /** The tables by name, for transactions. */
  async declare(declarations: Declarations): Promise<ReadonlyMap<string, EmulatedTable>> {
    const tables = (declarations.tables ?? []).map((table) => this.table(table));
    for (const sequence of declarations.sequences ?? []) this.sequence(sequence);
    for (const view of declarations.views ?? []) this.view(view);
    for (const { owner, name, of, link } of declarations.synonyms ?? []) {
      this.user(owner);
      const [schema, object] = of.split(".");
      this.object(owner, name, "SYNONYM");
      this.insert("dba_synonyms", { owner, synonym_name: name, table_owner: schema, table_name: object, db_link: link });
    }
    for (const source of declarations.sources ?? []) this.source(source);
    for (const { owner, name, type } of declarations.others ?? []) this.object(owner, name, type);
    await this.run();
    return new Map(tables.map((table) => [table.name, table]));
  }

  /** Any statement on the dictionary's tables: what a test changes to see a precheck fail. */
  async change(sql: string): Promise<void> {
    await this.emulator.extend(sql);
  }

  /** ALTER TABLE ... ADD: the dictionary's row and the emulated column, without redo. */
  async addColumn(table: EmulatedTable, column: DeclaredColumn): Promise<EmulatedTable> {
    this.column(table.owner, table.name, column, table.columns.length + 1);
    await this.run();
    const added = { name: column.name, kind: kindOfType(column.type), partOfKey: false };
    return this.emulator.createTable({ ...table, columns: [...table.columns, added] });
  }

  /** DROP TABLE, in the dictionary. */
  async forget({ owner, name }: Pick<EmulatedTable, "owner" | "name">): Promise<void> {
    const named = (...columns: readonly string[]) => columns.map((column) => `${column} = '${name}'`).join(" OR ");
    await this.change(
      `SET search_path = oracle_emulator; DELETE FROM dba_objects WHERE owner = '${owner}' AND ${named("object_name")};
       DELETE FROM dba_all_tables WHERE owner = '${owner}' AND ${named("table_name")}; DELETE FROM dba_tab_cols WHERE owner = '${owner}' AND ${named("table_name")};
       DELETE FROM dba_constraints WHERE owner = '${owner}' AND ${named("table_name")}; DELETE FROM dba_cons_columns WHERE owner = '${owner}' AND ${named("table_name")};
       DELETE FROM dba_ind_columns i USING dba_indexes x WHERE x.owner = '${owner}' AND x.table_name = '${name}' AND i.index_name = x.index_name;
       DELETE FROM dba_indexes WHERE owner = '${owner}' AND ${named("table_name")};`,
    );
  }

  /** ALTER TABLE ... RENAME TO, in the dictionary. */
  async renameTable({ owner, name }: Pick<EmulatedTable, "owner" | "name">, to: string): Promise<void> {
    const update = (table: string, column = "table_name", owned = "owner") =>
      `UPDATE oracle_emulator.${table} SET ${column} = '${to}' WHERE ${owned} = '${owner}' AND ${column} = '${name}'`;
    await this.change(
      [
        update("dba_objects", "object_name"),
        ...["dba_all_tables", "dba_tab_cols", "dba_constraints", "dba_cons_columns", "dba_indexes"].map((table) => update(table)),
      ].join(";\n"),
    );
  }

  /** ALTER TABLE ... RENAME COLUMN, in the dictionary. */
  async renameColumn({ owner, name }: Pick<EmulatedTable, "owner" | "name">, from: string, to: string): Promise<void> {
    await this.change(
      ["dba_tab_cols", "dba_cons_columns"]
        .map(
          (table) =>
            `UPDATE oracle_emulator.${table} SET column_name = '${to}' WHERE owner = '${owner}' AND table_name = '${name}' AND column_name = '${from}'`,
        )
        .join(";"),
    );
  }

  /** ALTER TABLE ... MODIFY of a column's type, in the dictionary. */
  async retype({ owner, name }: Pick<EmulatedTable, "owner" | "name">, column: string, type: string): Promise<void> {
    const set = Object.entries(typeParts(type)).map(([part, value]) => `${part} = ${value === null ? "NULL" : `'${value}'`}`);
    await this.change(
      `UPDATE oracle_emulator.dba_tab_cols SET ${set.join(", ")} WHERE owner = '${owner}' AND table_name = '${name}' AND column_name = '${column}'`,
    );
  }

  /** ALTER TABLE ... DROP COLUMN, in the dictionary: those behind it move up. */
  async dropColumn({ owner, name }: Pick<EmulatedTable, "owner" | "name">, column: string): Promise<void> {
    const at = `owner = '${owner}' AND table_name = '${name}'`;
    await this.change(
      `UPDATE oracle_emulator.dba_tab_cols SET column_id = column_id - 1, segment_column_id = segment_column_id - 1 WHERE ${at}
          AND column_id > (SELECT column_id FROM oracle_emulator.dba_tab_cols WHERE ${at} AND column_name = '${column}');
       DELETE FROM oracle_emulator.dba_tab_cols WHERE ${at} AND column_name = '${column}'`,
    );
  }

  private table(table: DeclaredTable): EmulatedTable {
    const { owner, name } = table;
    this.user(owner);
    const id = this.object(owner, name, "TABLE");
    this.insert("dba_all_tables", {
      owner,
      table_name: name,
      num_rows: table.rows ?? null,
      blocks: table.blocks ?? 1,
      temporary: table.temporary ? "Y" : "N",
      duration: table.temporary ?? null,
      nested: "NO",
      secondary: "N",
      table_type_owner: table.rowType ? owner : null,
      table_type: table.rowType ?? null,
    });
    table.columns.forEach((column, index) => {
      this.column(owner, name, column, index + 1);
      if (column.notNull) {
        const condition = `"${column.name}" IS NOT NULL`;
        this.constraint(owner, name, `SYS_C${id}_${index}`, { constraint_type: "C", search_condition: condition }, []);
      }
    });
    if (table.comment) this.insert("dba_tab_comments", { owner, table_name: name, comments: table.comment });
    this.keys(table);
    this.partitioning(table);
    const key = table.primaryKey ?? table.unique?.[0] ?? [];
    // As the precheck asks for: without a primary key the redo names a row by all its values.
    if (!table.primaryKey) this.insert("all_log_groups", { owner, table_name: name, log_group_type: "ALL COLUMN LOGGING" });
    return this.emulator.createTable({
      id,
      owner,
      name,
      logged: table.primaryKey ? "key" : "all",
      fullIdentity: key.length === 0,
      columns: table.columns
        .filter(({ virtual }) => virtual === undefined)
        .map(({ name: column, type }) => ({
          name: column,
          kind: kindOfType(type.replaceAll(/\s+/g, " ")),
          partOfKey: key.includes(column),
          national: /^N(CHAR|VARCHAR2|CLOB)\b/.test(type),
        })),
    });
  }

  private column(owner: string, table: string, column: DeclaredColumn, number: number): void {
    this.insert("dba_tab_cols", {
      owner,
      table_name: table,
      column_name: column.name,
      column_id: column.invisible ? null : number,
      internal_column_id: number,
      segment_column_id: column.virtual === undefined ? number : null,
      ...typeParts(column.type),
      nullable: column.notNull ? "N" : "Y",
      virtual_column: column.virtual === undefined ? "NO" : "YES",
      hidden_column: column.invisible ? "YES" : "NO",
      // The dictionary keeps the text with what stood behind it.
      data_default:
        column.virtual ?? (column.identity ? `"${owner}"."ISEQ$$_1".nextval` : column.default && `${column.default} `),
    });
    if (column.comment)
      this.insert("dba_col_comments", { owner, table_name: table, column_name: column.name, comments: column.comment });
    if (!column.identity) return;
    this.sequence({ owner, name: `ISEQ$$_${table}`, last: column.identityLast ?? 1 });
    this.insert("dba_tab_identity_cols", {
      owner,
      table_name: table,
      column_name: column.name,
      generation_type: column.identity,
      sequence_name: `ISEQ$$_${table}`,
      identity_options:
        "START WITH: 1, INCREMENT BY: 1, MAX_VALUE: 9999999999999999999999999999, MIN_VALUE: 1, CYCLE_FLAG: N, CACHE_SIZE: 20, ORDER_FLAG: N",
    });
  }

  private keys(table: DeclaredTable): void {
    const { owner, name } = table;
    const keys = [
      ...(table.primaryKey ? [{ constraint: `${name}_PK`, kind: "P", columns: table.primaryKey }] : []),
      ...(table.unique ?? []).map((columns, index) => ({ constraint: `${name}_UK${index + 1}`, kind: "U", columns })),
    ];
    for (const { constraint, kind, columns } of keys) {
      this.constraint(owner, name, constraint, { constraint_type: kind }, columns);
      this.index(owner, name, { name: constraint, terms: columns, unique: true }, table);
    }
    for (const [constraint, condition] of Object.entries(table.checks ?? {})) {
      this.constraint(owner, name, constraint, { constraint_type: "C", search_condition: condition }, []);
    }
    for (const { name: constraint, columns, table: target, onDelete } of table.foreignKeys ?? []) {
      const row = {
        constraint_type: "R",
        r_owner: owner,
        r_constraint_name: `${target}_PK`,
        delete_rule: onDelete ?? "NO ACTION",
      };
      this.constraint(owner, name, constraint, row, columns);
    }
    for (const index of table.indexes ?? []) this.index(owner, name, index, table);
  }

  private constraint(owner: string, table: string, name: string, row: Row, columns: readonly string[]): void {
    this.insert("dba_constraints", {
      owner,
      table_name: table,
      constraint_name: name,
      deferrable: "NOT DEFERRABLE",
      deferred: "IMMEDIATE",
      status: "ENABLED",
      ...row,
    });
    columns.forEach((column, index) => {
      this.insert("dba_cons_columns", {
        owner,
        constraint_name: name,
        table_name: table,
        column_name: column,
        position: index + 1,
      });
    });
  }

  private index(owner: string, table: string, index: DeclaredIndex, { columns }: DeclaredTable): void {
    const expressions = index.terms.some((term) => !columns.some(({ name }) => name === term));
    this.object(owner, index.name, "INDEX");
    this.insert("dba_indexes", {
      owner,
      index_name: index.name,
      table_owner: owner,
      table_name: table,
      table_type: "TABLE",
      index_type: index.type ?? (expressions ? "FUNCTION-BASED NORMAL" : "NORMAL"),
      uniqueness: index.unique ? "UNIQUE" : "NONUNIQUE",
    });
    index.terms.forEach((written, at) => {
      const descending = / DESC$/.test(written);
      const term = written.replace(/ DESC$/, "");
      const plain = columns.some(({ name }) => name === term);
      const place = { index_owner: owner, index_name: index.name, column_position: at + 1 };
      this.insert("dba_ind_columns", {
        ...place,
        column_name: plain && !descending ? term : `SYS_NC${at}$`,
        descend: descending ? "DESC" : "ASC",
      });
      if (!plain || descending) this.insert("dba_ind_expressions", { ...place, column_expression: plain ? `"${term}"` : term });
    });
  }

  private partitioning({ owner, name, partitioning }: DeclaredTable): void {
    if (!partitioning) return;
    const names = Object.entries(partitioning.partitions);
    this.insert("dba_part_tables", {
      owner,
      table_name: name,
      partitioning_type: partitioning.type,
      subpartitioning_type: "NONE",
      partition_count: names.length,
    });
    partitioning.columns.forEach((column, index) => {
      this.insert("dba_part_key_columns", { owner, name, object_type: "TABLE", column_name: column, column_position: index + 1 });
    });
    names.forEach(([partition, high], index) => {
      this.insert("dba_tab_partitions", {
        table_owner: owner,
        table_name: name,
        partition_name: partition,
        high_value: high,
        partition_position: index + 1,
      });
    });
  }

  private sequence(sequence: DeclaredSequence): void {
    const { owner, name } = sequence;
    this.user(owner);
    this.object(owner, name, "SEQUENCE");
    this.insert("dba_sequences", {
      sequence_owner: owner,
      sequence_name: name,
      min_value: sequence.min ?? "1",
      max_value: sequence.max ?? "9999999999999999999999999999",
      increment_by: sequence.increment ?? 1,
      cycle_flag: sequence.cycle ? "Y" : "N",
      cache_size: sequence.cache ?? 20,
      last_number: sequence.last ?? 1,
    });
  }

  private view(view: NonNullable<Declarations["views"]>[number]): void {
    const { owner, name } = view;
    this.user(owner);
    this.object(owner, name, view.materialized ? "MATERIALIZED VIEW" : "VIEW");
    if (view.materialized) this.insert("dba_mviews", { owner, mview_name: name, container_name: name, query: view.query });
    else this.insert("dba_views", { owner, view_name: name, text: view.query, read_only: view.readOnly ? "Y" : "N" });
    view.columns.forEach((column, index) => {
      this.column(owner, name, { name: column, type: "VARCHAR2(10)" }, index + 1);
    });
    this.needs(owner, name, view.needs);
  }

  private source(source: DeclaredSource): void {
    const { owner, name, type } = source;
    this.user(owner);
    this.object(owner, name, type);
    source.text.split(/(?<=\n)/).forEach((text, index) => {
      this.insert("dba_source", { owner, name, type, line: index + 1, text });
    });
    if (type === "TRIGGER") {
      this.insert("dba_triggers", {
        owner,
        trigger_name: name,
        table_owner: source.on === undefined ? null : owner,
        table_name: source.on,
        status: source.disabled ? "DISABLED" : "ENABLED",
      });
    }
    this.needs(owner, name, source.needs);
  }

  private needs(owner: string, name: string, needs: readonly string[] = []): void {
    for (const need of needs) {
      const [schema, object] = need.split(".");
      this.insert("dba_dependencies", { owner, name, referenced_owner: schema, referenced_name: object });
    }
  }

  private user(name: string): void {
    if (this.users.has(name)) return;
    this.users.add(name);
    this.insert("all_users", { username: name, oracle_maintained: "N" });
  }

  private object(owner: string, name: string, type: string): number {
    const id = this.nextObject++;
    this.insert("dba_objects", { owner, object_name: name, object_id: id, data_object_id: id, object_type: type });
    return id;
  }

  private insert(table: string, row: Row): void {
    const given = Object.entries(row).filter(([, value]) => value !== undefined && value !== null);
    const names = given.map(([name]) => (name === "deferrable" ? '"deferrable"' : name)).join(", ");
    const values = given.map(([, value]) => (typeof value === "number" ? value : `'${String(value).replaceAll("'", "''")}'`));
    this.statements.push(`INSERT INTO oracle_emulator.${table} (${names}) VALUES (${values.join(", ")})`);
  }

  private async run(): Promise<void> {
    await this.emulator.extend(this.statements.splice(0).join(";\n"));
    await this.emulator.flush();
  }
}

/** The columns of DBA_TAB_COLS that a type's text stands for. */
function typeParts(text: string): Row {
  const owned = /^"([^"]+)"\."([^"]+)"$/.exec(text);
  if (owned) return { data_type: owned[2], data_type_owner: owned[1], data_length: 1 };
  if (text === "XMLTYPE") return { data_type: "XMLTYPE", data_type_owner: "SYS", data_length: 2000 };
  const [, type = text, first, second] =
    /^(N?VARCHAR2|N?CHAR|NUMBER|FLOAT|RAW|UROWID)\s*(?:\(([^,)]*)(?:,\s*([^)]*))?\))?$/.exec(text) ?? [];
  switch (type) {
    case "VARCHAR2":
    case "CHAR": {
      const [length = "1", unit = "BYTE"] = (first ?? "1").split(" ");
      return {
        data_type: type,
        data_length: Number(length),
        char_length: Number(length),
        char_used: unit === "CHAR" ? "C" : "B",
      };
    }
    case "NVARCHAR2":
    case "NCHAR":
      return { data_type: type, data_length: Number(first) * 2, char_length: Number(first), char_used: "C" };
    case "NUMBER":
      return {
        data_type: type,
        data_length: 22,
        data_precision: first === undefined || first === "*" ? null : Number(first),
        data_scale: first === undefined ? null : Number(second ?? 0),
      };
    case "FLOAT":
      return { data_type: type, data_length: 22, data_precision: Number(first ?? 126) };
    case "RAW":
    case "UROWID":
      return { data_type: type, data_length: Number(first) };
    default:
      return { data_type: text, data_length: 11 };
  }
}
