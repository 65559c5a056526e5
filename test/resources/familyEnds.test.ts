import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type {
  EndpointInputs,
  ReplicationSlotInputs,
  SequenceSyncInputs,
  WhitelistInputs,
} from "../../provider/contract/types.js";
import { withDefaults } from "../../provider/contract/validate.js";
import { endpoint } from "../../provider/resources/endpoint.js";
import { replicationSlot } from "../../provider/resources/replicationSlot.js";
import { sequenceSync } from "../../provider/resources/sequenceSync.js";
import { whitelist } from "../../provider/resources/whitelist.js";
import { type AnalyticdbStandIn, startAnalyticdb } from "../support/analyticdb/standIn.js";
import { type PolardbStandIn, startPolardbStandIn } from "../support/polardbO/standIn.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { recordedLog } from "./recordedLog.js";

const slotOf = (given: object): ReplicationSlotInputs =>
  withDefaults<ReplicationSlotInputs>("ReplicationSlot", given as unknown as ReplicationSlotInputs);
const listOf = (given: object): WhitelistInputs =>
  withDefaults<WhitelistInputs>("Whitelist", given as unknown as WhitelistInputs);
const syncOf = (given: object): SequenceSyncInputs =>
  withDefaults<SequenceSyncInputs>("SequenceSync", given as unknown as SequenceSyncInputs);

describe.each(["1.0", "2.0"] as const)("the resources on PolarDB O %s (a stand-in)", (release) => {
  let polar: PolardbStandIn;
  beforeAll(async () => {
    polar = await startPolardbStandIn({ release });
    await polar.server.createDatabase("shop");
    await polar.server.query(
      "SET password_encryption = 'scram-sha-256'; CREATE ROLE plain LOGIN PASSWORD 'x'; CREATE ROLE polar_superuser_group NOLOGIN; CREATE ROLE chief LOGIN PASSWORD 'x' IN ROLE polar_superuser_group",
      undefined,
      "shop",
    );
  });
  afterAll(() => polar.remove());
  const as = (username: string) => ({ ...polar.endpoint("shop"), username, password: "x" });

  it("an endpoint says what it is connected to, and is the same server when it is asked again", async () => {
    const { log } = recordedLog();
    const inputs = withDefaults<EndpointInputs>("Endpoint", polar.endpoint("shop") as unknown as EndpointInputs);
    const { outputs } = await endpoint.create(inputs, { log });
    expect(outputs).toMatchObject({ engine: "polardb-o", encoding: "UTF8", superuser: true });
    expect(outputs.serverId).toMatch(/^\d+$/);
    expect(await endpoint.read("", outputs, { log })).toEqual(outputs);
    await expect(endpoint.create({ ...inputs, password: "wrong" }, { log })).rejects.toThrow(/GW11/);
  });

  it("a slot is made, read, moved on and dropped; a plain role is refused, a privileged account is not by us", async () => {
    const { log } = recordedLog();
    const inputs = slotOf({ endpoint: polar.endpoint("shop"), name: `godwit_${release.replace(".", "_")}` });
    const { id, outputs } = await replicationSlot.create(inputs, { log });
    expect(await replicationSlot.read(id, outputs, { log })).toMatchObject({ plugin: "pgoutput", name: inputs.name });
    await expect(replicationSlot.create(slotOf({ ...inputs, name: "godwit_f", failover: true }), { log })).rejects.toThrow(
      /GW1001.*polar_failover_slot_mode/s,
    );
    await expect(replicationSlot.create(slotOf({ ...inputs, name: "godwit_p", endpoint: as("plain") }), { log })).rejects.toThrow(
      /GW1710: role "plain" may not replicate/,
    );
    // The stand-in is PostgreSQL, which asks for the attribute: the refusal is the server's, in its words.
    await expect(replicationSlot.create(slotOf({ ...inputs, name: "godwit_c", endpoint: as("chief") }), { log })).rejects.toThrow(
      /^(?!.*may not replicate)/s,
    );
    await replicationSlot.delete(id, outputs, { log });
    expect(await replicationSlot.read(id, outputs, { log })).toBeUndefined();
    expect((await polar.server.query("SELECT slot_name FROM pg_replication_slots")).rows).toEqual([]);
  });

  it("a whitelist by a role that is no superuser is refused with what to do instead", async () => {
    const { log } = recordedLog();
    const given = listOf({ endpoint: as("chief"), name: "app", cidrs: ["10.0.0.0/8"] });
    await expect(whitelist.create(given, { log })).rejects.toThrow(/GW1802.*where the server is managed/s);
  });

  it("sequences are moved past the source's, and a bound that is too low is said", async () => {
    const { log } = recordedLog();
    await polar.server.createDatabase("fresh");
    await polar.server.query(
      "CREATE SEQUENCE ids START 500; SELECT nextval('ids'); CREATE TABLE t (id serial); INSERT INTO t SELECT FROM generate_series(1, 40)",
      undefined,
      "shop",
    );
    await polar.server.query("CREATE SEQUENCE ids MAXVALUE 1000; CREATE TABLE t (id serial)", undefined, "fresh");
    const given = syncOf({ source: polar.endpoint("shop"), target: polar.endpoint("fresh") });
    const { id, outputs } = await sequenceSync.create(given, { log });
    expect(outputs.sequences).toEqual([
      { name: "public.ids", value: "501" },
      { name: "public.t_id_seq", value: "41" },
    ]);
    await polar.server.query("SELECT nextval('ids') FROM generate_series(1, 5)", undefined, "shop");
    expect((await sequenceSync.read(id, outputs, { log }))?.behind).toEqual(["public.ids"]);
    await polar.server.query("SELECT setval('ids', 5000)", undefined, "shop");
    await expect(sequenceSync.update(id, outputs, given, { log })).rejects.toThrow(/GW1901.*MAXVALUE/s);
    await expect(
      sequenceSync.create(syncOf({ ...given, sequences: [{ schema: "public", name: "none" }] }), { log }),
    ).rejects.toThrow(/GW1902/);
  });
});

describe.each([6, 7] as const)("the resources on AnalyticDB %i (a stand-in)", (version) => {
  let standIn: AnalyticdbStandIn;
  let source: PostgresServer;
  beforeAll(async () => {
    [standIn, source] = await Promise.all([
      startAnalyticdb({ version }),
      startPostgres({ major: 17, settings: { fsync: "off" } }),
    ]);
    await standIn.server.createDatabase("lake");
    await source.createDatabase("lake");
  });
  afterAll(() => Promise.all([standIn.remove(), source.remove()]));

  it("an endpoint is told by its coordinator, and a PostgreSQL server is not taken for one", async () => {
    const { log } = recordedLog();
    const inputs = withDefaults<EndpointInputs>("Endpoint", standIn.inputs("lake") as unknown as EndpointInputs);
    const { outputs } = await endpoint.create(inputs, { log });
    expect(outputs.serverVersion).toMatch(version === 6 ? /9\.4|^6/ : /12|^7/);
    expect(outputs.superuser).toBe(false);
    expect(await endpoint.read("", outputs, { log })).toEqual(outputs);
    const plain = { ...source.endpoint("lake"), engine: "analyticdb-postgresql" } as unknown as EndpointInputs;
    await expect(endpoint.create(withDefaults<EndpointInputs>("Endpoint", plain), { log })).rejects.toThrow(/GW1110/);
    expect(standIn.refused()).toEqual([]);
  });

  it("slots, whitelists and, on 6, sequences are refused with what to do instead", async () => {
    const { log } = recordedLog();
    const end = standIn.inputs("lake");
    await expect(replicationSlot.create(slotOf({ endpoint: end, name: "godwit_x" }), { log })).rejects.toThrow(
      /GW1710: a segmented server decodes no changes/,
    );
    await expect(whitelist.create(listOf({ endpoint: end, name: "app", cidrs: ["10.0.0.0/8"] }), { log })).rejects.toThrow(
      /GW1802.*console/s,
    );
    const given = syncOf({ source: source.endpoint("lake"), target: end });
    if (version === 6)
      await expect(sequenceSync.create(given, { log })).rejects.toThrow(/GW1001: the server has no catalog of sequences/);
    else expect((await sequenceSync.create(given, { log })).outputs.sequences).toEqual([]);
  });
});
