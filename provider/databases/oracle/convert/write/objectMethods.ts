import { quoteName } from "./names.js";
import { INTEGER, NUMERIC, TEXT, UNKNOWN } from "./types.js";
import type { Written } from "./writeExpression.js";

/** A method called on a value: those of XMLTYPE have their own expressions, any other is a function of the value. */
export function writeObjectMethod(value: string, name: string, args: readonly string[]): Written {
  const [path = "NULL"] = args;
  switch (name) {
    case "getclobval":
    case "getstringval":
      return { sql: `(${value})::text`, type: TEXT };
    case "getnumberval":
      return { sql: `(${value})::text::numeric`, type: NUMERIC };
    case "extract":
      return { sql: `(xpath(${path}, ${value}))[1]`, type: { sql: "xml", family: "xml" } };
    case "existsnode":
      return { sql: `xpath_exists(${path}, ${value})::integer`, type: INTEGER };
    default:
      return { sql: `${quoteName(name)}(${[value, ...args].join(", ")})`, type: UNKNOWN };
  }
}
