import type { WireReader } from "./bytes.js";

/** One request with the way to read its response. Bodies are parts so that batches go to the socket without being copied. */
export interface WireCall<T> {
  readonly api: Api;
  /** The versions whose forms `body` and `read` know; the highest that the broker knows as well is spoken. */
  readonly versions: readonly [lowest: number, highest: number];
  body(version: number): readonly Buffer[];
  read(reader: WireReader, version: number): T;
  /** The first version with compact lengths and tagged fields, in the request's header too. */
  readonly flexibleFrom?: number;
  /** Produce with acks 0: the broker sends no response, and the call settles when the request is written. */
  readonly unanswered?: T;
}

/** Request numbers. */
export const Api = {
  produce: 0,
  fetch: 1,
  listOffsets: 2,
  metadata: 3,
  offsetCommit: 8,
  offsetFetch: 9,
  findCoordinator: 10,
  describeGroups: 15,
  saslHandshake: 17,
  apiVersions: 18,
  initProducerId: 22,
  addPartitionsToTxn: 24,
  addOffsetsToTxn: 25,
  endTxn: 26,
  txnOffsetCommit: 28,
  saslAuthenticate: 36,
  deleteGroups: 42,
} as const;
export type Api = (typeof Api)[keyof typeof Api];
