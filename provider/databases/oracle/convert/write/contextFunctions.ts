import type { Expression } from "../read/expression.js";
import type { Environment } from "./environment.js";
import { quoteText } from "./names.js";
import { TEXT } from "./types.js";
import { type Written, writeSql } from "./writeExpression.js";

/** The facts of USERENV that PostgreSQL knows; any other context is a setting of its name, which set_config fills. */
const USERENV: Readonly<Record<string, string>> = {
  current_schema: "current_schema()",
  current_user: "current_user",
  session_user: "session_user",
  db_name: "current_database()",
  instance_name: "current_database()",
  service_name: "current_database()",
  ip_address: "host(inet_client_addr())",
  host: "host(inet_client_addr())",
  sid: "pg_backend_pid()::text",
  sessionid: "pg_backend_pid()::text",
  module: "current_setting('application_name')",
  os_user: "session_user",
  server_host: "host(inet_server_addr())",
};

/** SYS_CONTEXT(space, key). */
export function writeContext(space: string, key: Expression, env: Environment): Written {
  if (key.kind !== "literal")
    return { sql: `nullif(current_setting(concat(${quoteText(`${space}.`)}, ${writeSql(key, env)}), true), '')`, type: TEXT };
  const name = key.value.toLowerCase();
  const known = space === "userenv" ? USERENV[name] : undefined;
  if (space === "userenv" && known === undefined)
    env.output.warn(
      `SYS_CONTEXT('USERENV', ${quoteText(key.value)}) became the setting userenv.${name}, which is NULL unless somebody sets it`,
      key.line,
    );
  // A setting that was made in another transaction of the session, and taken back, is empty.
  return { sql: known ?? `nullif(current_setting(${quoteText(`${space}.${name}`)}, true), '')`, type: TEXT };
}
