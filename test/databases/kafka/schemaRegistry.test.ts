import { afterAll, beforeAll, expect, it } from "vitest";
import { registerValueSchema } from "../../../provider/databases/kafka/schemaRegistry.js";
import { describeKafka } from "../../support/kafka/kafkaTests.js";
import { type RegistryServer, startSchemaRegistry } from "../../support/kafka/schemaRegistry.js";
import { freePort } from "../../support/serverProcess.js";

const record = (...fields: { name: string; type: string }[]) => JSON.stringify({ type: "record", name: "Row", fields });
const SCHEMA = record({ name: "id", type: "long" });

describeKafka("a Schema Registry", () => {
  let registry: RegistryServer;
  beforeAll(async () => {
    registry = await startSchemaRegistry();
  });
  afterAll(() => registry?.remove());

  it("gives a schema an id, the same each time, under the subject of the topic's values", async () => {
    const id = await registerValueSchema({ url: registry.url }, "shop.orders", SCHEMA);
    expect(await registerValueSchema({ url: `${registry.url}/` }, "shop.orders", SCHEMA)).toBe(id);
    expect(await registerValueSchema({ url: registry.url }, "other topic/ä", SCHEMA)).toBeGreaterThan(0);
    const stored = (await (await fetch(`${registry.url}/schemas/ids/${id}`)).json()) as { schema: string };
    expect(JSON.parse(stored.schema)).toEqual(JSON.parse(SCHEMA));
    const subjects = (await (await fetch(`${registry.url}/subjects`)).json()) as string[];
    expect(subjects).toEqual(expect.arrayContaining(["shop.orders-value", "other topic/ä-value"]));
  });

  it("refuses what is no schema, and what does not fit the ones before", async () => {
    await expect(registerValueSchema({ url: registry.url }, "broken", "{")).rejects.toThrow(/GW1932: .*subject broken-value/s);
    await registerValueSchema({ url: registry.url }, "strict", SCHEMA);
    await fetch(`${registry.url}/config/strict-value`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ compatibility: "BACKWARD" }),
    });
    const other = registerValueSchema({ url: registry.url }, "strict", record({ name: "id", type: "string" }));
    await expect(other).rejects.toThrow(/GW1932: .*compatib/is);
  });

  it("behind a password lets only its user in, and the password is in no message", async () => {
    const url = await registry.protectedUrl("alice", "the-right-one");
    const username = "alice";
    expect(await registerValueSchema({ url, username, password: "the-right-one" }, "secret", SCHEMA)).toBeGreaterThan(0);
    const wrong = registerValueSchema({ url, username, password: "a-wrong-one" }, "secret", SCHEMA);
    await expect(wrong).rejects.toThrow(/GW1933: the Schema Registry refused user "alice"/);
    await expect(wrong).rejects.not.toThrow(/a-wrong-one/);
    await expect(registerValueSchema({ url }, "secret", SCHEMA)).rejects.toThrow(/GW1933/);
    const inUrl = registerValueSchema({ url: url.replace("://", "://alice:the-right-one@") }, "secret", SCHEMA);
    await expect(inUrl).rejects.toThrow(/GW1001/);
    await expect(inUrl).rejects.not.toThrow(/the-right-one/);
  });

  it("that is not there is named", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    await expect(registerValueSchema({ url }, "any", SCHEMA)).rejects.toThrow(new RegExp(`GW1931: .*ECONNREFUSED.*${url}`, "s"));
    const elsewhere = registry.url.replace("/apis/ccompat/v7", "/nothing/here");
    await expect(registerValueSchema({ url: elsewhere }, "any", SCHEMA)).rejects.toThrow(/GW1933: .*404/);
  });
});
