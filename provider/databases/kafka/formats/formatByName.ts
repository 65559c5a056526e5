import { canalJson } from "./canalJson.js";
import { dtsAvro } from "./dtsAvro.js";
import type { RecordFormat } from "./recordFormat.js";
import { shareplexJson } from "./shareplexJson.js";

export type FormatName = "canal-json" | "dts-avro" | "shareplex-json";

export interface FormatOptions {
  /** The source server's version, which dts-avro carries. */
  readonly serverVersion: string;
  /** Of DTS_RECORD_SCHEMA in the Schema Registry: dts-avro records then have Confluent's framing. */
  readonly schemaId?: number;
}

export function formatByName(name: FormatName, { serverVersion, schemaId }: FormatOptions): RecordFormat {
  switch (name) {
    case "canal-json":
      return canalJson();
    case "dts-avro":
      return dtsAvro(schemaId === undefined ? { serverVersion } : { serverVersion, schemaId });
    case "shareplex-json":
      return shareplexJson();
  }
}
