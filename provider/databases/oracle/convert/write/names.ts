/** Words that PostgreSQL or PL/pgSQL would take for something else when they stand unquoted as a name. */
const RESERVED = new Set(
  `all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create current_catalog
  current_date current_role current_time current_timestamp current_user default deferrable desc distinct do else end except
  false fetch for foreign from grant group having in initially intersect into lateral leading limit localtime localtimestamp
  not null offset on only or order placing primary references returning select session_user some symmetric system_user table
  then to trailing true union unique user using variadic when where window with authorization binary collation concurrently
  cross current_schema freeze full ilike inner is isnull join left like natural notnull outer overlaps right similar
  tablesample verbose between bigint bit boolean char character coalesce dec decimal exists extract float greatest grouping
  inout int integer interval json json_array json_arrayagg json_exists json_object json_objectagg json_query json_scalar
  json_serialize json_table json_value least merge_action national nchar none normalize nullif numeric out overlay position
  precision real row setof smallint substring time timestamp treat trim values varchar xmlattributes xmlconcat xmlelement
  xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
  begin by declare execute foreach if loop strict while exit return raise perform open close get move call commit rollback
  found new old label`.split(/\s+/),
);

/** Quotes a name only where PostgreSQL needs it, so that the output reads as a person would have written it. */
export function quoteName(name: string): string {
  return /^[\p{Ll}_][\p{Ll}\p{N}_$]*$/u.test(name) && !RESERVED.has(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** Words that PL/pgSQL knows for parts of statements: a loop does not declare a variable called so unless it is quoted. */
const LOOP_WORDS = new Set(
  `absolute alias assert backward chain close column column_name constant constraint constraint_name continue current cursor datatype
  debug deallocate detail diagnostics dump elsif errcode error exception exit explain forward get hint import info insert is last log
  merge message message_text move next no notice open option pg_context pg_datatype_name pg_exception_context pg_exception_detail
  pg_exception_hint pg_routine_oid print_strict_params prior query relative return returned_sqlstate reverse rollback row_count rowtype
  schema schema_name scroll slice sqlstate stacked table table_name type use_column use_variable variable_conflict warning`.split(
    /\s+/,
  ),
);

/** The variable that FOR declares. */
export function quoteVariable(name: string): string {
  return LOOP_WORDS.has(name) ? `"${name}"` : quoteName(name);
}

/** schema.name; of longer names the last two parts. */
export function quoteNames(names: readonly string[]): string {
  return names.slice(-2).map(quoteName).join(".");
}

/** A string constant, whatever standard_conforming_strings says. */
export function quoteText(text: string): string {
  // PostgreSQL holds no zero bytes in text.
  const quoted = `'${text.replaceAll("\u0000", "").replaceAll("'", "''")}'`;
  return text.includes("\\") ? `E${quoted.replaceAll("\\", "\\\\")}` : quoted;
}

/** A body between dollar quotes whose tag the body does not contain. */
export function dollarQuote(body: string): string {
  let tag = "$$";
  for (let attempt = 0; body.includes(tag); attempt++) tag = `$body${attempt || ""}$`;
  return `${tag}\n${body}\n${tag}`;
}

/** Lines indented one step deeper; the inside of string constants that span lines stays as it is. */
export function indent(lines: readonly string[]): string[] {
  return lines.map((line) => (line === "" ? line : `  ${line}`));
}

/** PostgreSQL keeps 63 bytes of a name; a longer one gets a tail made from the whole, so that two never become one. */
export function fitName(name: string): string {
  if (Buffer.byteLength(name) <= 63) return name;
  let hash = 0;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  let kept = name;
  while (Buffer.byteLength(kept) > 55) kept = kept.slice(0, -1);
  return `${kept}_${hash.toString(36).slice(0, 7)}`;
}
