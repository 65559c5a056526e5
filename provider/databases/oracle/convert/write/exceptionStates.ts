/** Exceptions that PL/SQL declares itself, as the conditions PostgreSQL raises in their place. */
const PREDEFINED: Readonly<Record<string, string>> = {
  no_data_found: "no_data_found",
  too_many_rows: "too_many_rows",
  dup_val_on_index: "unique_violation",
  zero_divide: "division_by_zero",
  value_error: "data_exception",
  invalid_number: "invalid_text_representation",
  invalid_cursor: "invalid_cursor_state",
  cursor_already_open: "duplicate_cursor",
  login_denied: "invalid_password",
  not_logged_on: "connection_does_not_exist",
  program_error: "internal_error",
  storage_error: "out_of_memory",
  timeout_on_resource: "lock_not_available",
  transaction_backed_out: "transaction_rollback",
  case_not_found: "case_not_found",
  collection_is_null: "null_value_not_allowed",
  subscript_beyond_count: "array_subscript_error",
  subscript_outside_limit: "array_subscript_error",
  access_into_null: "null_value_not_allowed",
  rowtype_mismatch: "datatype_mismatch",
  self_is_null: "null_value_not_allowed",
  sys_invalid_rowid: "invalid_text_representation",
  no_data_needed: "query_canceled",
};

/** The errors of Oracle that users name by number, as the SQLSTATE of PostgreSQL's own error in the same situation. */
const BY_CODE: Readonly<Record<number, string>> = {
  [-1]: "23505",
  [-54]: "55P03",
  [-60]: "40P01",
  [-904]: "42703",
  [-942]: "42P01",
  [-955]: "42P07",
  [-1400]: "23502",
  [-1403]: "P0002",
  100: "P0002",
  [-1407]: "23502",
  [-1422]: "P0003",
  [-1438]: "22003",
  [-1476]: "22012",
  [-1722]: "22P02",
  [-1843]: "22008",
  [-1858]: "22007",
  [-1861]: "22007",
  [-2289]: "42P01",
  [-2290]: "23514",
  [-2291]: "23503",
  [-2292]: "23503",
  [-4043]: "42704",
  [-6502]: "22000",
  [-8177]: "40001",
  [-12899]: "22001",
  [-30006]: "55P03",
};

export function predefinedCondition(name: string): string | undefined {
  return PREDEFINED[name];
}

/**
 * The SQLSTATE for an error number. -20000 to -20999, which applications raise, become OR000 to OR999, so that a handler in one
 * object knows what another raised; every other number without a counterpart becomes O and the number in base 36.
 */
export function stateOfCode(code: number): string {
  if (code <= -20000 && code >= -20999) return `OR${String(-20000 - code).padStart(3, "0")}`;
  return BY_CODE[code] ?? `O${Math.abs(code).toString(36).toUpperCase().padStart(4, "0")}`;
}

/** The SQLSTATE of a user's exception without a number: made from its full name, so that separate objects agree on it. */
export function stateOfName(name: string): string {
  let hash = 0;
  for (const character of name) hash = (hash * 33 + (character.codePointAt(0) ?? 0)) >>> 0;
  return `U${(hash % 36 ** 4).toString(36).toUpperCase().padStart(4, "0")}`;
}

/** SQLCODE from SQLSTATE, inside a handler. */
export function writeSqlCode(): string {
  const known = Object.entries({
    P0002: 100,
    "23505": -1,
    P0003: -1422,
    "22012": -1476,
    "22P02": -1722,
    "22000": -6502,
    "23503": -2291,
    "23514": -2290,
    "23502": -1400,
    "22001": -12899,
    "22003": -1438,
    "22008": -1843,
    "42P01": -942,
    "42703": -904,
    "40P01": -60,
    "55P03": -54,
    [stateOfCode(-24381)]: -24381,
  });
  const branches = known.map(([state, code]) => `WHEN SQLSTATE = '${state}' THEN ${code}`).join(" ");
  return `(CASE WHEN SQLSTATE ~ '^OR\\d{3}$' THEN -20000 - right(SQLSTATE, 3)::integer ${branches} WHEN SQLSTATE ~ '^U' THEN 1 ELSE -6500 END)`;
}
