import { cidrProblem, hostProblem, isAnyAddress } from "./addresses.js";
import type {
  Connection,
  MaskedColumn,
  MigrationTaskInputs,
  SelectedSchema,
  SequenceSyncInputs,
  WhitelistInputs,
} from "./types.js";
import { containsUnknown, isUnknown } from "./unknowns.js";

export interface Failure {
  /** As a path: `hosts[0]`, `source.ssl.mode`. */
  readonly property: string;
  /** What is wrong and what would be right. */
  readonly reason: string;
}

/** Engines with logical replication slots and a pg_hba.conf. */
const HAS_SLOTS = ["postgresql", "polardb-o"];
const HAS_SEQUENCES = [...HAS_SLOTS, "oracle"];

type Rules = (inputs: object) => readonly Failure[];

/** The rules of a resource that JSON Schema has no words for. They run on inputs that fit schema.json, unknown values aside. */
export function rulesOf(resourceType: string): Rules {
  return RULES[resourceType] ?? (() => []);
}

const RULES: Readonly<Record<string, Rules>> = {
  Endpoint: (inputs) => connectionRules("", inputs as Connection),
  MigrationTask: (inputs) => taskRules(inputs as MigrationTaskInputs),
  ReplicationSlot: (inputs) => {
    const { endpoint, name } = inputs as { endpoint: Connection; name?: string };
    const unnamed = name === undefined ? [{ property: "name", reason: "is required. The slot's name." }] : [];
    return [...unnamed, ...connectionRules("endpoint", endpoint), ...engineAmong("endpoint", endpoint, HAS_SLOTS)];
  },
  Whitelist: (inputs) => whitelistRules(inputs as WhitelistInputs),
  SequenceSync: (inputs) => sequenceRules(inputs as SequenceSyncInputs),
};

function connectionRules(path: string, connection: Connection): Failure[] {
  if (isUnknown(connection)) return [];
  const at = (name: string) => (path ? `${path}.${name}` : name);
  const failures: Failure[] = [];
  failures.push(...engineRules(at, connection));
  for (const [index, host] of known(connection.hosts).entries()) {
    const reason = isUnknown(host) ? undefined : hostProblem(host);
    if (reason) failures.push({ property: at(`hosts[${index}]`), reason });
  }
  return [...failures, ...sslRules(at("ssl"), connection)];
}

/** What each engine needs to know where the data is, and what means nothing to it. */
function engineRules(at: (name: string) => string, connection: Connection): Failure[] {
  const failures: Failure[] = [];
  const { engine, username, databaseName, oracle, kafka } = connection;
  if (isUnknown(engine)) return [];
  const needed = (name: string, what: string) => failures.push({ property: at(name), reason: `is required. ${what}` });
  const misplaced = (name: string, of: string) => failures.push({ property: at(name), reason: `is only for engine "${of}"` });
  if (engine !== "kafka" && username === undefined) needed("username", "The role to connect as.");
  if (engine === "oracle") {
    const given = [oracle?.serviceName, oracle?.sid].filter((name) => name !== undefined).length;
    if (!isUnknown(oracle) && given !== 1) {
      failures.push({ property: at("oracle"), reason: "must hold exactly one of serviceName and sid" });
    }
  } else if (engine !== "kafka" && databaseName === undefined) needed("databaseName", "The database to connect to.");
  if (engine === "kafka" && databaseName !== undefined) {
    failures.push({ property: at("databaseName"), reason: 'must be left out: engine "kafka" has topics, no databases' });
  }
  if (engine !== "oracle" && oracle !== undefined) misplaced("oracle", "oracle");
  if (engine !== "kafka" && kafka !== undefined) misplaced("kafka", "kafka");
  if (engine === "kafka" && kafka?.saslMechanism !== undefined && username === undefined) {
    needed("username", "SASL proves a username and its password.");
  }
  return failures;
}

function engineAmong(path: string, connection: Connection, engines: readonly string[]): Failure[] {
  if (isUnknown(connection) || isUnknown(connection.engine) || engines.includes(connection.engine)) return [];
  return [{ property: `${path}.engine`, reason: `must be ${engines.map((engine) => `"${engine}"`).join(" or ")} here` }];
}

function sslRules(path: string, { ssl }: Connection): Failure[] {
  if (ssl === undefined || isUnknown(ssl)) return [];
  const failures: Failure[] = [];
  for (const name of ["ca", "clientCertificate", "clientKey"] as const) {
    const pem = ssl[name];
    if (pem !== undefined && !isUnknown(pem) && !pem.includes("-----BEGIN ")) {
      failures.push({ property: `${path}.${name}`, reason: "must be a PEM text (-----BEGIN ...), not a path to a file" });
    }
  }
  const needs = [
    ["clientCertificate", "clientKey"],
    ["clientKey", "clientCertificate"],
    ["clientKeyPassphrase", "clientKey"],
  ] as const;
  for (const [given, needed] of needs) {
    if (ssl[given] !== undefined && ssl[needed] === undefined) {
      failures.push({ property: `${path}.${needed}`, reason: `is required when ${given} is given` });
    }
  }
  if (ssl.mode === "disable" && (ssl.ca !== undefined || ssl.clientCertificate !== undefined)) {
    failures.push({
      property: `${path}.mode`,
      reason: 'must not be "disable" when certificates are given: they would not be used',
    });
  }
  return failures;
}

function taskRules(task: MigrationTaskInputs): Failure[] {
  const failures = [...connectionRules("source", task.source), ...connectionRules("target", task.target)];
  failures.push(...targetRules(task));
  // Front doors make one of the resource's name; a task's file has to give it.
  if (task.taskName === undefined) failures.push({ property: "taskName", reason: "is required. It is unique on the target." });
  const { connectionMinutes, otherMinutes } = task.retry ?? {};
  if (typeof connectionMinutes === "number" && typeof otherMinutes === "number" && otherMinutes >= connectionMinutes) {
    failures.push({ property: "retry.otherMinutes", reason: `must be below connectionMinutes (${connectionMinutes})` });
  }
  failures.push(...selectionRules(task.objects), ...etlRules(task));
  // The rules from here on ask what moves.
  if (containsUnknown(task.migrationTypes)) return failures;
  const moves = new Set(task.migrationTypes);
  if (task.slotName !== undefined && !moves.has("incremental")) {
    failures.push({ property: "slotName", reason: 'needs "incremental" among migrationTypes: nothing else reads a slot' });
  }
  if (task.startPosition !== undefined && (moves.size !== 1 || !moves.has("incremental"))) {
    failures.push({
      property: "startPosition",
      reason: 'needs migrationTypes to be ["incremental"] alone: a full load starts at its own snapshot',
    });
  }
  if (task.waitFor === "completed" && moves.has("incremental")) {
    failures.push({
      property: "waitFor",
      reason: 'must be "caughtUp" or less: a task with "incremental" runs until it is stopped',
    });
  }
  failures.push(...validationRules(task, moves));
  if (task.waitFor === "fullLoad" && !moves.has("full")) {
    failures.push({ property: "waitFor", reason: 'needs "full" among migrationTypes: there is no full load to wait for' });
  }
  return failures;
}

function validationRules(
  { dataValidation, waitFor, source, target }: MigrationTaskInputs,
  moves: ReadonlySet<string>,
): Failure[] {
  if (isUnknown(dataValidation)) return [];
  const failures: Failure[] = [];
  const mode = dataValidation?.mode ?? "none";
  if (isUnknown(mode)) return [];
  const refuse = (reason: string) => failures.push({ property: "dataValidation.mode", reason });
  if (waitFor === "validated" && mode === "none") {
    failures.push({ property: "waitFor", reason: 'needs dataValidation with another mode than "none"' });
  }
  if (mode === "none") return failures;
  if (!moves.has("full") && !moves.has("incremental")) {
    refuse('must be "none" for a task that moves no rows: migrationTypes holds neither "full" nor "incremental"');
  }
  if (!isUnknown(target) && target.engine === "kafka") {
    refuse('must be "none" for a target of engine "kafka": a topic keeps records of changes and has no rows to compare');
  }
  if (!isUnknown(source) && source.engine === "oracle" && mode !== "counts") {
    refuse(
      'must be "counts" or "none" for a source of engine "oracle": Oracle and PostgreSQL write the same values down as different texts, so their checksums differ',
    );
  }
  return failures;
}

/** Settings of one kind of target mean nothing to another. */
function targetRules({ target, kafka, analyticdb, migrationTypes }: MigrationTaskInputs): Failure[] {
  if (isUnknown(target) || isUnknown(target.engine)) return [];
  const failures: Failure[] = [];
  const misplaced = (property: string, engine: string) =>
    failures.push({ property, reason: `is only for a target of engine "${engine}"` });
  if (kafka !== undefined && target.engine !== "kafka") misplaced("kafka", "kafka");
  if (analyticdb !== undefined && target.engine !== "analyticdb-postgresql") misplaced("analyticdb", "analyticdb-postgresql");
  if (analyticdb?.storage === "appendoptimized" && known(migrationTypes).includes("incremental")) {
    failures.push({
      property: "analyticdb.storage",
      reason: 'must be "beam" or "heap" for a task with "incremental": append-optimized tables take no single-row changes',
    });
  }
  return failures;
}

function selectionRules(objects: readonly SelectedSchema[] | undefined): Failure[] {
  const failures = duplicates("objects", objects, (schema) => schema.schema);
  for (const [i, { tables, exclude }] of known(objects).entries()) {
    failures.push(...duplicates(`objects[${i}].tables`, tables, (table) => table.name));
    for (const [j, { name, columns, excludeColumns }] of known(tables).entries()) {
      const path = `objects[${i}].tables[${j}]`;
      failures.push(...duplicates(`${path}.columns`, columns, (column) => column.name));
      if (known(exclude).includes(name)) failures.push({ property: `${path}.name`, reason: "must not be named in exclude too" });
      for (const column of known(columns)) {
        if (!known(excludeColumns).includes(column.name)) continue;
        failures.push({ property: `${path}.excludeColumns`, reason: `must not name "${column.name}", which is among columns` });
      }
    }
  }
  return failures;
}

function etlRules({ etl, objects, source, migrationTypes }: MigrationTaskInputs): Failure[] {
  const failures = duplicates("etl", etl, ({ schema, table }) => `${schema}.${table}`);
  if (
    known(etl).length > 0 &&
    !isUnknown(source) &&
    source.engine === "oracle" &&
    known(migrationTypes).includes("incremental")
  ) {
    failures.push({
      property: "etl",
      reason:
        'must be left out of a task with "incremental" from engine "oracle": Oracle alone computes its expressions, and a change in the redo may lack what they ask for',
    });
  }
  for (const [i, entry] of known(etl).entries()) {
    if (isUnknown(entry)) continue;
    const path = `etl[${i}]`;
    if (entry.derive === undefined && entry.drop === undefined && entry.mask === undefined) {
      failures.push({ property: path, reason: "must hold derive, drop or mask" });
    }
    const masks = known(entry.mask);
    failures.push(...duplicates(`${path}.derive`, entry.derive, ({ column }) => column));
    failures.push(...duplicates(`${path}.mask`, entry.mask, ({ column }) => column));
    const derived = new Set(known(entry.derive).map(({ column }) => column));
    const excluded = new Set(
      known(objects)
        .filter(({ schema }) => schema === entry.schema)
        .flatMap(({ tables }) => known(tables).filter(({ name }) => name === entry.table))
        .flatMap(({ excludeColumns }) => known(excludeColumns)),
    );
    for (const [list, columns] of [
      ["derive", known(entry.derive)],
      ["mask", masks],
    ] as const) {
      for (const [j, { column }] of columns.entries()) {
        if (!excluded.has(column)) continue;
        failures.push({ property: `${path}.${list}[${j}].column`, reason: `names "${column}", which excludeColumns leaves out` });
      }
    }
    for (const [j, mask] of masks.entries()) {
      if (isUnknown(mask)) continue;
      if (derived.has(mask.column)) {
        failures.push({ property: `${path}.mask[${j}].column`, reason: `names "${mask.column}", which derive gives its values` });
      }
      failures.push(...maskRules(`${path}.mask[${j}]`, mask));
    }
  }
  return failures;
}

/** What each method of hiding a value needs to know, and what means nothing to it. */
function maskRules(path: string, mask: MaskedColumn): Failure[] {
  if (isUnknown(mask.method)) return [];
  const failures: Failure[] = [];
  for (const name of ["keepFirst", "keepLast", "replaceWith"] as const) {
    if (mask[name] === undefined || mask.method === "keep") continue;
    failures.push({ property: `${path}.${name}`, reason: 'is only for method "keep"' });
  }
  if (mask.method === "constant" && mask.value === undefined) {
    failures.push({ property: `${path}.value`, reason: 'is required for method "constant"' });
  }
  if (mask.method !== "constant" && mask.value !== undefined) {
    failures.push({ property: `${path}.value`, reason: 'is only for method "constant"' });
  }
  return failures;
}

function whitelistRules(whitelist: WhitelistInputs): Failure[] {
  const failures = [
    ...connectionRules("endpoint", whitelist.endpoint),
    ...engineAmong("endpoint", whitelist.endpoint, HAS_SLOTS),
  ];
  for (const [index, cidr] of known(whitelist.cidrs).entries()) {
    if (isUnknown(cidr)) continue;
    const reason = cidrProblem(cidr);
    if (reason) failures.push({ property: `cidrs[${index}]`, reason });
    else if (isAnyAddress(cidr) && whitelist.allowAnyAddress === false) {
      failures.push({
        property: `cidrs[${index}]`,
        reason: "lets in every address there is; narrow it, or set allowAnyAddress: true",
      });
    }
  }
  for (const list of ["databases", "usernames"] as const) {
    for (const [index, name] of known(whitelist[list]).entries()) {
      // A line break would end the line of pg_hba.conf, and what follows would be a rule of its own.
      const control = [...name].some((char) => char < " " || char === "\u007f");
      if (control) failures.push({ property: `${list}[${index}]`, reason: "must not hold control characters or line breaks" });
      // From 16 on such a word is a regular expression, quoted or not.
      if (name.startsWith("/")) failures.push({ property: `${list}[${index}]`, reason: "must not begin with a slash" });
    }
  }
  if (whitelist.authMethod === "cert" && whitelist.connectionType === "host") {
    failures.push({
      property: "connectionType",
      reason: 'must be "hostssl" with authMethod "cert": certificates come with TLS only',
    });
  }
  return failures;
}

function sequenceRules(sync: SequenceSyncInputs): Failure[] {
  const failures = [
    ...connectionRules("source", sync.source),
    ...connectionRules("target", sync.target),
    ...engineAmong("source", sync.source, HAS_SEQUENCES),
    ...engineAmong("target", sync.target, HAS_SLOTS),
  ];
  const target = ({
    schema,
    name,
    renameSchema,
    rename,
  }: {
    schema: string;
    name: string;
    renameSchema?: string;
    rename?: string;
  }) => `${renameSchema ?? schema}.${rename ?? name}`;
  return [...failures, ...duplicates("sequences", sync.sequences, target)];
}

function duplicates<T>(path: string, list: readonly T[] | undefined, nameOf: (item: T) => string): Failure[] {
  const seen = new Map<string, number>();
  const failures: Failure[] = [];
  for (const [index, item] of known(list).entries()) {
    if (containsUnknown(item)) continue;
    const name = nameOf(item);
    const first = seen.get(name);
    if (first === undefined) seen.set(name, index);
    else failures.push({ property: `${path}[${index}]`, reason: `names "${name}" again, after ${path}[${first}]` });
  }
  return failures;
}

/** A list's items that are not unknown themselves; none for a list that is unknown or absent. */
function known<T>(list: readonly T[] | undefined): readonly T[] {
  return Array.isArray(list) ? list.map((item) => item as T) : [];
}
