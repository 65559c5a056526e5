/** A broker's answer that says no: an error code of the protocol. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";

  constructor(
    readonly code: number,
    /** What was asked for: "topic orders partition 3". */
    readonly about: string,
    readonly detail?: string,
  ) {
    super(`${ERROR_NAMES[code] ?? `Kafka error ${code}`}${detail ? `: ${detail}` : ""} (${about})`);
  }
}

/** Throws unless the code is 0. */
export function demand(code: number, about: string, detail?: string): void {
  if (code !== 0) throw new ProtocolError(code, about, detail);
}

export const ErrorNumber = {
  unknownTopicOrPartition: 3,
  leaderNotAvailable: 5,
  notLeader: 6,
  requestTimedOut: 7,
  messageTooLarge: 10,
  coordinatorLoading: 14,
  coordinatorNotAvailable: 15,
  notCoordinator: 16,
  invalidTopic: 17,
  recordListTooLarge: 18,
  notEnoughReplicas: 19,
  notEnoughReplicasAfterAppend: 20,
  topicNotAuthorized: 29,
  groupNotAuthorized: 30,
  clusterNotAuthorized: 31,
  unsupportedSaslMechanism: 33,
  illegalSaslState: 34,
  unsupportedVersion: 35,
  topicExists: 36,
  invalidReplicationFactor: 38,
  policyViolation: 44,
  outOfOrderSequence: 45,
  duplicateSequence: 46,
  invalidProducerEpoch: 47,
  invalidTransactionState: 48,
  invalidProducerIdMapping: 49,
  invalidTransactionTimeout: 50,
  concurrentTransactions: 51,
  coordinatorFenced: 52,
  transactionalIdNotAuthorized: 53,
  storageError: 56,
  saslAuthenticationFailed: 58,
  unknownProducerId: 59,
  groupNotEmpty: 68,
  groupIdNotFound: 69,
  unstableOffset: 88,
  producerFenced: 90,
} as const;

/** What comes right by itself or by asking another broker, with the same request. */
const PASSING: ReadonlySet<number> = new Set([
  ErrorNumber.unknownTopicOrPartition,
  ErrorNumber.leaderNotAvailable,
  ErrorNumber.notLeader,
  ErrorNumber.requestTimedOut,
  ErrorNumber.coordinatorLoading,
  ErrorNumber.coordinatorNotAvailable,
  ErrorNumber.notCoordinator,
  ErrorNumber.notEnoughReplicas,
  ErrorNumber.notEnoughReplicasAfterAppend,
  ErrorNumber.concurrentTransactions,
  ErrorNumber.storageError,
  ErrorNumber.unstableOffset,
]);

export function isPassing(code: number): boolean {
  return PASSING.has(code);
}

/** The protocol's own names, for messages: they are what a search finds. */
const ERROR_NAMES: Readonly<Record<number, string>> = {
  [-1]: "UNKNOWN_SERVER_ERROR",
  2: "CORRUPT_MESSAGE",
  3: "UNKNOWN_TOPIC_OR_PARTITION",
  5: "LEADER_NOT_AVAILABLE",
  6: "NOT_LEADER_OR_FOLLOWER",
  7: "REQUEST_TIMED_OUT",
  10: "MESSAGE_TOO_LARGE",
  14: "COORDINATOR_LOAD_IN_PROGRESS",
  15: "COORDINATOR_NOT_AVAILABLE",
  16: "NOT_COORDINATOR",
  17: "INVALID_TOPIC_EXCEPTION",
  18: "RECORD_LIST_TOO_LARGE",
  19: "NOT_ENOUGH_REPLICAS",
  20: "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
  29: "TOPIC_AUTHORIZATION_FAILED",
  30: "GROUP_AUTHORIZATION_FAILED",
  31: "CLUSTER_AUTHORIZATION_FAILED",
  33: "UNSUPPORTED_SASL_MECHANISM",
  34: "ILLEGAL_SASL_STATE",
  35: "UNSUPPORTED_VERSION",
  36: "TOPIC_ALREADY_EXISTS",
  37: "INVALID_PARTITIONS",
  38: "INVALID_REPLICATION_FACTOR",
  40: "INVALID_CONFIG",
  41: "NOT_CONTROLLER",
  42: "INVALID_REQUEST",
  44: "POLICY_VIOLATION",
  45: "OUT_OF_ORDER_SEQUENCE_NUMBER",
  46: "DUPLICATE_SEQUENCE_NUMBER",
  47: "INVALID_PRODUCER_EPOCH",
  48: "INVALID_TXN_STATE",
  49: "INVALID_PRODUCER_ID_MAPPING",
  50: "INVALID_TRANSACTION_TIMEOUT",
  51: "CONCURRENT_TRANSACTIONS",
  52: "TRANSACTION_COORDINATOR_FENCED",
  53: "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
  56: "KAFKA_STORAGE_ERROR",
  58: "SASL_AUTHENTICATION_FAILED",
  59: "UNKNOWN_PRODUCER_ID",
  68: "NON_EMPTY_GROUP",
  69: "GROUP_ID_NOT_FOUND",
  87: "INVALID_RECORD",
  88: "UNSTABLE_OFFSET_COMMIT",
  90: "PRODUCER_FENCED",
};
