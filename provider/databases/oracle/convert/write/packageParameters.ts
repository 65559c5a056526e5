import type { Argument, Expression } from "../read/expression.js";

/** Parameters of Oracle's packages in their order, for calls that name them. */
const PARAMETERS: Readonly<Record<string, string>> = {
  "dbms_lob.getlength": "lob_loc",
  "dbms_lob.substr": "lob_loc amount offset",
  "dbms_lob.instr": "lob_loc pattern offset nth",
  "dbms_lob.compare": "lob_1 lob_2",
  "dbms_lob.createtemporary": "lob_loc cache dur",
  "dbms_lob.append": "dest_lob src_lob",
  "dbms_lob.writeappend": "lob_loc amount buffer",
  "dbms_lob.trim": "lob_loc newlen",
  "dbms_random.value": "low high",
  "dbms_random.string": "opt len",
  "dbms_output.put_line": "a",
  "dbms_output.put": "a",
  "dbms_lock.sleep": "seconds",
  "dbms_session.sleep": "seconds",
  "dbms_session.set_identifier": "client_id",
  "dbms_session.set_context": "namespace attribute value username client_id",
  "dbms_session.clear_context": "namespace client_id attribute",
  "dbms_application_info.set_module": "module_name action_name",
  "dbms_application_info.set_action": "action_name",
  "dbms_application_info.set_client_info": "client_info",
  "dbms_stats.gather_table_stats": "ownname tabname",
  "dbms_mview.refresh": "list",
  "dbms_snapshot.refresh": "list",
  "dbms_alert.signal": "name message",
  "dbms_utility.exec_ddl_statement": "parse_string",
  "dbms_assert.enquote_literal": "str",
  "dbms_assert.enquote_name": "str capitalize",
  "utl_raw.cast_to_raw": "c",
  "utl_raw.cast_to_varchar2": "r",
  "utl_raw.substr": "r pos len",
  "utl_encode.base64_encode": "r",
  "utl_encode.base64_decode": "r",
};

/** The arguments by their places; what is left out between two that are given is undefined. */
export function inPlace(name: string, args: readonly Argument[]): (Expression | undefined)[] {
  const names = PARAMETERS[name]?.split(" ");
  if (!names || args.every((arg) => arg.name === undefined)) return args.map(({ value }) => value);
  const placed = names.map((each, index) => {
    const given = args.find((arg) => arg.name === each) ?? (args[index]?.name === undefined ? args[index] : undefined);
    return given?.value;
  });
  while (placed.length > 0 && placed.at(-1) === undefined) placed.pop();
  return placed;
}
