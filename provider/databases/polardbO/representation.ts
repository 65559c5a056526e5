import type { Client } from "pg";
import type { CatalogTable } from "../../engine/models/catalog.js";
import type { PolardbTraits } from "./traits.js";

/** Bytes of a value of each built-in base type by its name as format_type prints it; -1 where it varies. */
export type TypeLengths = ReadonlyMap<string, number>;

export async function readTypeLengths(client: Client): Promise<TypeLengths> {
  const { rows } = await client.query<{ name: string; length: number }>(
    `SELECT pg_catalog.format_type(t.oid, NULL) AS name, t.typlen AS length FROM pg_catalog.pg_type t
     WHERE t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace AND t.oid < 16384 AND t.typtype = 'b'`,
  );
  return new Map(rows.map(({ name, length }) => [name, length]));
}

interface Side {
  readonly traits: PolardbTraits;
  readonly lengths: TypeLengths;
}

/**
 * Built-in types whose binary form is not the same on both servers, though their names and numbers are: those of another length (a date of 8 bytes),
 * and date where the word means a timestamp in our own statements as well.
 */
export function differingTypes(source: Side, target: Side): ReadonlySet<string> {
  const differ = new Set<string>();
  for (const [name, length] of source.lengths) {
    const there = target.lengths.get(name);
    if (there !== undefined && there !== length) differ.add(name);
  }
  if (target.traits.date === "translated" && !target.traits.dateKept) differ.add("date");
  return differ;
}

/** The tables with every column of such a type, and any that may be made of one, to be sent as text. */
export function withSafeForms<T extends Pick<CatalogTable, "columns">>(tables: readonly T[], differ: ReadonlySet<string>): T[] {
  return tables.map((table) => ({
    ...table,
    columns: table.columns.map((column) => ({
      ...column,
      binaryPortable: column.binaryPortable && !(differ.size > 0 && madeOf(column.type, differ)),
    })),
  }));
}

/** A user's type (a domain, a row) and a range may be over any type; they are few, and text is right for all of them. */
function madeOf(type: string, differ: ReadonlySet<string>): boolean {
  const element = type.replace(/(\[\])+$/, "").replace(/\([\d,-]+\)/, "");
  return differ.has(element) || element.includes(".") || /range$/.test(element);
}
