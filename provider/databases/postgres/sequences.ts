import type { Client } from "pg";
import { ErrorCode, GodwitError } from "../../engine/errors.js";
import { qualified } from "./sql.js";

/** A sequence as its server has it. `last` and `called` are its state: nextval gives `last` when not called yet, else the next one. */
export interface Sequence {
  readonly schema: string;
  readonly name: string;
  readonly increment: bigint;
  readonly min: bigint;
  readonly max: bigint;
  readonly cycle: boolean;
  /** smallint, integer or bigint. */
  readonly type: string;
  readonly last: bigint;
  readonly called: boolean;
}

/** The state alone, which is what moves. */
export type SequenceState = Pick<Sequence, "last" | "called">;

/** States read in one statement: a union of a few hundred branches is planned in milliseconds, of thousands it is not. */
const STATES_AT_ONCE = 200;

interface DefinitionRow {
  readonly schema: string;
  readonly name: string;
  readonly increment: string;
  readonly min: string;
  readonly max: string;
  readonly cycle: boolean;
  readonly type: string;
  readonly readable: boolean;
}

/** pg_sequences hides whether a sequence was called, and shows nothing of one that the role may not read: hence the catalog. */
const DEFINITIONS = `
  SELECT n.nspname AS schema, c.relname AS name,
         s.seqincrement::text AS increment, s.seqmin::text AS min, s.seqmax::text AS max, s.seqcycle AS cycle,
         pg_catalog.format_type(s.seqtypid, NULL) AS type,
         pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_sequence_privilege(c.oid, 'SELECT') AS readable
    FROM pg_catalog.pg_sequence s
    JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'godwit', 'godwit_capture')
     AND c.relpersistence <> 't'
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                      WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')
   ORDER BY n.nspname, c.relname`;

export interface SequenceCatalog {
  /** By `schema.name` as `sequenceKey` writes it. */
  readonly sequences: ReadonlyMap<string, Sequence>;
  /** Keys of sequences that are there and that the role may not read. */
  readonly unreadable: ReadonlySet<string>;
}

/** Every user sequence of the database, with those of serial and identity columns; or those that `wanted` picks. */
export async function readSequences(client: Client, wanted: (key: string) => boolean): Promise<SequenceCatalog> {
  const { rows } = await client.query<DefinitionRow>(DEFINITIONS).catch((cause: { code?: string }) => {
    // Before PostgreSQL 10 each sequence keeps its definition in its own relation; of the family only AnalyticDB 6 is that old.
    if (cause.code !== "42P01") throw cause;
    throw new GodwitError(ErrorCode.InvalidInput, "the server has no catalog of sequences: it speaks the SQL of PostgreSQL 9.4", {
      remedy: "set its sequences by hand with setval, or leave them out: values come from the source",
      cause,
    });
  });
  const picked = rows.filter((row) => wanted(sequenceKey(row)));
  const readable = picked.filter((row) => row.readable);
  const sequences = new Map<string, Sequence>();
  for (let start = 0; start < readable.length; start += STATES_AT_ONCE) {
    const part = readable.slice(start, start + STATES_AT_ONCE);
    const states = await readStates(client, part);
    for (const [index, row] of part.entries()) {
      const state = states.get(index);
      if (state) sequences.set(sequenceKey(row), { ...definition(row), ...state });
    }
  }
  return { sequences, unreadable: new Set(picked.filter((row) => !row.readable).map(sequenceKey)) };
}

/** The state now. */
export async function readState(client: Client, sequence: { schema: string; name: string }): Promise<SequenceState> {
  const state = (await readStates(client, [sequence])).get(0);
  if (!state) throw new RangeError(`sequence ${sequenceKey(sequence)} has no state`);
  return state;
}

/** How outputs and errors name a sequence. Quoted where plain text would not tell two of them apart. */
export function sequenceKey({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return [schema, name].map((part) => (/[."\s]/.test(part) ? `"${part.replaceAll('"', '""')}"` : part)).join(".");
}

async function readStates(
  client: Client,
  sequences: readonly { readonly schema: string; readonly name: string }[],
): Promise<Map<number, SequenceState>> {
  const branches = sequences.map(
    (sequence, index) => `SELECT ${index} AS index, last_value::text AS last, is_called AS called FROM ${qualified(sequence)}`,
  );
  const { rows } = await client.query<{ index: number; last: string; called: boolean }>(branches.join(" UNION ALL "));
  return new Map(rows.map(({ index, last, called }) => [index, { last: BigInt(last), called }]));
}

function definition(row: DefinitionRow): Omit<Sequence, "last" | "called"> {
  const { schema, name, cycle, type } = row;
  return { schema, name, cycle, type, increment: BigInt(row.increment), min: BigInt(row.min), max: BigInt(row.max) };
}
