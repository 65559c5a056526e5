import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { call } from "../../provider/frontDoors/dynamic.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ major: 17, name: "door" });
});
afterAll(() => server?.remove());

describe("the door that the sdk's classes call", () => {
  it("fills defaults in, and keeps the serialized class out of what a resource sees", async () => {
    const news = { __provider: "exports.handler = ...", endpoint: server.endpoint(), name: "godwit_door" };
    expect(await call("ReplicationSlot", "check", {}, news)).toEqual({
      inputs: { endpoint: server.endpoint(), name: "godwit_door", plugin: "pgoutput", failover: false, adopt: false },
      failures: [],
    });
  });

  it("names every property that does not fit, with the code of it", async () => {
    const { failures } = await call("Whitelist", "check", {}, { endpoint: server.endpoint(), name: "w", cidr: ["10.0.0.0/8"] });
    expect(failures).toEqual([
      { property: "cidrs", reason: expect.stringMatching(/^GW1001: is required/) },
      // Pulumi would print the value of a property that it is given, and no one has marked this one's as secret.
      { property: "", reason: 'GW1001: cidr: there is no such property; did you mean "cidrs"?' },
    ]);
  });

  it("takes a resource through its life, and prints what happens", async () => {
    const printed = vi.spyOn(console, "log").mockImplementation(() => undefined);
    const check = await call("ReplicationSlot", "check", {}, { endpoint: server.endpoint(), name: "godwit_door" });
    const { id, outs } = await call("ReplicationSlot", "create", check.inputs ?? {});
    expect(
      await call("ReplicationSlot", "diff", id, { ...outs, __provider: "old" }, { ...check.inputs, __provider: "new" }),
    ).toEqual({
      changes: false,
      replaces: [],
      deleteBeforeReplace: true,
    });
    expect(await call("ReplicationSlot", "read", id, outs)).toEqual({ id, props: outs });
    expect((await call("ReplicationSlot", "update", id, outs ?? {}, check.inputs ?? {})).outs).toEqual(outs);
    await call("ReplicationSlot", "delete", id, outs ?? {});
    expect(await call("ReplicationSlot", "read", id, outs)).toEqual({ id: "", props: {} });
    expect(printed.mock.calls.join("\n")).toContain('ReplicationSlot: warning: slot "godwit_door" is gone');
    expect(printed.mock.calls.join("\n")).not.toContain(server.password);
    printed.mockRestore();
  });

  it("hands a partly made resource on in the form that Pulumi's dynamic provider knows", async () => {
    const check = await call(
      "ReplicationSlot",
      "check",
      {},
      { endpoint: server.endpoint(), name: "godwit_partly", advanceTo: "FFFF/0" },
    );
    const error = await call("ReplicationSlot", "create", check.inputs ?? {}).then(
      () => undefined,
      (cause: unknown) => cause,
    );
    expect(error).toMatchObject({
      id: "godwit_partly",
      properties: { name: "godwit_partly", consistentPoint: expect.stringContaining("/") },
      reasons: [expect.stringContaining("GW1001: advanceTo (FFFF/0) is beyond the end")],
    });
    await call("ReplicationSlot", "delete", "godwit_partly", check.inputs ?? {});
  });

  it("prints no stack for an error that says what mends it", async () => {
    const wrong = { ...server.endpoint(), password: "not-the-password" };
    const error = await call("Endpoint", "create", wrong).then(
      () => undefined,
      (cause: unknown) => cause,
    );
    expect(error).toMatchObject({ stack: "", message: expect.stringMatching(/^GW1102/) });
  });
});
