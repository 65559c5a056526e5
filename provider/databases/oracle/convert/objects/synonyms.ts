import type { Cursor } from "../read/cursor.js";
import type { Environment } from "../write/environment.js";
import { dollarQuote, quoteNames, quoteText } from "../write/names.js";
import { type Converted, schemaStatements } from "./converted.js";

/**
 * CREATE SYNONYM. A view for a table or view; wrappers with the same arguments for routines; a domain for a type. What stands behind the
 * name is taken from this file where it is in it, else the statement asks the target when it runs.
 */
export function convertSynonym(cursor: Cursor, env: Environment): Converted {
  cursor.accept("PUBLIC");
  cursor.expect("SYNONYM");
  cursor.accept("IF", "NOT", "EXISTS");
  const name = cursor.names();
  if (cursor.accept("SHARING", "=")) cursor.next();
  cursor.expect("FOR");
  const target = cursor.names();
  if (cursor.at("@")) cursor.refuse("a synonym through a database link");
  if (!cursor.done) cursor.fail("expected the end of the synonym");
  const own = quoteNames(name);
  const of = quoteNames(target);
  const base = { kind: "synonym", name: name.join(".") };
  if (own === of || (name.length === 1 && target.length === 1 && name[0] === target[0]))
    return { ...base, sql: [], nothing: "it names an object of its own name, which the search path finds" };
  const schema = schemaStatements(name, env);
  if (env.catalog.columns(target) || env.catalog.relations.has(target.slice(-2).join(".")))
    return { ...base, sql: [...schema, `CREATE OR REPLACE VIEW ${own} AS SELECT * FROM ${of}`] };
  if (env.catalog.types.has(target.slice(-2).join("."))) return { ...base, sql: [...schema, `CREATE DOMAIN ${own} AS ${of}`] };
  return { ...base, sql: [...schema, writeLookup(own, of)] };
}

function writeLookup(own: string, of: string): string {
  const [name, target] = [quoteText(own), quoteText(of)];
  const lines = [
    "DECLARE",
    "  godwit_routine record;",
    "  godwit_found boolean := false;",
    "BEGIN",
    `  IF EXISTS (SELECT FROM pg_class WHERE oid = to_regclass(${target}) AND relkind IN ('r', 'p', 'v', 'm', 'f')) THEN`,
    `    EXECUTE format('CREATE OR REPLACE VIEW %s AS SELECT * FROM %s', ${name}, ${target});`,
    "    RETURN;",
    "  END IF;",
    `  IF to_regclass(${target}) IS NULL AND to_regtype(${target}) IS NOT NULL THEN`,
    `    EXECUTE format('CREATE DOMAIN %s AS %s', ${name}, ${target});`,
    "    RETURN;",
    "  END IF;",
    "  FOR godwit_routine IN",
    "    SELECT p.prokind, pg_get_function_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result,",
    "      coalesce((SELECT string_agg('$' || n, ', ' ORDER BY n) FROM generate_series(1, p.pronargs) AS n), '') AS numbers",
    `    FROM pg_proc AS p WHERE p.oid IN (SELECT oid FROM pg_proc WHERE format('%I.%I', pronamespace::regnamespace, proname) = ANY (ARRAY[${target}, 'public.' || ${target}]))`,
    "      AND p.prokind IN ('f', 'p')",
    "  LOOP",
    "    godwit_found := true;",
    "    IF godwit_routine.prokind = 'p' THEN",
    `      EXECUTE format('CREATE OR REPLACE PROCEDURE %s(%s) LANGUAGE plpgsql AS $call$ BEGIN CALL %s(%s); END $call$', ${name}, godwit_routine.arguments, ${target}, godwit_routine.numbers);`,
    "    ELSE",
    `      EXECUTE format('CREATE OR REPLACE FUNCTION %s(%s) RETURNS %s LANGUAGE sql AS $call$ SELECT %s(%s) $call$', ${name}, godwit_routine.arguments, godwit_routine.result, ${target}, godwit_routine.numbers);`,
    "    END IF;",
    "  END LOOP;",
    "  IF NOT godwit_found THEN",
    `    RAISE undefined_table USING MESSAGE = format('relation "%s" does not exist', replace(${target}, '"', ''));`,
    "  END IF;",
    "END",
  ];
  return `DO ${dollarQuote(lines.join("\n"))}`;
}
