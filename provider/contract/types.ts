// Generated from schema.json by `npx tsx provider/contract/generate.ts`. Do not edit.

/**
 * A database's family.
 * - postgresql: PostgreSQL 10 to 18 as a source, 14 to 18 as a target.
 * - polardb-o: PolarDB for PostgreSQL (Compatible with Oracle), as a source and a target. Default port: 1521.
 * - analyticdb-postgresql: AnalyticDB for PostgreSQL 6 and 7, as a target.
 * - oracle: Oracle 12.1 and up, as a source; 11.2 with a client library. Default port: 1521.
 * - kafka: Apache Kafka, as a target. Default port: 9092.
 */
export type Engine = "postgresql" | "polardb-o" | "analyticdb-postgresql" | "oracle" | "kafka";

/**
 * How far a connection trusts the server.
 * - disable: No TLS.
 * - require: Encrypted; whoever answers is trusted.
 * - verify-ca: Encrypted, and the server's certificate is signed by `ca`.
 * - verify-full: Encrypted, signed by `ca`, and issued for the host's name.
 */
export type SslMode = "disable" | "require" | "verify-ca" | "verify-full";

/** TLS of a connection. All certificates and keys are PEM texts, not paths. */
export interface Ssl {
  /** Default: `verify-full` when `ca` is given, else `require`; `disable` on loopback hosts. */
  readonly mode?: SslMode;
  /** The authorities that sign the server's certificate, PEM. */
  readonly ca?: string;
  /** The client's certificate with its chain, PEM. Needs `clientKey`. */
  readonly clientCertificate?: string;
  /** The client certificate's private key, PEM. */
  readonly clientKey?: string;
  /** What `clientKey` is encrypted with. */
  readonly clientKeyPassphrase?: string;
}

/**
 * What it takes to reach a database: the inputs of an `Endpoint`, written inline. Where it marks something that replaces (a
 * task's source), a change of `engine` or `databaseName` replaces, and so do `hosts` that share none with the old ones;
 * everything else is taken over in place.
 */
export interface Connection {
  /** The database's family. A change replaces. */
  readonly engine: Engine;
  /**
   * `host:port` of every node of one cluster, tried in order until one takes writes; after a failure the search begins anew.
   * Default port: 5432, for `polardb-o` and `oracle` 1521, for `kafka` 9092.
   */
  readonly hosts: readonly string[];
  /** The role to connect as. */
  readonly username?: string;
  /** The role's password. A change is taken over in place. */
  readonly password?: string;
  /** The database to connect to. Not for `kafka`; an `oracle` endpoint names it under `oracle`. A change replaces. */
  readonly databaseName?: string;
  /** TLS. Default: encrypted without verification, and none on loopback hosts. */
  readonly ssl?: Ssl;
  /** For `oracle` only. */
  readonly oracle?: OracleConnection;
  /** For `kafka` only. */
  readonly kafka?: KafkaConnection;
  /** A free label, carried to logs, metrics and status. */
  readonly environmentTag?: string;
}

/**
 * A part of a migration.
 * - schema: The structures: schemas, types, tables, keys, indexes, views, routines, triggers.
 * - full: The rows there are.
 * - incremental: The changes from then on, until the task is destroyed or stopped.
 */
export type MigrationType = "schema" | "full" | "incremental";

/**
 * A kind of database object that a task can pick.
 * - table: Tables with their keys, indexes and owned sequences.
 * - view: Views.
 * - materializedView: Materialized views.
 * - sequence: Sequences that no column owns.
 * - function: Functions.
 * - procedure: Procedures.
 * - trigger: Triggers.
 * - type: Enum, composite and range types.
 * - domain: Domains.
 * - aggregate: Aggregate functions.
 * - operator: Operators.
 * - rule: Rules, those of views aside.
 * - extension: Extensions, as far as the target offers them.
 * - package: Packages (PolarDB O, Oracle).
 * - synonym: Synonyms (PolarDB O, Oracle).
 */
export type ObjectKind =
  | "table"
  | "view"
  | "materializedView"
  | "sequence"
  | "function"
  | "procedure"
  | "trigger"
  | "type"
  | "domain"
  | "aggregate"
  | "operator"
  | "rule"
  | "extension"
  | "package"
  | "synonym";

/**
 * A change of rows.
 * - insert: New rows.
 * - update: Changed rows.
 * - delete: Removed rows.
 */
export type DmlOperation = "insert" | "update" | "delete";

/**
 * A change of structure.
 * - create: New tables, types and schemas.
 * - alter: Columns, defaults and constraints.
 * - drop: Tables that go.
 * - rename: Tables and columns that take another name.
 * - truncate: TRUNCATE of a table (sources from PostgreSQL 11 on).
 * - index: Indexes that come and go.
 * - view: Views.
 * - routine: Functions and procedures.
 */
export type DdlOperation = "create" | "alter" | "drop" | "rename" | "truncate" | "index" | "view" | "routine";

/** Which changes the incremental phase carries over. */
export interface Operations {
  /** Default: all of them. */
  readonly dml?: readonly DmlOperation[];
  /** Default: all of them. */
  readonly ddl?: readonly DdlOperation[];
}

/** A column and its name at the target. */
export interface SelectedColumn {
  /** The column's name at the source. */
  readonly name: string;
  /** Its name at the target. Default: the same, under the task's `capitalization`. */
  readonly rename?: string;
}

/** A table to move. */
export interface SelectedTable {
  /** The table's name at the source. */
  readonly name: string;
  /** Its name at the target. Default: the same, under the task's `capitalization`. */
  readonly rename?: string;
  /** Columns that have another name at the target; every other column keeps its own. */
  readonly columns?: readonly SelectedColumn[];
  /** Columns that do not move. */
  readonly excludeColumns?: readonly string[];
  /**
   * Only rows for which this condition, in the source's SQL, is true. In `incremental` a row joins and leaves with its values, so
   * the condition may name the table's own columns and immutable functions only.
   */
  readonly where?: string;
  /** AnalyticDB: the primary key the table gets. Default: its own. */
  readonly primaryKey?: readonly string[];
  /** AnalyticDB: the distribution key. Default: the primary key, else a column that is chosen with a warning. */
  readonly distributedBy?: readonly string[];
  /** Kafka: the topic of this table's records. Default: the task's. */
  readonly topic?: string;
  /** Kafka: partitions of this table's topic, when the task creates it. */
  readonly partitions?: number;
  /** Kafka: replicas of each partition of this table's topic, when the task creates it. */
  readonly replicationFactor?: number;
  /** Kafka: columns whose values choose the partition, under `partitioning: primaryKey`. Default: the primary key. */
  readonly partitionKey?: readonly string[];
  /** This table's own choice; it wins over the task's. */
  readonly operations?: Operations;
}

/**
 * How a column's values are hidden.
 * - keep: The first and last characters stay, every other one becomes `replaceWith`. A value that is not longer than what stays
 * is replaced whole.
 * - constant: `value` in every row, also where the source has NULL.
 * - null: NULL in every row.
 * - md5: The MD5 digest, in hexadecimal; the 16 bytes in a `bytea` or `uuid` column.
 * - sha256: The SHA-256 digest, in hexadecimal; the 32 bytes in a `bytea` column. Sources from PostgreSQL 11 on.
 */
export type MaskMethod = "keep" | "constant" | "null" | "md5" | "sha256";

/** A column whose values are computed from the row. */
export interface DerivedColumn {
  /** A column of the table, whose values these replace; or a new one, which joins the target's table at its end. */
  readonly column: string;
  /**
   * An expression in the source's SQL over the table's own columns, as the source has them. In `incremental` with immutable
   * functions only.
   */
  readonly expression: string;
  /** The type of a new column, in the source's words; the schema phase converts it as any column's. */
  readonly type?: string;
}

/** A column whose values are hidden from the target. */
export interface MaskedColumn {
  /** The column's name at the source. */
  readonly column: string;
  /** What becomes of the values. */
  readonly method: MaskMethod;
  /** Method `keep`: characters that stay at the beginning. Default: none. */
  readonly keepFirst?: number;
  /** Method `keep`: characters that stay at the end. Default: none. */
  readonly keepLast?: number;
  /** Method `keep`: the character that stands for every other one. Default: `*`. */
  readonly replaceWith?: string;
  /** Method `constant`: the value, in the text form of the column's type. */
  readonly value?: string;
}

/** What becomes of one table's rows on their way. */
export interface TableEtl {
  /** The table's schema at the source. */
  readonly schema: string;
  /** The table's name at the source. Of a partitioned table: for all its partitions. */
  readonly table: string;
  /** Columns that are computed. */
  readonly derive?: readonly DerivedColumn[];
  /** Rows for which this condition, in the source's SQL, is true do not move. The same rules as for `where`. */
  readonly drop?: string;
  /** Columns whose values are hidden. */
  readonly mask?: readonly MaskedColumn[];
}

/** A schema to move, whole or in part. */
export interface SelectedSchema {
  /** The schema's name at the source. */
  readonly schema: string;
  /** Its name at the target. Default: the same, under the task's `capitalization`. */
  readonly rename?: string;
  /** Only objects of these kinds move. Default: all kinds. */
  readonly kinds?: readonly ObjectKind[];
  /** Only these tables move, with what they need. Default: all tables. */
  readonly tables?: readonly SelectedTable[];
  /** Objects of the schema that do not move. */
  readonly exclude?: readonly string[];
}

/**
 * What to do about rows and tables that the target has already.
 * - precheckAndReport: The precheck refuses existing tables, and a conflicting row stops the task.
 * - ignoreAndProceed: The full phase keeps the target's row, the incremental phase overwrites it.
 */
export type ConflictMode = "precheckAndReport" | "ignoreAndProceed";

/**
 * How names that are not renamed are written at the target.
 * - source: As at the source.
 * - lower: In lower case.
 * - upper: In upper case.
 */
export type Capitalization = "source" | "lower" | "upper";

/** How long failures that may pass are tried again before the task fails. */
export interface Retry {
  /** Minutes a lost connection is tried again. Default: `720`. */
  readonly connectionMinutes: number;
  /** Minutes any other failure is tried again; below `connectionMinutes`. Default: `10`. */
  readonly otherMinutes: number;
}

/** Limits of the full phase. Absent: none. */
export interface FullThrottle {
  /** Reads a second at the source. */
  readonly queriesPerSecond?: number;
  /** Rows a second. */
  readonly rowsPerSecond?: number;
  /** Megabytes (1,048,576 bytes) a second. */
  readonly megabytesPerSecond?: number;
}

/** Limits of the incremental phase. Absent: none. */
export interface IncrementalThrottle {
  /** Changed rows a second. */
  readonly rowsPerSecond?: number;
  /** Megabytes (1,048,576 bytes) a second. */
  readonly megabytesPerSecond?: number;
}

/** Limits of a task's speed; a change takes effect on the running task. */
export interface Throttle {
  /** Limits of the full phase. */
  readonly full?: FullThrottle;
  /** Limits of the incremental phase. */
  readonly incremental?: IncrementalThrottle;
}

/** How much a task does at once. Defaults come from the machine and the servers. */
export interface Parallelism {
  /** Tables, or chunks of tables, copied at once. */
  readonly tables?: number;
  /** Chunks one large table is split into. */
  readonly chunksPerTable?: number;
  /** Indexes and keys built at once. */
  readonly indexes?: number;
}

/**
 * What a task should be doing.
 * - running: It works, or is done.
 * - paused: Its worker waits; the slot is kept and retains WAL.
 * - stopped: Its worker has ended; the slot is kept until the task is destroyed.
 */
export type DesiredState = "running" | "paused" | "stopped";

/**
 * How far a task must be before `pulumi up` goes on.
 * - started: The prechecks passed and the worker runs.
 * - fullLoad: All rows are copied.
 * - caughtUp: The changes are followed with no backlog; without `incremental` the same as `completed`.
 * - validated: Caught up, and every table was compared as `dataValidation` says; without `incremental` the same as `completed`.
 * - completed: All is done; only for a task without `incremental`.
 */
export type WaitFor = "started" | "fullLoad" | "caughtUp" | "validated" | "completed";

/** What a task is doing. */
export type TaskState = "prechecking" | "running" | "paused" | "failed" | "completed" | "stopped";

/** Where in its life a task is. */
export type TaskPhase = "precheck" | "schema" | "full" | "incremental";

/**
 * What a failed item means.
 * - error: The task does not start.
 * - warning: The task starts.
 */
export type PrecheckSeverity = "error" | "warning";

/** One item of the precheck. */
export interface PrecheckResult {
  /** The item's name, as `ignorePrechecks` takes it. */
  readonly item: string;
  /** What it means when the item fails. */
  readonly severity: PrecheckSeverity;
  /** Whether it passed. */
  readonly passed: boolean;
  /** What was found. */
  readonly message: string;
  /** The SQL or setting that mends it; empty when it passed. */
  readonly remedy: string;
}

/** An object that does not move. */
export interface SkippedObject {
  /** What it is. */
  readonly kind: string;
  /** Its name at the source. */
  readonly name: string;
  /** Why it does not move. */
  readonly reason: string;
}

/** A failure that stopped a task. */
export interface TaskError {
  /** Its code, such as GW1501. */
  readonly code: string;
  /** What happened, on which object and position, and what mends it. */
  readonly message: string;
  /** When, ISO 8601. */
  readonly at: string;
}

/**
 * Whether the server still has the WAL that a slot needs (pg_replication_slots.wal_status, PostgreSQL 13 and up).
 * - reserved: Within max_wal_size.
 * - extended: Beyond max_wal_size, kept for the slot.
 * - unreserved: About to be removed.
 */
export type SlotWalStatus = "reserved" | "extended" | "unreserved";

/**
 * Which connections a line of pg_hba.conf lets in.
 * - host: With or without TLS.
 * - hostssl: With TLS only.
 */
export type HbaConnectionType = "host" | "hostssl";

/**
 * How a client proves who it is.
 * - scram-sha-256: A password, never sent in clear.
 * - md5: A password under MD5, or SCRAM where the role has such a secret.
 * - cert: A client certificate whose common name is the role; with `hostssl` only.
 */
export type HbaAuthMethod = "scram-sha-256" | "md5" | "cert";

/** A sequence to keep ahead of its source. */
export interface SelectedSequence {
  /** The sequence's schema at the source. */
  readonly schema: string;
  /** Its name at the source. */
  readonly name: string;
  /** Its schema at the target. Default: the same. */
  readonly renameSchema?: string;
  /** Its name at the target. Default: the same. */
  readonly rename?: string;
}

/** A sequence as the last sync left it. */
export interface SequenceValue {
  /** `schema.name` at the target. */
  readonly name: string;
  /** The value set, as a decimal text: sequences are 64 bits wide, numbers in state files are not. */
  readonly value: string;
}

/** Which database an Oracle listener is asked for, and how the driver gets there. Exactly one of `serviceName` and `sid`. */
export interface OracleConnection {
  /** The service, such as ORCLPDB1. */
  readonly serviceName?: string;
  /** The instance, where the listener knows no service. */
  readonly sid?: string;
  /**
   * Folder of an Oracle client library on the machine that runs the task: the driver's thick mode, which reaches 11.2. Default:
   * thin mode, no library.
   */
  readonly clientLibraryDirectory?: string;
  /** Folder of a wallet (tnsnames.ora, ewallet.pem or cwallet.sso) on the machine that runs the task. */
  readonly walletDirectory?: string;
  /** The password of the wallet's private key. */
  readonly walletPassword?: string;
}

/** A Schema Registry that speaks the Confluent API. */
export interface SchemaRegistry {
  /** Such as https://registry.example.com:8081. */
  readonly url: string;
  /** For basic authentication. */
  readonly username?: string;
  /** For basic authentication. */
  readonly password?: string;
}

/**
 * How a client proves its password to Kafka.
 * - plain: SASL/PLAIN: only over TLS or a network that is trusted.
 * - scram-sha-256: SASL/SCRAM-SHA-256.
 * - scram-sha-512: SASL/SCRAM-SHA-512.
 */
export type SaslMechanism = "plain" | "scram-sha-256" | "scram-sha-512";

/** What a Kafka cluster needs beside its brokers. */
export interface KafkaConnection {
  /** The cluster's version, for the record: what is spoken is negotiated with each broker. */
  readonly version?: string;
  /** Needs `username` and `password`. Default: scram-sha-256 when a username is given, else none. */
  readonly saslMechanism?: SaslMechanism;
  /** Where the schema of `dts-avro` records is registered: they then begin with a magic byte and its id. */
  readonly schemaRegistry?: SchemaRegistry;
}

/**
 * How a change is written into a record; docs/kafka-formats.md shows each field.
 * - canal-json: Canal JSON.
 * - dts-avro: DTS Avro.
 * - shareplex-json: SharePlex JSON.
 */
export type KafkaFormat = "canal-json" | "dts-avro" | "shareplex-json";

/**
 * How batches of records are compressed.
 * - lz4: LZ4: fast.
 * - gzip: GZIP: small, slow.
 * - snappy: Snappy.
 * - none: Not at all.
 */
export type KafkaCompression = "lz4" | "gzip" | "snappy" | "none";

/**
 * Which partition a record goes to.
 * - single: Everything to partition 0.
 * - table: By the hash of schema and table: a table's records in one partition.
 * - primaryKey: By the hash of the row's primary key, else of a unique key; a table without one wholly to partition 0.
 */
export type KafkaPartitioning = "single" | "table" | "primaryKey";

/**
 * What a broker confirms.
 * - all: All in-sync replicas have it. The only one with exactly-once.
 * - leader: The leader has it: a failing leader may lose or repeat records.
 * - none: Nothing: records may be lost.
 */
export type KafkaAcks = "all" | "leader" | "none";

/** How topics are made in the schema phase. */
export interface CreateTopics {
  /** Partitions of each topic that has no number of its own. Default: `1`. */
  readonly partitions: number;
  /** Replicas of each partition. Default: the brokers' default.replication.factor. */
  readonly replicationFactor?: number;
}

/** What the records look like and where they go. For a `kafka` target. */
export interface KafkaSettings {
  /** The format of the records. Default: `canal-json`. */
  readonly format: KafkaFormat;
  /** How batches are compressed. Default: `lz4`. */
  readonly compression: KafkaCompression;
  /** Which partition a record goes to. Default: `primaryKey`. */
  readonly partitioning: KafkaPartitioning;
  /** What a broker confirms. Default: `all`. */
  readonly acks: KafkaAcks;
  /** The topic of every table that names none. May hold `{database}`, `{schema}` and `{table}`. Default: `{schema}.{table}`. */
  readonly topic: string;
  /** The topic of structure changes. May hold `{database}`, `{schema}` and `{table}`. Default: that of the table's data. */
  readonly ddlTopic?: string;
  /** How topics that are missing are made in the schema phase. Default: they must be there. */
  readonly createTopics?: CreateTopics;
}

/**
 * How AnalyticDB stores the tables it is given.
 * - beam: Beam, from version 7.0.6.6 on; on older servers heap, with a warning.
 * - heap: Heap.
 * - appendoptimized: Append-optimized: not for a task with `incremental`.
 */
export type AnalyticdbStorage = "beam" | "heap" | "appendoptimized";

/** For an `analyticdb-postgresql` target. */
export interface AnalyticdbSettings {
  /** How the tables of the schema phase are stored. Default: `beam`. */
  readonly storage: AnalyticdbStorage;
}

/**
 * What is compared of source and target.
 * - none: Nothing.
 * - counts: Numbers of rows. A changed value is not found.
 * - checksums: Checksums of ranges of rows, computed by each server.
 * - full: The same, and ranges that differ are looked through: the rows that differ are named by their keys.
 */
export type ValidationMode = "none" | "counts" | "checksums" | "full";

/**
 * Compares the rows of source and target, once the load is complete and the stream has caught up. Where differences remain,
 * `errors` says so; a task without `incremental` ends failed.
 */
export interface DataValidation {
  /** What is compared. Default: `none`. */
  readonly mode: ValidationMode;
  /** Values of any meaning; a change has everything compared again. */
  readonly triggers?: Readonly<Record<string, string>>;
}

/** The relay that takes mail for `contacts` that are mail addresses. */
export interface SmtpRelay {
  /**
   * `smtp://` (STARTTLS where the relay offers it) or `smtps://`, with user and password where it wants them:
   * `smtps://user:password@mail.example.com:465`.
   */
  readonly url: string;
  /** The sender's address. */
  readonly from: string;
}

/** Who is told when the task fails or falls behind, and when it has recovered. */
export interface Alerts {
  /** Tell when the task failed, or has been failing for a minute, and when it runs again. Default: `true`. */
  readonly onFailure: boolean;
  /**
   * Tell when the target has been further behind the source for ten seconds, and when it no longer is. Absent: the latency is not
   * watched.
   */
  readonly latencySeconds?: number;
  /** Webhooks (`http://` or `https://`), which get a POST of JSON, and mail addresses. */
  readonly contacts: readonly string[];
  /** For mail addresses. Default: GODWIT_SMTP_URL and GODWIT_SMTP_FROM of the environment that `pulumi up` runs in. */
  readonly smtp?: SmtpRelay;
}

/** Inputs as check leaves them: defaults and names are filled in. */
export interface EndpointInputs {
  /** The database's family. A change replaces. */
  readonly engine: Engine;
  /**
   * `host:port` of every node of one cluster, tried in order until one takes writes; after a failure the search begins anew.
   * Default port: 5432, for `polardb-o` and `oracle` 1521, for `kafka` 9092.
   */
  readonly hosts: readonly string[];
  /** The role to connect as. */
  readonly username?: string;
  /** The role's password. A change is taken over in place. */
  readonly password?: string;
  /** The database to connect to. Not for `kafka`; an `oracle` endpoint names it under `oracle`. A change replaces. */
  readonly databaseName?: string;
  /** TLS. Default: encrypted without verification, and none on loopback hosts. */
  readonly ssl?: Ssl;
  /** For `oracle` only. */
  readonly oracle?: OracleConnection;
  /** For `kafka` only. */
  readonly kafka?: KafkaConnection;
  /** A free label, carried to logs, metrics and status. */
  readonly environmentTag?: string;
}

/**
 * A registered, verified connection to a database. Creating one connects and checks; refreshing one connects again and reports a
 * server that is another than the one registered (GW1106).
 */
export interface EndpointOutputs extends EndpointInputs {
  /** The server's version, such as 17.6. */
  readonly serverVersion: string;
  /** What tells this server from every other: PostgreSQL's system identifier. */
  readonly serverId: string;
  /** The database's encoding. */
  readonly encoding: string;
  /** The time zone the server is configured for. */
  readonly timeZone: string;
  /** Whether the role is a superuser. */
  readonly superuser: boolean;
  /**
   * The inputs as one value, for other resources that take an endpoint. Only from the plugin: the classes of the npm package are
   * passed on themselves.
   */
  readonly connection?: unknown;
}

/** Inputs as check leaves them: defaults and names are filled in. */
export interface MigrationTaskInputs {
  /** Where the data is. See `Connection` for what replaces; a replaced task copies everything again. */
  readonly source: Connection;
  /** Where the data goes. See `Connection` for what replaces; a replaced task copies everything again. */
  readonly target: Connection;
  /** The task's name, unique on its target. Default: project, stack and the resource's name. */
  readonly taskName: string;
  /** What moves: any subset. */
  readonly migrationTypes: readonly MigrationType[];
  /** What to move. Default: every user schema. Added tables are loaded and then join the stream; removed ones leave it. */
  readonly objects?: readonly SelectedSchema[];
  /** Which changes the incremental phase carries over; a table's own choice wins. */
  readonly operations?: Operations;
  /** What to do about what the target has already. Default: `precheckAndReport`. */
  readonly conflictMode: ConflictMode;
  /** How names that are not renamed are written at the target. Default: `source`. */
  readonly capitalization: Capitalization;
  /** How long failures that may pass are tried again. In place. */
  readonly retry?: Retry;
  /** Limits of the task's speed. In place. */
  readonly throttle?: Throttle;
  /** How much is done at once. In place. */
  readonly parallelism?: Parallelism;
  /** For a `kafka` target: what the records look like and where they go. A change replaces. */
  readonly kafka?: KafkaSettings;
  /** For an `analyticdb-postgresql` target. A change replaces. */
  readonly analyticdb?: AnalyticdbSettings;
  /** Expressions that rows go through, table by table. What a table that is being migrated goes through can't change. */
  readonly etl?: readonly TableEtl[];
  /** Whether source and target are compared. In place. */
  readonly dataValidation?: DataValidation;
  /** Who is told of failures and of latency. In place. */
  readonly alerts?: Alerts;
  /** A ReplicationSlot made elsewhere, on the source. Default: the task makes its own and drops it. */
  readonly slotName?: string;
  /**
   * Where an incremental-only task starts, as an LSN such as 16/B374D848, or an SCN for `oracle`. Default: the slot's own
   * position.
   */
  readonly startPosition?: string;
  /** Ignorable precheck items that are accepted. In place. */
  readonly ignorePrechecks?: readonly string[];
  /** What the task should be doing. In place. Default: `running`. */
  readonly desiredState: DesiredState;
  /**
   * How far the task must be before `pulumi up` goes on. Default: `caughtUp`, with `dataValidation` `validated`, and `completed`
   * for a task without `incremental`.
   */
  readonly waitFor?: WaitFor;
}

/**
 * Moves one database to another: structures, rows, and changes from then on. The work goes on in a worker process after `pulumi
 * up` has returned; `godwit status` shows it. Destroying a task removes everything it made except the data that moved.
 */
export interface MigrationTaskOutputs extends MigrationTaskInputs {
  /** The task's id, as `godwit status` takes it. */
  readonly taskId: string;
  /** What the task is doing. */
  readonly state: TaskState;
  /** Where in its life it is. */
  readonly phase: TaskPhase;
  /** What the precheck found. */
  readonly prechecks: readonly PrecheckResult[];
  /** What does not move, and why. */
  readonly skippedObjects: readonly SkippedObject[];
  /** Why a failed task failed; else empty. */
  readonly errors: readonly TaskError[];
}

/** Inputs as check leaves them: defaults and names are filled in. */
export interface ReplicationSlotInputs {
  /** The server that has the slot. See `Connection` for what replaces. */
  readonly endpoint: Connection;
  /** The slot's name: lower-case letters, digits and underscores. Default: the resource's name after `godwit_`. */
  readonly name: string;
  /** The output plugin, such as `pgoutput` or `test_decoding`. Default: `pgoutput`. */
  readonly plugin: string;
  /** Whether the slot is kept in step on standbys (PostgreSQL 17 and up). In place. Default: `false`. */
  readonly failover: boolean;
  /** Refresh warns when the slot retains more than this many megabytes (1,048,576 bytes) of WAL. */
  readonly maxRetainedMegabytes?: number;
  /** Moves the slot forward to this LSN; it never moves back. In place, PostgreSQL 11 and up. */
  readonly advanceTo?: string;
  /** Take over a slot of this name that exists already, if it has the same plugin and database. Default: `false`. */
  readonly adopt: boolean;
}

/**
 * A logical replication slot: a position in the source's log from which the server keeps everything. A slot is a liability: it
 * retains WAL until it is read or dropped. Deleting one ends whoever reads from it.
 */
export interface ReplicationSlotOutputs extends ReplicationSlotInputs {
  /** The LSN from which the slot's changes are complete. */
  readonly consistentPoint: string;
  /** Whether the server has the WAL that the slot needs. Absent before PostgreSQL 13. */
  readonly walStatus?: SlotWalStatus;
}

/** Inputs as check leaves them: defaults and names are filled in. */
export interface WhitelistInputs {
  /** The server. See `Connection` for what replaces. */
  readonly endpoint: Connection;
  /** The block's name in the file. */
  readonly name: string;
  /** Address ranges to let in. */
  readonly cidrs: readonly string[];
  /** Databases they may connect to. Default: the endpoint's, and `replication`. */
  readonly databases?: readonly string[];
  /** Roles they may connect as. Default: `all`. */
  readonly usernames?: readonly string[];
  /** Default: `hostssl` when the server has TLS, else `host`. */
  readonly connectionType?: HbaConnectionType;
  /** How clients prove who they are. Default: `scram-sha-256`. */
  readonly authMethod: HbaAuthMethod;
  /** Accept 0.0.0.0/0 and ::/0 among `cidrs`: anyone may try to connect. Default: `false`. */
  readonly allowAnyAddress: boolean;
}

/**
 * One marked block of lines in a PostgreSQL server's pg_hba.conf, written through SQL (the endpoint's role must be a superuser),
 * reloaded and read back. Lines outside the block are never touched.
 */
export interface WhitelistOutputs extends WhitelistInputs {
  /** The file's path on the server. */
  readonly file: string;
  /** The lines of the block, in order. */
  readonly rules: readonly string[];
}

/** Inputs as check leaves them: defaults and names are filled in. */
export interface SequenceSyncInputs {
  /** Where the values are. See `Connection` for what replaces. */
  readonly source: Connection;
  /** Where the values go. See `Connection` for what replaces. */
  readonly target: Connection;
  /** Which sequences, with their names at the target. Default: all that both sides have under the same name. */
  readonly sequences?: readonly SelectedSequence[];
  /** Increments that the target is set ahead of the source. Default: `1`. */
  readonly margin: number;
  /** Free values; a change of any runs the sync again. */
  readonly triggers?: Readonly<Record<string, string>>;
}

/**
 * Moves the target's sequences up to the source's, so that new rows written at the target after the cut-over get new keys. Never
 * moves a sequence backwards. Runs when it is created, when an input changes, and when a refresh found the target behind.
 */
export interface SequenceSyncOutputs extends Omit<SequenceSyncInputs, "sequences"> {
  /** The target's sequences as the last sync left them. */
  readonly sequences: readonly SequenceValue[];
  /** The input `sequences`. */
  readonly selection?: readonly SelectedSequence[];
  /** Sequences that a refresh found behind their source; else empty. */
  readonly behind: readonly string[];
}
