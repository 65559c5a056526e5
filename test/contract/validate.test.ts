import { describe, expect, it } from "vitest";
import { validate, withDefaults } from "../../provider/contract/validate.js";

const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const endpoint = {
  engine: "postgresql",
  hosts: ["db.example.com:5432"],
  username: "u",
  password: "hunter2-secret",
  databaseName: "d",
};
const oracle = { engine: "oracle", hosts: ["h"], username: "u", oracle: { serviceName: "ORCLPDB1" } };
const kafka = { engine: "kafka", hosts: ["h:9092"] };
const task = { taskName: "t", source: endpoint, target: endpoint, migrationTypes: ["schema", "full", "incremental"] };

/** `property: reason` lines. */
function failures(resourceType: string, inputs: object): string[] {
  return validate(resourceType, inputs).map(({ property, reason }) => `${property}: ${reason}`);
}

function only(resourceType: string, inputs: object): string {
  const all = failures(resourceType, inputs);
  expect(all).toHaveLength(1);
  return all[0] ?? "";
}

describe("inputs that fit", () => {
  it.each([
    ["Endpoint", endpoint],
    [
      "Endpoint",
      { ...endpoint, hosts: ["a", "b.c:1", "10.0.0.1", "[2001:db8::1]:5432", "2001:db8::1", "[::1]", "my_container:65535"] },
    ],
    ["MigrationTask", task],
    ["MigrationTask", { ...task, migrationTypes: ["incremental"], startPosition: "16/B374D848", slotName: "s" }],
    [
      "MigrationTask",
      {
        ...task,
        objects: [{ schema: "s", tables: [{ name: "t", columns: [{ name: "a", rename: "b" }], excludeColumns: ["c"] }] }],
      },
    ],
    [
      "MigrationTask",
      { ...task, retry: { connectionMinutes: 1440, otherMinutes: 1439 }, throttle: { full: { megabytesPerSecond: 0.5 } } },
    ],
    ["Endpoint", oracle],
    ["Endpoint", kafka],
    ["Endpoint", { ...kafka, username: "u", password: "p", kafka: { saslMechanism: "scram-sha-512", version: "3.9" } }],
    ["MigrationTask", { ...task, target: kafka }],
    ["MigrationTask", { ...task, target: kafka, kafka: { topic: "{schema}.{table}", createTopics: {} } }],
    ["MigrationTask", { ...task, source: oracle, migrationTypes: ["incremental"], startPosition: "2837465" }],
    ["MigrationTask", { ...task, dataValidation: { mode: "full", triggers: { at: "now" } }, waitFor: "validated" }],
    ["MigrationTask", { ...task, migrationTypes: ["full"], dataValidation: { mode: "counts" } }],
    ["MigrationTask", { ...task, target: kafka, dataValidation: { mode: "none" } }],
    ["MigrationTask", { ...task, source: oracle, dataValidation: { mode: "counts" } }],
    ["MigrationTask", { ...task, dataValidation: UNKNOWN }],
    ["ReplicationSlot", { endpoint, name: "godwit_a" }],
    ["Whitelist", { endpoint, name: "w", cidrs: ["10.0.0.0/8", "::1", "2001:db8::/32", "192.0.2.1"] }],
    ["Whitelist", { endpoint, name: "w", cidrs: ["0.0.0.0/0", "::/0"], allowAnyAddress: true }],
    ["SequenceSync", { source: endpoint, target: endpoint, margin: 0, triggers: { at: "now" } }],
  ])("pass: %s %#", (resourceType, inputs) => {
    expect(failures(resourceType, inputs)).toEqual([]);
  });

  it("get the defaults of schema.json, and stay themselves", () => {
    expect(withDefaults("MigrationTask", task)).toEqual({
      ...task,
      conflictMode: "precheckAndReport",
      capitalization: "source",
      desiredState: "running",
    });
    expect(withDefaults("MigrationTask", { ...task, retry: { otherMinutes: 5 } })).toMatchObject({
      retry: { connectionMinutes: 720, otherMinutes: 5 },
    });
    expect(task).not.toHaveProperty("conflictMode");
  });
});

describe("inputs that do not fit", () => {
  it.each<[string, object, RegExp]>([
    ["Endpoint", { ...endpoint, host: "x" }, /^host: there is no such property; did you mean "hosts"\?$/],
    ["Endpoint", { ...endpoint, databasename: "x" }, /^databasename: .*did you mean "databaseName"\?$/],
    ["Endpoint", { ...endpoint, zzzzzz: 1 }, /^zzzzzz: there is no such property; there are engine, hosts, /],
    ["Endpoint", { ...endpoint, engine: "postgres" }, /^engine: must be one of "postgresql", .*; did you mean "postgresql"\?$/],
    ["Endpoint", { ...endpoint, engine: "oracle" }, /^oracle: must hold exactly one of serviceName and sid$/],
    ["Endpoint", { ...oracle, oracle: { serviceName: "S", sid: "s" } }, /^oracle: must hold exactly one of serviceName and sid$/],
    ["Endpoint", { ...endpoint, oracle: { sid: "s" } }, /^oracle: is only for engine "oracle"$/],
    ["Endpoint", { ...endpoint, kafka: {} }, /^kafka: is only for engine "kafka"$/],
    ["Endpoint", { engine: "polardb-o", hosts: ["h"], username: "u" }, /^databaseName: is required/],
    ["Endpoint", { ...kafka, databaseName: "d" }, /^databaseName: must be left out/],
    ["Endpoint", { ...kafka, kafka: { saslMechanism: "plain" } }, /^username: is required. SASL/],
    ["Endpoint", { ...endpoint, hosts: [] }, /^hosts: must not be empty/],
    ["Endpoint", { ...endpoint, hosts: "h" }, /^hosts: must be a list, not a string/],
    ["Endpoint", { ...endpoint, hosts: ["ok", "h:0"] }, /^hosts\[1\]: must have a port from 1 to 65535/],
    ["Endpoint", { ...endpoint, hosts: ["h:99999"] }, /^hosts\[0\]: must have a port/],
    ["Endpoint", { ...endpoint, hosts: ["postgres://h/db"] }, /^hosts\[0\]: must be "host:port" without a scheme/],
    ["Endpoint", { ...endpoint, hosts: ["a b"] }, /^hosts\[0\]: must be "host:port"/],
    ["Endpoint", { ...endpoint, hosts: ["10.0.0.256"] }, /^hosts\[0\]: is not an IPv4 address/],
    ["Endpoint", { ...endpoint, hosts: ["[nope]:1"] }, /^hosts\[0\]: must hold an IPv6 address/],
    ["Endpoint", { ...endpoint, ssl: { ca: "/etc/ca.pem" } }, /^ssl.ca: must be a PEM text/],
    [
      "Endpoint",
      { ...endpoint, ssl: { mode: "prefer" } },
      /^ssl.mode: must be one of "disable", "require", "verify-ca", "verify-full"$/,
    ],
    [
      "Endpoint",
      { ...endpoint, ssl: { clientKeyPassphrase: "p" } },
      /^ssl.clientKey: is required when clientKeyPassphrase is given$/,
    ],
    ["Endpoint", { ...endpoint, ssl: { mode: "disable", ca: "-----BEGIN X" } }, /^ssl.mode: must not be "disable"/],
    [
      "MigrationTask",
      { ...task, migrationTypes: ["full", "full"] },
      /^migrationTypes: holds the same value twice, at \[0\] and \[1\]$/,
    ],
    [
      "MigrationTask",
      { ...task, migrationTypes: ["data"] },
      /^migrationTypes\[0\]: must be one of "schema", "full", "incremental"$/,
    ],
    ["MigrationTask", { ...task, retry: { connectionMinutes: 9 } }, /^retry.connectionMinutes: must be from 10 to 1440/],
    [
      "MigrationTask",
      { ...task, retry: { connectionMinutes: 20, otherMinutes: 20 } },
      /^retry.otherMinutes: must be below connectionMinutes \(20\)$/,
    ],
    ["MigrationTask", { ...task, retry: { otherMinutes: 1.5 } }, /^retry.otherMinutes: must be a whole number, not a fraction/],
    ["MigrationTask", { ...task, throttle: { full: { rowsPerSecond: 0 } } }, /^throttle.full.rowsPerSecond: must be above 0/],
    [
      "MigrationTask",
      { ...task, operations: { ddl: ["vacuum"] } },
      /^operations.ddl\[0\]: must be one of "create", "alter", "drop", /,
    ],
    ["MigrationTask", { ...task, kafka: {} }, /^kafka: is only for a target of engine "kafka"$/],
    ["MigrationTask", { ...task, target: kafka, kafka: { acks: "1" } }, /^kafka.acks: must be one of "all", "leader", "none"$/],
    ["MigrationTask", { ...task, analyticdb: {} }, /^analyticdb: is only for a target of engine "analyticdb-postgresql"$/],
    [
      "MigrationTask",
      { ...task, target: { ...endpoint, engine: "analyticdb-postgresql" }, analyticdb: { storage: "appendoptimized" } },
      /^analyticdb.storage: must be "beam" or "heap"/,
    ],
    [
      "MigrationTask",
      { ...task, startPosition: "16/B374D848" },
      /^startPosition: needs migrationTypes to be \["incremental"\] alone/,
    ],
    ["MigrationTask", { ...task, startPosition: "here" }, /^startPosition: must have the form .*LSN such as 16\/B374D848/],
    ["MigrationTask", { ...task, slotName: "Big" }, /^slotName: must have the form/],
    ["MigrationTask", { ...task, migrationTypes: ["full"], slotName: "s" }, /^slotName: needs "incremental"/],
    ["MigrationTask", { ...task, waitFor: "completed" }, /^waitFor: must be "caughtUp" or less/],
    ["MigrationTask", { ...task, migrationTypes: ["schema"], waitFor: "fullLoad" }, /^waitFor: needs "full"/],
    [
      "MigrationTask",
      { ...task, objects: [{ schema: "s" }, { schema: "s" }] },
      /^objects\[1\]: names "s" again, after objects\[0\]$/,
    ],
    [
      "MigrationTask",
      { ...task, objects: [{ schema: "s", tables: [{ name: "t", columns: [{ name: "a" }], excludeColumns: ["a"] }] }] },
      /^objects\[0\].tables\[0\].excludeColumns: must not name "a"/,
    ],
    ["MigrationTask", { ...task, source: { ...endpoint, hosts: ["h:x"] } }, /^source.hosts\[0\]: must have a port/],
    ["ReplicationSlot", { endpoint, name: "with-dash" }, /^name: must have the form/],
    ["ReplicationSlot", { endpoint, name: "n", maxRetainedMegabytes: 0 }, /^maxRetainedMegabytes: must be at least 1/],
    ["ReplicationSlot", { endpoint: { ...endpoint, databaseName: undefined }, name: "n" }, /^endpoint.databaseName: is required/],
    ["Whitelist", { endpoint, name: "w", cidrs: ["10.0.0.0/33"] }, /^cidrs\[0\]: must end in a number of bits from \/0 to \/32$/],
    ["Whitelist", { endpoint, name: "w", cidrs: ["10.0.0/8"] }, /^cidrs\[0\]: must be an address range/],
    ["Whitelist", { endpoint, name: "w", cidrs: ["0.0.0.0/0"] }, /^cidrs\[0\]: lets in every address .*allowAnyAddress: true$/],
    ["Whitelist", { endpoint, name: "w", cidrs: ["::/0"] }, /^cidrs\[0\]: lets in every address/],
    [
      "Whitelist",
      { endpoint, name: "w", cidrs: ["10.0.0.1"], usernames: ["a\nhost all all 0.0.0.0/0 trust"] },
      /^usernames\[0\]: .*line breaks/,
    ],
    ["Whitelist", { endpoint, name: "w\nx", cidrs: ["10.0.0.1"] }, /^name: must have the form/],
    [
      "Whitelist",
      { endpoint, name: "w", cidrs: ["10.0.0.1"], authMethod: "cert", connectionType: "host" },
      /^connectionType: must be "hostssl"/,
    ],
    [
      "Whitelist",
      { endpoint, name: "w", cidrs: ["10.0.0.1"], databases: ["/.*"] },
      /^databases\[0\]: must not begin with a slash/,
    ],
    ["ReplicationSlot", { endpoint: kafka, name: "s" }, /^endpoint.engine: must be "postgresql" or "polardb-o" here$/],
    ["Whitelist", { endpoint: oracle, name: "w", cidrs: ["10.0.0.1"] }, /^endpoint.engine: must be "postgresql" or/],
    ["SequenceSync", { source: kafka, target: endpoint }, /^source.engine: must be "postgresql" or "polardb-o" or "oracle"/],
    ["SequenceSync", { source: endpoint, target: endpoint, margin: -1 }, /^margin: must be from 0 to/],
    [
      "SequenceSync",
      {
        source: endpoint,
        target: endpoint,
        sequences: [
          { schema: "a", name: "x" },
          { schema: "b", name: "y", renameSchema: "a", rename: "x" },
        ],
      },
      /^sequences\[1\]: names "a.x" again/,
    ],
  ])("are named with what would be right: %s %#", (resourceType, inputs, expected) => {
    expect(only(resourceType, inputs)).toMatch(expected);
  });

  it("are all named at once", () => {
    expect(failures("Endpoint", { host: "x" }).sort()).toEqual([
      "engine: is required. The database's family. A change replaces.",
      'host: there is no such property; did you mean "hosts"?',
      expect.stringMatching(/^hosts: is required/),
    ]);
    expect(failures("Endpoint", { engine: "postgresql", hosts: ["h:0", "h:x"] })).toHaveLength(4);
    expect(
      failures("MigrationTask", { ...task, objects: [{ schema: "s", tables: [{ name: "t" }, { nmae: "t" }] }] }).sort(),
    ).toEqual([
      "objects[0].tables[1].name: is required. The table's name at the source.",
      'objects[0].tables[1].nmae: there is no such property; did you mean "name"?',
    ]);
  });

  it("are never repeated, for one may be a secret in the wrong place", () => {
    const misplaced = {
      ...endpoint,
      engine: "hunter2-secret",
      hosts: ["hunter2-secret:x"],
      ssl: { mode: "hunter2-secret", ca: "hunter2-secret" },
    };
    expect(failures("Endpoint", misplaced).join()).not.toContain("hunter2");
    expect(
      failures("Endpoint", { ...endpoint, hosts: ["hunter2-secret:x"], ssl: { ca: "hunter2-secret" } }).join(),
    ).not.toContain("hunter2");
  });
});

describe("values that a preview does not know yet", () => {
  it.each([
    ["Endpoint", { ...endpoint, hosts: UNKNOWN, ssl: UNKNOWN }],
    ["Endpoint", { ...endpoint, engine: UNKNOWN, hosts: [UNKNOWN, "h"], ssl: { mode: UNKNOWN, ca: UNKNOWN } }],
    [
      "MigrationTask",
      { ...task, source: UNKNOWN, target: UNKNOWN, migrationTypes: UNKNOWN, objects: UNKNOWN, startPosition: UNKNOWN },
    ],
    [
      "MigrationTask",
      {
        ...task,
        migrationTypes: [UNKNOWN, "full"],
        retry: { otherMinutes: UNKNOWN },
        objects: [{ schema: UNKNOWN }, { schema: UNKNOWN }],
      },
    ],
    ["Whitelist", { endpoint: UNKNOWN, name: UNKNOWN, cidrs: [UNKNOWN], allowAnyAddress: UNKNOWN }],
    ["Whitelist", { endpoint, name: "w", cidrs: ["0.0.0.0/0"], allowAnyAddress: UNKNOWN }],
    [
      "SequenceSync",
      { source: endpoint, target: endpoint, sequences: [UNKNOWN, { schema: UNKNOWN, name: UNKNOWN }], margin: UNKNOWN },
    ],
  ])("pass: %s %#", (resourceType, inputs) => {
    expect(failures(resourceType, inputs)).toEqual([]);
  });

  it("do not hide what is wrong beside them", () => {
    expect(only("Endpoint", { ...endpoint, hosts: [UNKNOWN, "h:0"] })).toMatch(/^hosts\[1\]/);
  });
});

describe("comparing the data", () => {
  const asked = (more: object, mode = "full") => only("MigrationTask", { ...task, dataValidation: { mode }, ...more });

  it("is refused where there are no rows to compare, with the reason", () => {
    expect(asked({ target: kafka })).toMatch(
      /^dataValidation\.mode: .*a topic keeps records of changes and has no rows to compare/,
    );
    expect(asked({ migrationTypes: ["schema"] })).toMatch(/^dataValidation\.mode: .*moves no rows/);
    expect(asked({ source: oracle, migrationTypes: ["full"] })).toMatch(/^dataValidation\.mode: .*Oracle and PostgreSQL write/);
  });

  it("takes its modes and no other word, and can only be waited for when it is asked for", () => {
    expect(asked({}, "checksum")).toMatch(/did you mean "checksums"/);
    expect(only("MigrationTask", { ...task, waitFor: "validated" })).toMatch(/^waitFor: needs dataValidation/);
  });
});

describe("expressions for rows", () => {
  const etl = (...entries: readonly object[]) => ({ ...task, etl: entries });
  const person = { schema: "public", table: "person" };

  it("pass with their methods, one entry a table", () => {
    const mask = [
      { column: "a", method: "keep", keepFirst: 1, keepLast: 2, replaceWith: "#" },
      { column: "b", method: "constant", value: "" },
      { column: "c", method: "null" },
    ];
    expect(
      failures("MigrationTask", etl({ ...person, mask, drop: "a > 1" }, { ...person, schema: "other", drop: "true" })),
    ).toEqual([]);
  });

  it("are refused by the property that is wrong", () => {
    const wrong = (entry: object) => only("MigrationTask", etl({ ...person, ...entry }));
    expect(wrong({})).toBe("etl[0]: must hold derive, drop or mask");
    expect(wrong({ mask: [{ column: "a", method: "constant" }] })).toBe(
      'etl[0].mask[0].value: is required for method "constant"',
    );
    expect(wrong({ mask: [{ column: "a", method: "md5", value: "x" }] })).toBe(
      'etl[0].mask[0].value: is only for method "constant"',
    );
    expect(wrong({ mask: [{ column: "a", method: "null", keepLast: 1 }] })).toBe(
      'etl[0].mask[0].keepLast: is only for method "keep"',
    );
    expect(wrong({ mask: [{ column: "a", method: "blur" }] })).toMatch(/^etl\[0\]\.mask\[0\]\.method: /);
    expect(wrong({ mask: [{ column: "a", method: "keep", replaceWith: "##" }] })).toMatch(/^etl\[0\]\.mask\[0\]\.replaceWith: /);
    expect(wrong({ derive: [{ column: "a" }] })).toMatch(/^etl\[0\]\.derive\[0\]\.expression: /);
    expect(wrong({ derive: [{ column: "a", expression: "1" }], mask: [{ column: "a", method: "null" }] })).toBe(
      'etl[0].mask[0].column: names "a", which derive gives its values',
    );
    expect(only("MigrationTask", etl({ ...person, drop: "a" }, { ...person, drop: "b" }))).toMatch(
      /^etl\[1\]: names "public.person" again/,
    );
    const objects = [{ schema: "public", tables: [{ name: "person", excludeColumns: ["a"] }] }];
    expect(only("MigrationTask", { ...etl({ ...person, mask: [{ column: "a", method: "null" }] }), objects })).toBe(
      'etl[0].mask[0].column: names "a", which excludeColumns leaves out',
    );
    expect(only("MigrationTask", { ...etl({ ...person, drop: "a" }), source: oracle })).toMatch(
      /^etl: must be left out of a task with "incremental"/,
    );
  });

  it("do not judge what a preview does not know yet", () => {
    expect(failures("MigrationTask", { ...task, etl: UNKNOWN })).toEqual([]);
    expect(failures("MigrationTask", etl({ ...person, mask: UNKNOWN, drop: UNKNOWN }))).toEqual([]);
  });
});
