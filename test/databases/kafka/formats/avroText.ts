import type { AvroValue } from "./readers.js";

/** A value of an Avro image, put back into PostgreSQL's text. `text` is only asked for how many digits a float has. */
export function textOf(value: AvroValue, text: string | null): string | null {
  if (value === null || typeof value === "string") return value;
  const [[branch, of] = ["", {}]] = Object.entries(value);
  switch (branch) {
    case "Character":
      return Buffer.from(String(of.value).slice(2), "hex").toString("utf8");
    case "Integer":
    case "Decimal":
    case "TextObject":
      return String(of.value);
    case "Float":
      // Java and PostgreSQL write the same number differently.
      return Object.is(Number(of.value), Number(text)) ? text : `${of.value} for ${text}`;
    case "BinaryObject": {
      const bytes = Buffer.from(String(of.value).slice(2), "hex");
      return of.type === "BYTEA" ? `\\x${bytes.toString("hex")}` : bytes.toString("utf8");
    }
    case "DateTime":
      return dateTimeText(of);
    case "TimestampWithTimeZone": {
      const dateTime = (of.value as { readonly DateTime: Readonly<Record<string, unknown>> }).DateTime;
      return `${dateTimeText(dateTime)}${String(of.timezone).replace(/:00$/, "")}`;
    }
    default:
      return `a branch not expected: ${branch}`;
  }
}

function dateTimeText(of: Readonly<Record<string, unknown>>): string {
  const digits = (value: unknown, count: number) => String(value).padStart(count, "0");
  const date = of.year === null ? [] : [`${digits(of.year, 4)}-${digits(of.month, 2)}-${digits(of.day, 2)}`];
  const fraction = of.millis === null ? "" : `.${digits(of.millis, 6).replace(/0+$/, "")}`;
  const time = of.hour === null ? [] : [`${digits(of.hour, 2)}:${digits(of.minute, 2)}:${digits(of.second, 2)}${fraction}`];
  return [...date, ...time].join(" ");
}
