import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { DTS_RECORD_SCHEMA } from "../../../../provider/databases/kafka/formats/dtsAvroSchema.js";
import type { TableEncoder } from "../../../../provider/databases/kafka/formats/recordFormat.js";
import { connect, type PostgresEndpoint } from "../../../../provider/databases/postgres/connection.js";
import { needReaders, prepareKafkaReaders, readersProblem, readRecords } from "../../../support/kafkaReaders/readers.js";
import { type PostgresServer, startPostgres } from "../../../support/postgres.js";
import { FACTS, written } from "./records.js";
import type { Change } from "./sourceRows.js";

/** What the generic Avro reader prints of a record. */
export interface AvroRecord {
  readonly operation: string;
  readonly objectName: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly fields: readonly { readonly name: string; readonly dataTypeNumber: number }[] | null;
  readonly beforeImages: AvroImage;
  readonly afterImages: AvroImage;
  readonly [field: string]: unknown;
}
export type AvroValue = Readonly<Record<string, Readonly<Record<string, unknown>>>> | string | null;
export type AvroImage = readonly AvroValue[] | string | null;

export interface FlinkRow {
  readonly rows?: readonly { readonly kind: string; readonly row: Readonly<Record<string, string | null>> }[];
  readonly error?: string;
}

export interface SdkRecord {
  readonly operation: string;
  readonly before: Readonly<Record<string, string | null>> | null;
  readonly after: Readonly<Record<string, string | null>> | null;
  readonly [field: string]: unknown;
}

/** What tests of a file read records with. */
export interface Readers {
  readonly server: PostgresServer;
  readonly endpoint: PostgresEndpoint;
  /** A session of its own for each test, with the settings that all of ours have: the text of values depends on them. */
  readonly client: Client;
  flink(type: string, records: readonly Buffer[]): Promise<readonly FlinkRow[]>;
  /** `framing`: bytes before each record. */
  avro(records: readonly Buffer[], framing?: number): Promise<readonly AvroRecord[]>;
  avroFingerprint(): Promise<unknown>;
  sdk(records: readonly Buffer[]): Promise<readonly SdkRecord[]>;
}

/** A server, and the readers, for the tests of a file; without Java the tests are left out (readers.ts). `prepare` runs once. */
export function useReaders(prepare: (server: PostgresServer) => Promise<void> = async () => undefined): () => Readers {
  let server: PostgresServer | undefined;
  let folder: string | undefined;
  let readers: Readers | undefined;
  beforeAll(async () => {
    if (readersProblem() !== undefined) return;
    await prepareKafkaReaders();
    folder = await mkdtemp(join(tmpdir(), "godwit-readers-"));
    await writeFile(join(folder, "record.avsc"), DTS_RECORD_SCHEMA);
    server = await startPostgres({ major: 17, settings: { fsync: "off" }, name: "formats" });
    await prepare(server);
  });
  afterAll(async () => {
    await server?.remove();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async (context) => {
    needReaders(context);
    if (!server || folder === undefined) throw new Error("the readers were not prepared");
    const endpoint = server.endpoint();
    const client = await connect(endpoint, { applicationName: "test" });
    await client.query("SET search_path = public");
    const schema = join(folder, "record.avsc");
    readers = {
      server,
      endpoint,
      client,
      flink: async (type, records) => (await readRecords("FlinkCanalReader", [type], records)) as FlinkRow[],
      avro: async (records, framing = 0) =>
        (await readRecords("AvroRecordReader", [schema, String(framing)], records)).slice(1) as AvroRecord[],
      avroFingerprint: async () => (await readRecords("AvroRecordReader", [schema, "0"], []))[0],
      sdk: async (records) => (await readRecords("DtsSdkReader", [], records)) as SdkRecord[],
    };
  });
  afterEach(async () => {
    await readers?.client.end();
    readers = undefined;
  });
  return () => {
    if (!readers) throw new Error("outside a test");
    return readers;
  };
}

/** The records of rows of the full load. */
export function loadRecords(encoder: TableEncoder, tuples: readonly Buffer[]): Buffer[] {
  return tuples.map((tuple) => written((out) => encoder.load(tuple, 0, FACTS, out)));
}

/** The records of changes, one each. */
export function changeRecords(encoder: TableEncoder, changes: readonly Change[]): Buffer[] {
  return changes.map(({ kind, data, older, tuple }) =>
    written((out) => {
      if (kind === "insert") encoder.insert(data, tuple, -1, FACTS, out);
      else if (kind === "update") encoder.update(data, older, tuple, FACTS, out);
      else encoder.delete(data, older, FACTS, out);
    }),
  );
}
