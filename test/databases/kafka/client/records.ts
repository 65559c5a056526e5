import type { Slice } from "../../../../provider/databases/kafka/client/recordBatch.js";

/** A text as a record's key or value. */
export function slice(text: string): Slice {
  const bytes = Buffer.from(text);
  return { bytes, start: 0, end: bytes.length };
}
