// Generated from schema.json by `npx tsx provider/contract/generate.ts`. Do not edit.
import type { Input } from "@pulumi/pulumi";
import type {
  AnalyticdbStorage,
  Capitalization,
  ConflictMode,
  DdlOperation,
  DesiredState,
  DmlOperation,
  Engine,
  HbaAuthMethod,
  HbaConnectionType,
  KafkaAcks,
  KafkaCompression,
  KafkaFormat,
  KafkaPartitioning,
  MaskMethod,
  MigrationType,
  ObjectKind,
  SaslMechanism,
  SslMode,
  ValidationMode,
  WaitFor,
} from "../provider/contract/types.js";
import type { Endpoint } from "./endpoint.js";

/** TLS of a connection. All certificates and keys are PEM texts, not paths. */
export interface SslArgs {
  /** Default: `verify-full` when `ca` is given, else `require`; `disable` on loopback hosts. */
  readonly mode?: Input<SslMode>;
  /** The authorities that sign the server's certificate, PEM. */
  readonly ca?: Input<string>;
  /** The client's certificate with its chain, PEM. Needs `clientKey`. */
  readonly clientCertificate?: Input<string>;
  /** The client certificate's private key, PEM. */
  readonly clientKey?: Input<string>;
  /** What `clientKey` is encrypted with. */
  readonly clientKeyPassphrase?: Input<string>;
}

/**
 * What it takes to reach a database: the inputs of an `Endpoint`, written inline. Where it marks something that replaces (a
 * task's source), a change of `engine` or `databaseName` replaces, and so do `hosts` that share none with the old ones;
 * everything else is taken over in place.
 */
export interface ConnectionArgs {
  /** The database's family. A change replaces. */
  readonly engine: Input<Engine>;
  /**
   * `host:port` of every node of one cluster, tried in order until one takes writes; after a failure the search begins anew.
   * Default port: 5432, for `polardb-o` and `oracle` 1521, for `kafka` 9092.
   */
  readonly hosts: Input<readonly Input<string>[]>;
  /** The role to connect as. */
  readonly username?: Input<string>;
  /** The role's password. A change is taken over in place. */
  readonly password?: Input<string>;
  /** The database to connect to. Not for `kafka`; an `oracle` endpoint names it under `oracle`. A change replaces. */
  readonly databaseName?: Input<string>;
  /** TLS. Default: encrypted without verification, and none on loopback hosts. */
  readonly ssl?: Input<SslArgs>;
  /** For `oracle` only. */
  readonly oracle?: Input<OracleConnectionArgs>;
  /** For `kafka` only. */
  readonly kafka?: Input<KafkaConnectionArgs>;
  /** A free label, carried to logs, metrics and status. */
  readonly environmentTag?: Input<string>;
}

/** Which changes the incremental phase carries over. */
export interface OperationsArgs {
  /** Default: all of them. */
  readonly dml?: Input<readonly Input<DmlOperation>[]>;
  /** Default: all of them. */
  readonly ddl?: Input<readonly Input<DdlOperation>[]>;
}

/** A column and its name at the target. */
export interface SelectedColumnArgs {
  /** The column's name at the source. */
  readonly name: Input<string>;
  /** Its name at the target. Default: the same, under the task's `capitalization`. */
  readonly rename?: Input<string>;
}

/** A table to move. */
export interface SelectedTableArgs {
  /** The table's name at the source. */
  readonly name: Input<string>;
  /** Its name at the target. Default: the same, under the task's `capitalization`. */
  readonly rename?: Input<string>;
  /** Columns that have another name at the target; every other column keeps its own. */
  readonly columns?: Input<readonly Input<SelectedColumnArgs>[]>;
  /** Columns that do not move. */
  readonly excludeColumns?: Input<readonly Input<string>[]>;
  /**
   * Only rows for which this condition, in the source's SQL, is true. In `incremental` a row joins and leaves with its values, so
   * the condition may name the table's own columns and immutable functions only.
   */
  readonly where?: Input<string>;
  /** AnalyticDB: the primary key the table gets. Default: its own. */
  readonly primaryKey?: Input<readonly Input<string>[]>;
  /** AnalyticDB: the distribution key. Default: the primary key, else a column that is chosen with a warning. */
  readonly distributedBy?: Input<readonly Input<string>[]>;
  /** Kafka: the topic of this table's records. Default: the task's. */
  readonly topic?: Input<string>;
  /** Kafka: partitions of this table's topic, when the task creates it. */
  readonly partitions?: Input<number>;
  /** Kafka: replicas of each partition of this table's topic, when the task creates it. */
  readonly replicationFactor?: Input<number>;
  /** Kafka: columns whose values choose the partition, under `partitioning: primaryKey`. Default: the primary key. */
  readonly partitionKey?: Input<readonly Input<string>[]>;
  /** This table's own choice; it wins over the task's. */
  readonly operations?: Input<OperationsArgs>;
}

/** A column whose values are computed from the row. */
export interface DerivedColumnArgs {
  /** A column of the table, whose values these replace; or a new one, which joins the target's table at its end. */
  readonly column: Input<string>;
  /**
   * An expression in the source's SQL over the table's own columns, as the source has them. In `incremental` with immutable
   * functions only.
   */
  readonly expression: Input<string>;
  /** The type of a new column, in the source's words; the schema phase converts it as any column's. */
  readonly type?: Input<string>;
}

/** A column whose values are hidden from the target. */
export interface MaskedColumnArgs {
  /** The column's name at the source. */
  readonly column: Input<string>;
  /** What becomes of the values. */
  readonly method: Input<MaskMethod>;
  /** Method `keep`: characters that stay at the beginning. Default: none. */
  readonly keepFirst?: Input<number>;
  /** Method `keep`: characters that stay at the end. Default: none. */
  readonly keepLast?: Input<number>;
  /** Method `keep`: the character that stands for every other one. Default: `*`. */
  readonly replaceWith?: Input<string>;
  /** Method `constant`: the value, in the text form of the column's type. */
  readonly value?: Input<string>;
}

/** What becomes of one table's rows on their way. */
export interface TableEtlArgs {
  /** The table's schema at the source. */
  readonly schema: Input<string>;
  /** The table's name at the source. Of a partitioned table: for all its partitions. */
  readonly table: Input<string>;
  /** Columns that are computed. */
  readonly derive?: Input<readonly Input<DerivedColumnArgs>[]>;
  /** Rows for which this condition, in the source's SQL, is true do not move. The same rules as for `where`. */
  readonly drop?: Input<string>;
  /** Columns whose values are hidden. */
  readonly mask?: Input<readonly Input<MaskedColumnArgs>[]>;
}

/** A schema to move, whole or in part. */
export interface SelectedSchemaArgs {
  /** The schema's name at the source. */
  readonly schema: Input<string>;
  /** Its name at the target. Default: the same, under the task's `capitalization`. */
  readonly rename?: Input<string>;
  /** Only objects of these kinds move. Default: all kinds. */
  readonly kinds?: Input<readonly Input<ObjectKind>[]>;
  /** Only these tables move, with what they need. Default: all tables. */
  readonly tables?: Input<readonly Input<SelectedTableArgs>[]>;
  /** Objects of the schema that do not move. */
  readonly exclude?: Input<readonly Input<string>[]>;
}

/** How long failures that may pass are tried again before the task fails. */
export interface RetryArgs {
  /** Minutes a lost connection is tried again. Default: `720`. */
  readonly connectionMinutes?: Input<number>;
  /** Minutes any other failure is tried again; below `connectionMinutes`. Default: `10`. */
  readonly otherMinutes?: Input<number>;
}

/** Limits of the full phase. Absent: none. */
export interface FullThrottleArgs {
  /** Reads a second at the source. */
  readonly queriesPerSecond?: Input<number>;
  /** Rows a second. */
  readonly rowsPerSecond?: Input<number>;
  /** Megabytes (1,048,576 bytes) a second. */
  readonly megabytesPerSecond?: Input<number>;
}

/** Limits of the incremental phase. Absent: none. */
export interface IncrementalThrottleArgs {
  /** Changed rows a second. */
  readonly rowsPerSecond?: Input<number>;
  /** Megabytes (1,048,576 bytes) a second. */
  readonly megabytesPerSecond?: Input<number>;
}

/** Limits of a task's speed; a change takes effect on the running task. */
export interface ThrottleArgs {
  /** Limits of the full phase. */
  readonly full?: Input<FullThrottleArgs>;
  /** Limits of the incremental phase. */
  readonly incremental?: Input<IncrementalThrottleArgs>;
}

/** How much a task does at once. Defaults come from the machine and the servers. */
export interface ParallelismArgs {
  /** Tables, or chunks of tables, copied at once. */
  readonly tables?: Input<number>;
  /** Chunks one large table is split into. */
  readonly chunksPerTable?: Input<number>;
  /** Indexes and keys built at once. */
  readonly indexes?: Input<number>;
}

/** A sequence to keep ahead of its source. */
export interface SelectedSequenceArgs {
  /** The sequence's schema at the source. */
  readonly schema: Input<string>;
  /** Its name at the source. */
  readonly name: Input<string>;
  /** Its schema at the target. Default: the same. */
  readonly renameSchema?: Input<string>;
  /** Its name at the target. Default: the same. */
  readonly rename?: Input<string>;
}

/** Which database an Oracle listener is asked for, and how the driver gets there. Exactly one of `serviceName` and `sid`. */
export interface OracleConnectionArgs {
  /** The service, such as ORCLPDB1. */
  readonly serviceName?: Input<string>;
  /** The instance, where the listener knows no service. */
  readonly sid?: Input<string>;
  /**
   * Folder of an Oracle client library on the machine that runs the task: the driver's thick mode, which reaches 11.2. Default:
   * thin mode, no library.
   */
  readonly clientLibraryDirectory?: Input<string>;
  /** Folder of a wallet (tnsnames.ora, ewallet.pem or cwallet.sso) on the machine that runs the task. */
  readonly walletDirectory?: Input<string>;
  /** The password of the wallet's private key. */
  readonly walletPassword?: Input<string>;
}

/** A Schema Registry that speaks the Confluent API. */
export interface SchemaRegistryArgs {
  /** Such as https://registry.example.com:8081. */
  readonly url: Input<string>;
  /** For basic authentication. */
  readonly username?: Input<string>;
  /** For basic authentication. */
  readonly password?: Input<string>;
}

/** What a Kafka cluster needs beside its brokers. */
export interface KafkaConnectionArgs {
  /** The cluster's version, for the record: what is spoken is negotiated with each broker. */
  readonly version?: Input<string>;
  /** Needs `username` and `password`. Default: scram-sha-256 when a username is given, else none. */
  readonly saslMechanism?: Input<SaslMechanism>;
  /** Where the schema of `dts-avro` records is registered: they then begin with a magic byte and its id. */
  readonly schemaRegistry?: Input<SchemaRegistryArgs>;
}

/** How topics are made in the schema phase. */
export interface CreateTopicsArgs {
  /** Partitions of each topic that has no number of its own. Default: `1`. */
  readonly partitions?: Input<number>;
  /** Replicas of each partition. Default: the brokers' default.replication.factor. */
  readonly replicationFactor?: Input<number>;
}

/** What the records look like and where they go. For a `kafka` target. */
export interface KafkaSettingsArgs {
  /** The format of the records. Default: `canal-json`. */
  readonly format?: Input<KafkaFormat>;
  /** How batches are compressed. Default: `lz4`. */
  readonly compression?: Input<KafkaCompression>;
  /** Which partition a record goes to. Default: `primaryKey`. */
  readonly partitioning?: Input<KafkaPartitioning>;
  /** What a broker confirms. Default: `all`. */
  readonly acks?: Input<KafkaAcks>;
  /** The topic of every table that names none. May hold `{database}`, `{schema}` and `{table}`. Default: `{schema}.{table}`. */
  readonly topic?: Input<string>;
  /** The topic of structure changes. May hold `{database}`, `{schema}` and `{table}`. Default: that of the table's data. */
  readonly ddlTopic?: Input<string>;
  /** How topics that are missing are made in the schema phase. Default: they must be there. */
  readonly createTopics?: Input<CreateTopicsArgs>;
}

/** For an `analyticdb-postgresql` target. */
export interface AnalyticdbSettingsArgs {
  /** How the tables of the schema phase are stored. Default: `beam`. */
  readonly storage?: Input<AnalyticdbStorage>;
}

/**
 * Compares the rows of source and target, once the load is complete and the stream has caught up. Where differences remain,
 * `errors` says so; a task without `incremental` ends failed.
 */
export interface DataValidationArgs {
  /** What is compared. Default: `none`. */
  readonly mode?: Input<ValidationMode>;
  /** Values of any meaning; a change has everything compared again. */
  readonly triggers?: Input<Readonly<Record<string, Input<string>>>>;
}

/** The relay that takes mail for `contacts` that are mail addresses. */
export interface SmtpRelayArgs {
  /**
   * `smtp://` (STARTTLS where the relay offers it) or `smtps://`, with user and password where it wants them:
   * `smtps://user:password@mail.example.com:465`.
   */
  readonly url: Input<string>;
  /** The sender's address. */
  readonly from: Input<string>;
}

/** Who is told when the task fails or falls behind, and when it has recovered. */
export interface AlertsArgs {
  /** Tell when the task failed, or has been failing for a minute, and when it runs again. Default: `true`. */
  readonly onFailure?: Input<boolean>;
  /**
   * Tell when the target has been further behind the source for ten seconds, and when it no longer is. Absent: the latency is not
   * watched.
   */
  readonly latencySeconds?: Input<number>;
  /** Webhooks (`http://` or `https://`), which get a POST of JSON, and mail addresses. */
  readonly contacts: Input<readonly Input<string>[]>;
  /** For mail addresses. Default: GODWIT_SMTP_URL and GODWIT_SMTP_FROM of the environment that `pulumi up` runs in. */
  readonly smtp?: Input<SmtpRelayArgs>;
}

/**
 * A registered, verified connection to a database. Creating one connects and checks; refreshing one connects again and reports a
 * server that is another than the one registered (GW1106).
 */
export interface EndpointArgs {
  /** The database's family. A change replaces. */
  readonly engine: Input<Engine>;
  /**
   * `host:port` of every node of one cluster, tried in order until one takes writes; after a failure the search begins anew.
   * Default port: 5432, for `polardb-o` and `oracle` 1521, for `kafka` 9092.
   */
  readonly hosts: Input<readonly Input<string>[]>;
  /** The role to connect as. */
  readonly username?: Input<string>;
  /** The role's password. A change is taken over in place. */
  readonly password?: Input<string>;
  /** The database to connect to. Not for `kafka`; an `oracle` endpoint names it under `oracle`. A change replaces. */
  readonly databaseName?: Input<string>;
  /** TLS. Default: encrypted without verification, and none on loopback hosts. */
  readonly ssl?: Input<SslArgs>;
  /** For `oracle` only. */
  readonly oracle?: Input<OracleConnectionArgs>;
  /** For `kafka` only. */
  readonly kafka?: Input<KafkaConnectionArgs>;
  /** A free label, carried to logs, metrics and status. */
  readonly environmentTag?: Input<string>;
}

/**
 * Moves one database to another: structures, rows, and changes from then on. The work goes on in a worker process after `pulumi
 * up` has returned; `godwit status` shows it. Destroying a task removes everything it made except the data that moved.
 */
export interface MigrationTaskArgs {
  /** Where the data is. See `Connection` for what replaces; a replaced task copies everything again. */
  readonly source: Input<ConnectionArgs> | Endpoint;
  /** Where the data goes. See `Connection` for what replaces; a replaced task copies everything again. */
  readonly target: Input<ConnectionArgs> | Endpoint;
  /** The task's name, unique on its target. Default: project, stack and the resource's name. */
  readonly taskName?: Input<string>;
  /** What moves: any subset. */
  readonly migrationTypes: Input<readonly Input<MigrationType>[]>;
  /** What to move. Default: every user schema. Added tables are loaded and then join the stream; removed ones leave it. */
  readonly objects?: Input<readonly Input<SelectedSchemaArgs>[]>;
  /** Which changes the incremental phase carries over; a table's own choice wins. */
  readonly operations?: Input<OperationsArgs>;
  /** What to do about what the target has already. Default: `precheckAndReport`. */
  readonly conflictMode?: Input<ConflictMode>;
  /** How names that are not renamed are written at the target. Default: `source`. */
  readonly capitalization?: Input<Capitalization>;
  /** How long failures that may pass are tried again. In place. */
  readonly retry?: Input<RetryArgs>;
  /** Limits of the task's speed. In place. */
  readonly throttle?: Input<ThrottleArgs>;
  /** How much is done at once. In place. */
  readonly parallelism?: Input<ParallelismArgs>;
  /** For a `kafka` target: what the records look like and where they go. A change replaces. */
  readonly kafka?: Input<KafkaSettingsArgs>;
  /** For an `analyticdb-postgresql` target. A change replaces. */
  readonly analyticdb?: Input<AnalyticdbSettingsArgs>;
  /** Expressions that rows go through, table by table. What a table that is being migrated goes through can't change. */
  readonly etl?: Input<readonly Input<TableEtlArgs>[]>;
  /** Whether source and target are compared. In place. */
  readonly dataValidation?: Input<DataValidationArgs>;
  /** Who is told of failures and of latency. In place. */
  readonly alerts?: Input<AlertsArgs>;
  /** A ReplicationSlot made elsewhere, on the source. Default: the task makes its own and drops it. */
  readonly slotName?: Input<string>;
  /**
   * Where an incremental-only task starts, as an LSN such as 16/B374D848, or an SCN for `oracle`. Default: the slot's own
   * position.
   */
  readonly startPosition?: Input<string>;
  /** Ignorable precheck items that are accepted. In place. */
  readonly ignorePrechecks?: Input<readonly Input<string>[]>;
  /** What the task should be doing. In place. Default: `running`. */
  readonly desiredState?: Input<DesiredState>;
  /**
   * How far the task must be before `pulumi up` goes on. Default: `caughtUp`, with `dataValidation` `validated`, and `completed`
   * for a task without `incremental`.
   */
  readonly waitFor?: Input<WaitFor>;
}

/**
 * A logical replication slot: a position in the source's log from which the server keeps everything. A slot is a liability: it
 * retains WAL until it is read or dropped. Deleting one ends whoever reads from it.
 */
export interface ReplicationSlotArgs {
  /** The server that has the slot. See `Connection` for what replaces. */
  readonly endpoint: Input<ConnectionArgs> | Endpoint;
  /** The slot's name: lower-case letters, digits and underscores. Default: the resource's name after `godwit_`. */
  readonly name?: Input<string>;
  /** The output plugin, such as `pgoutput` or `test_decoding`. Default: `pgoutput`. */
  readonly plugin?: Input<string>;
  /** Whether the slot is kept in step on standbys (PostgreSQL 17 and up). In place. Default: `false`. */
  readonly failover?: Input<boolean>;
  /** Refresh warns when the slot retains more than this many megabytes (1,048,576 bytes) of WAL. */
  readonly maxRetainedMegabytes?: Input<number>;
  /** Moves the slot forward to this LSN; it never moves back. In place, PostgreSQL 11 and up. */
  readonly advanceTo?: Input<string>;
  /** Take over a slot of this name that exists already, if it has the same plugin and database. Default: `false`. */
  readonly adopt?: Input<boolean>;
}

/**
 * One marked block of lines in a PostgreSQL server's pg_hba.conf, written through SQL (the endpoint's role must be a superuser),
 * reloaded and read back. Lines outside the block are never touched.
 */
export interface WhitelistArgs {
  /** The server. See `Connection` for what replaces. */
  readonly endpoint: Input<ConnectionArgs> | Endpoint;
  /** The block's name in the file. */
  readonly name: Input<string>;
  /** Address ranges to let in. */
  readonly cidrs: Input<readonly Input<string>[]>;
  /** Databases they may connect to. Default: the endpoint's, and `replication`. */
  readonly databases?: Input<readonly Input<string>[]>;
  /** Roles they may connect as. Default: `all`. */
  readonly usernames?: Input<readonly Input<string>[]>;
  /** Default: `hostssl` when the server has TLS, else `host`. */
  readonly connectionType?: Input<HbaConnectionType>;
  /** How clients prove who they are. Default: `scram-sha-256`. */
  readonly authMethod?: Input<HbaAuthMethod>;
  /** Accept 0.0.0.0/0 and ::/0 among `cidrs`: anyone may try to connect. Default: `false`. */
  readonly allowAnyAddress?: Input<boolean>;
}

/**
 * Moves the target's sequences up to the source's, so that new rows written at the target after the cut-over get new keys. Never
 * moves a sequence backwards. Runs when it is created, when an input changes, and when a refresh found the target behind.
 */
export interface SequenceSyncArgs {
  /** Where the values are. See `Connection` for what replaces. */
  readonly source: Input<ConnectionArgs> | Endpoint;
  /** Where the values go. See `Connection` for what replaces. */
  readonly target: Input<ConnectionArgs> | Endpoint;
  /** Which sequences, with their names at the target. Default: all that both sides have under the same name. */
  readonly sequences?: Input<readonly Input<SelectedSequenceArgs>[]>;
  /** Increments that the target is set ahead of the source. Default: `1`. */
  readonly margin?: Input<number>;
  /** Free values; a change of any runs the sync again. */
  readonly triggers?: Input<Readonly<Record<string, Input<string>>>>;
}
