/**
 * Every failure a user can meet, by code. The doc comment of a code is its documentation: what happened and
 * what mends it. Ranges: 10xx input, 11xx connections, 12xx prechecks, 13xx schema, 14xx full load,
 * 15xx incremental, 16xx store, worker and lifecycle, 17xx replication slots, 18xx whitelists, 19xx sequences, 20xx Kafka, 21xx Oracle,
 * 22xx comparing the data, 23xx alerts.
 */
export enum ErrorCode {
  /** An input does not fit schema.json; the message names each property and says what would be right. */
  InvalidInput = "GW1001",
  /** A property that only a new resource can take was changed where a replacement is not possible. */
  ImmutableInput = "GW1002",

  /** No host of the endpoint answered. Check the hosts, the network and the server's listen_addresses. */
  EndpointUnreachable = "GW1101",
  /** The server refused the username or password. */
  AuthenticationFailed = "GW1102",
  /** The TLS handshake failed: wrong authority, expired certificate or a host name that does not match. */
  TlsFailed = "GW1103",
  /** The database named by the endpoint does not exist. */
  DatabaseMissing = "GW1104",
  /** Hosts answered, but none of them accepts writes. */
  NoWritableHost = "GW1105",
  /** The server's identity is not the one that was registered: another server answers under this address. */
  ServerChanged = "GW1106",
  /** The connection broke while in use; it is retried within retry.connectionMinutes. */
  ConnectionLost = "GW1107",
  /** The server has no pg_hba.conf entry (or equivalent) that lets this client in. */
  NotWhitelisted = "GW1108",
  /** The role may not read the server's identifier; grant it pg_control_system() or the REPLICATION attribute. */
  ServerIdUnreadable = "GW1110",

  /** One or more precheck items failed; each names its remedy, and nothing was changed. */
  PrecheckFailed = "GW1201",

  /** A statement of the schema phase was rejected by the target. */
  SchemaStatementFailed = "GW1301",
  /** The selection names a schema, table or column that the source does not have. */
  ObjectMissing = "GW1302",
  /** Two objects of the source would get one name on the target; give one of them a rename of its own. */
  NameConflict = "GW1303",
  /** The selection contradicts itself: a schema or table listed twice, an excluded key column, an unknown operation. */
  SelectionUnusable = "GW1304",
  /** The source's catalog could not be read: it kept changing, or the server is of a version that is not supported. */
  CatalogUnreadable = "GW1305",

  /** Rows of a table could not be read from the source. */
  RowsUnreadable = "GW1401",
  /** Rows of a table were rejected by the target. */
  RowsRejected = "GW1402",

  /** A change was rejected by the target; the message names the table, the key and the position. */
  ChangeRejected = "GW1501",
  /** A table's structure changed at the source in a way the task cannot follow. */
  StructureChanged = "GW1502",
  /** A change of a row that the target does not have. */
  RowMissing = "GW1503",
  /** The stream of changes broke the protocol. */
  ProtocolViolation = "GW1504",
  /** A source table stayed locked by others while the publication or its replica identity was being set. */
  SourceTableLocked = "GW1505",
  /** The source's user may not publish a table or set its replica identity; it must own the table. */
  PublicationRefused = "GW1506",
  /** Whether a changed row meets its table's `where`, or what `etl` makes of it, can't be told: an expression fails for it, or the change lacks the old row. */
  RowFilterFailed = "GW1507",
  /**
   * A change of structure was rejected by the target; the message has the statement. Mend what the target objects to, or make the change there by
   * hand; the statement is tried again within retry.otherMinutes, and by the next pulumi up.
   */
  StructureStatementRejected = "GW1551",
  /** The source made a table whose name is taken on the target. Drop or rename the one there, or exclude the table. */
  StructureConflict = "GW1552",
  /** The source could not write again the rows that a command rewrote, so the target's copy of the table lacks them: copy it anew. */
  StructureRowsLost = "GW1554",

  /** The task's state in the target's godwit schema is missing or of another format. */
  StoreUnusable = "GW1601",
  /** The log does not reach back to startPosition. */
  PositionUnavailable = "GW1606",
  /** A server ran out of disk, memory or another resource; it is tried again within retry.otherMinutes. */
  ServerExhausted = "GW1607",
  /** Another worker took the task over; this one stopped without writing. */
  WorkerFenced = "GW1602",
  /** The worker process could not be started or died at once. */
  WorkerFailed = "GW1603",
  /** The connection that holds the worker's lease broke; the worker takes the lease again. */
  LeaseLost = "GW1605",
  /** The task did not reach waitFor; it goes on, or failed for the reason given. */
  TaskFailed = "GW1604",
  /** The user interrupted the operation, or its time (customTimeouts) was up. What was begun goes on, or is taken up by the next pulumi up. */
  Interrupted = "GW1608",

  /** The slot does not exist on the source. */
  SlotMissing = "GW1701",
  /** The slot exists and belongs to someone else; set adopt to take it over. */
  SlotExists = "GW1702",
  /** The server removed WAL that the slot needs: the slot is lost and the data must be copied again. */
  SlotLost = "GW1703",
  /** The slot is held by another process that could not be ended. */
  SlotActive = "GW1704",
  /** The server or the role does not allow the slot: wal_level, max_replication_slots, REPLICATION, an unknown plugin. */
  SlotRefused = "GW1710",

  /** The Oracle server is older than the driver reaches, or demands what thin mode lacks; the remedy says what it takes. */
  OracleVersionUnsupported = "GW1720",
  /** The Oracle account is locked, its password has expired, or it may not log on. */
  OracleAccountUnusable = "GW1721",
  /** A redo log that the task still needs is gone, or the logs have a gap: restore it, or the data must be copied again. */
  RedoLogMissing = "GW1722",
  /** LogMiner refused to start or to be read: a right, ARCHIVELOG or supplemental logging is missing; the message has Oracle's code. */
  LogMinerRefused = "GW1723",
  /** A line of redo is not what Godwit knows; the message names the table and the SCN, and says what was met. */
  RedoUnreadable = "GW1724",
  /** LogMiner marked a change of a migrated table as unsupported: its type or storage can't be read from redo. */
  RedoUnsupported = "GW1725",
  /** Redo of a table does not hold its key, or its whole row where it has none: supplemental logging is missing. */
  SupplementalLoggingMissing = "GW1726",
  /** The folder for transactions that do not fit in memory is full or can't be written. */
  SpillFailed = "GW1727",

  /** The server rejected the pg_hba.conf rules; the file was put back as it was. */
  HbaRejected = "GW1801",
  /** The role may not read or write pg_hba.conf through SQL. */
  HbaNotPermitted = "GW1802",
  /** The block's BEGIN and END lines in pg_hba.conf do not pair up; put them right or remove what is left of the block. */
  HbaBlockBroken = "GW1803",
  /** pg_hba.conf could not be written, or not be put back; the message names the copy of the text before. */
  HbaUnwritable = "GW1804",

  /** A sequence value does not fit the target sequence's type or bounds. */
  SequenceOutOfBounds = "GW1901",
  /** A sequence named by the program does not exist on one side. */
  SequenceMissing = "GW1902",
  /** The role may not read a sequence of the source, or not move one of the target; grant it the sequence. */
  SequenceNotPermitted = "GW1910",

  /** The user may not do this in the Kafka cluster; the remedy names the ACL that is missing. */
  KafkaNotPermitted = "GW1921",
  /**
   * Another producer took the transactional id over, or the transaction stayed open longer than its time-out: nothing of it is seen by a consumer that reads
   * committed records only. A worker that still holds its task's lease goes on with a new producer.
   */
  ProducerFenced = "GW1924",
  /** Fewer replicas than min.insync.replicas are up: the cluster takes no records that all must have. Retried. */
  ReplicasMissing = "GW1925",
  /** The cluster refused a request for another reason, or is too old for it; the message has the protocol's own name of it. */
  KafkaRefused = "GW1927",
  /** The records of a transaction could not be brought in order again (a partition lost what it had confirmed). It is begun again at the last position. */
  TransactionBroken = "GW1928",
  /** The Schema Registry does not answer, or is in trouble. Retried. */
  RegistryUnreachable = "GW1931",
  /** The Schema Registry refused the schema: it is not compatible with the subject's earlier ones, or not valid. */
  SchemaRefused = "GW1932",
  /** The Schema Registry refused the username or password, or the url leads to none. */
  RegistryRefused = "GW1933",

  /** A table's topic would have a name that Kafka does not take, or cannot tell from another; name a topic for the table. */
  TopicNameIllegal = "GW2001",
  /** A topic of the task does not exist: create it, or give the task kafka.createTopics and the migration type schema. */
  TopicMissing = "GW2002",
  /** A topic has another number of partitions than when the task began, so keys would go to other partitions than before. */
  TopicChanged = "GW2003",
  /** A record is larger than its topic takes (max.message.bytes); the message names the table, the key and the size. */
  RecordTooLarge = "GW2004",
  /** A topic could not be created; the message has the broker's reason. */
  TopicRefused = "GW2005",

  /** LogMiner runs at the root of a container database, and the endpoint's user may not go there: use a common user. */
  OracleRootRefused = "GW2101",
  /** A table that joins an Oracle task waits for transactions older than the redo the task goes on from, and one did not end in time. */
  OracleTransactionsOpen = "GW2102",
  /** The Oracle source lost changes that the target has (failover, flashback, restore: OPEN RESETLOGS): the data must be copied again. */
  OracleRewound = "GW2103",

  /**
   * Rows differ between source and target: confirmed once the target had everything that the source had, so they are no changes on their way. A task that follows
   * changes goes on; one that only loads ends failed. Someone wrote to the target, or a trigger or a rule there did.
   */
  DataDiffers = "GW2201",
  /** A table could not be compared; the message has the server's reason. The task goes on. */
  DataNotCompared = "GW2202",

  /** A contact of `alerts` could not be told of something: only the worker's log says so. The migration goes on. */
  AlertUndeliverable = "GW2301",
}

export interface ErrorDetail {
  /** The SQL, setting or action that mends it. */
  readonly remedy?: string;
  /** The object it happened on, as a user would write it: schema.table, a slot, a property. */
  readonly object?: string;
  /** The source position, as the source's database writes it (LSN or SCN). */
  readonly position?: string;
  readonly cause?: unknown;
}

/** The one error type a user sees: "GW1203: what happened [object, at position]. Remedy". Holds no secrets. */
export class GodwitError extends Error {
  readonly code: ErrorCode;
  readonly remedy: string | undefined;
  readonly object: string | undefined;
  readonly position: string | undefined;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    const where = [detail.object, detail.position && `at ${detail.position}`].filter(Boolean).join(", ");
    const text = `${code}: ${message}${where ? ` [${where}]` : ""}`;
    super(detail.remedy ? `${text}. Remedy: ${detail.remedy}` : text, { cause: detail.cause });
    this.name = "GodwitError";
    this.code = code;
    this.remedy = detail.remedy;
    this.object = detail.object;
    this.position = detail.position;
  }
}

const GONE: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.ConnectionLost,
  ErrorCode.EndpointUnreachable,
  ErrorCode.NoWritableHost,
  // Brokers or a registry that are down are as gone as a database is.
  ErrorCode.ReplicasMissing,
  ErrorCode.RegistryUnreachable,
]);

/** A server was gone rather than unwilling: retried within retry.connectionMinutes. */
export function isServerGone(cause: unknown): cause is GodwitError {
  return cause instanceof GodwitError && GONE.has(cause.code);
}
