import type { TaskEndpoint } from "../../engine/models/endpoint.js";
import { type Sequence, type SequenceCatalog, sequenceKey } from "../postgres/sequences.js";
import { type Dictionary, openDictionary } from "./catalog/dictionary.js";
import { naturalName } from "./catalog/naturalName.js";
import { OracleConnections } from "./connections.js";

const SEQUENCES = `
SELECT s.sequence_owner AS "schema", s.sequence_name AS "name", s.min_value AS "min", s.max_value AS "max", s.increment_by AS "increment",
       s.cycle_flag AS "cycle", s.last_number AS "last"
  FROM {view}_sequences s
 WHERE s.sequence_owner {users}`;

const IDENTITIES = `
SELECT i.owner AS "schema", i.table_name AS "table", i.column_name AS "column", i.sequence_name AS "name"
  FROM {view}_tab_identity_cols i
 WHERE i.owner {users}`;

/**
 * Oracle's sequences under the names that they have on PostgreSQL (HR.EMP_SEQ is hr.emp_seq), an identity column's under that of PostgreSQL's own
 * (`table_column_seq`). LAST_NUMBER is the first value that no instance has in its cache: values below it may be unused, none is used twice.
 * Errors: those of the connection; GW1305.
 */
export async function readOracleSequences(
  endpoint: TaskEndpoint,
  applicationName: string,
  wanted: (key: string) => boolean,
): Promise<SequenceCatalog> {
  const sources = new OracleConnections(endpoint, applicationName);
  try {
    const dictionary = await openDictionary(await sources.connect("read"));
    const identities = await identityNames(dictionary);
    const sequences = new Map<string, Sequence>();
    for (const row of await dictionary.read(SEQUENCES)) {
      const identity = identities.get(JSON.stringify([row.schema, row.name]));
      const named = { schema: naturalName(row.schema ?? ""), name: identity ?? naturalName(row.name ?? "") };
      if (!wanted(sequenceKey(named))) continue;
      sequences.set(sequenceKey(named), {
        ...named,
        increment: BigInt(row.increment ?? "1"),
        min: int64(row.min ?? "1"),
        max: int64(row.max ?? "1"),
        cycle: row.cycle === "Y",
        type: "bigint",
        last: BigInt(row.last ?? "1"),
        called: false,
      });
    }
    return { sequences, unreadable: new Set() };
  } finally {
    sources.close();
  }
}

/** Oracle's bounds have 28 digits, PostgreSQL's sequences end where bigint does. */
function int64(text: string): bigint {
  const value = BigInt(text);
  const [least, most] = [-(1n << 63n), (1n << 63n) - 1n];
  return value < least ? least : value > most ? most : value;
}

async function identityNames(dictionary: Dictionary): Promise<ReadonlyMap<string, string>> {
  if (Number.parseInt(dictionary.version, 10) < 12) return new Map();
  return new Map(
    (await dictionary.read(IDENTITIES)).map((row) => [
      JSON.stringify([row.schema, row.name]),
      identitySequence(naturalName(row.table ?? ""), naturalName(row.column ?? "")),
    ]),
  );
}

/** As PostgreSQL makes it (makeObjectName in indexcmds.c): the longer of both is cut until all fits 63 bytes. */
function identitySequence(table: string, column: string): string {
  let [first, second] = [table, column];
  while (Buffer.byteLength(`${first}_${second}_seq`) > 63) {
    if (Buffer.byteLength(first) > Buffer.byteLength(second)) first = first.slice(0, -1);
    else second = second.slice(0, -1);
  }
  return `${first}_${second}_seq`;
}
