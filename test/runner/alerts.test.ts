import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TaskStatus } from "../../provider/engine/taskStatus.js";
import { type AlertOrders, openAlerts } from "../../provider/runner/alerts/alerts.js";
import { contactKind, masked } from "../../provider/runner/alerts/contacts.js";
import { REPOSITORY } from "../support/pulumiProject.js";
import { type SmtpRelay, startSmtpRelay } from "../support/smtpRelay.js";
import { startWebhook, type Webhook } from "../support/webhook.js";

const failure = {
  code: "GW1501",
  message: "GW1501: a change was rejected [public.t, at 0/1]. Remedy: mend the row",
  at: "2026-01-01T00:00:00.000Z",
  retrying: false,
};
const failed = { taskId: "shop_1", environmentTag: "prod", state: "failed", errors: [failure] } as unknown as TaskStatus;

let directory: string;
let logged: string[];
const opened: (Webhook | SmtpRelay)[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "godwit-alerts-"));
  logged = [];
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
  await rm(directory, { recursive: true, force: true });
});

async function hook(answer?: Parameters<typeof startWebhook>[0]): Promise<Webhook> {
  const started = await startWebhook(answer);
  opened.push(started);
  return started;
}

function alerts(contacts: readonly string[], more: Partial<AlertOrders> = {}, signal = new AbortController().signal) {
  const note = (details: object, message: string) => void logged.push(`${message} ${JSON.stringify(details)}`);
  return openAlerts({
    orders: { onFailure: true, contacts, smtp: undefined, ...more },
    task: { taskId: "shop_1", name: "proj/dev/shop", environmentTag: undefined },
    file: join(directory, "alerts.json"),
    log: { info: note, warn: note, error: note },
    signal,
  });
}

describe("a webhook", () => {
  it("gets a POST of JSON with every field that is documented, and no more", async () => {
    const { url, received } = await hook();
    const told = await alerts([url]);
    told.observe(failed);
    await told.drain(5000);
    expect(received).toHaveLength(1);
    expect(received[0]?.path).toBe("/hook?token=hook-secret");
    expect(received[0]?.headers["content-type"]).toBe("application/json");
    expect(received[0]?.body).toEqual({
      taskId: "shop_1",
      name: "proj/dev/shop",
      environmentTag: "prod",
      event: "failed",
      code: "GW1501",
      message: "the task failed: GW1501: a change was rejected [public.t, at 0/1]",
      remedy: "mend the row",
      retrying: false,
      lagSeconds: null,
      at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    const documented = await readFile(join(REPOSITORY, "docs/alerts.md"), "utf8");
    for (const field of Object.keys(received[0]?.body ?? {})) expect(documented).toContain(`\`${field}\``);
  });

  it("that answers 500 first is asked again, and gets the message once", async () => {
    const busy = await hook((index) => (index < 2 ? 500 : 200));
    const told = await alerts([busy.url]);
    told.observe(failed);
    told.observe(failed);
    await told.drain(10_000);
    expect(busy.received).toHaveLength(1);
    expect(busy.asked).toBe(3);
  });

  it("that hangs or refuses keeps neither the others nor the task waiting, and is named in the log without its token", async () => {
    const [hanging, refusing, well] = [await hook(() => "hang"), await hook(() => 403), await hook()];
    const told = await alerts([hanging.url, refusing.url, well.url]);
    // What waits for the one that hangs would not come back.
    told.observe(failed);
    await expect.poll(() => well.received.length, { timeout: 60_000 }).toBe(1);
    await told.drain(500);
    expect(refusing.asked).toBe(1);
    expect(logged.join("\n")).toContain(`GW2301`);
    expect(logged.join("\n")).toContain(`http://127.0.0.1:${refusing.port}/...`);
    expect(logged.join("\n")).not.toContain("hook-secret");
  });

  it("with a user in its URL gets them as basic authentication", async () => {
    const { port, received } = await hook();
    const told = await alerts([`http://bot:p%40ss@127.0.0.1:${port}/x`]);
    told.observe(failed);
    await told.drain(5000);
    expect(received[0]?.headers.authorization).toBe(`Basic ${Buffer.from("bot:p@ss").toString("base64")}`);
  });

  it("is not told again by the worker's successor, on this machine or, by the task's store, on another", async () => {
    const { url, received } = await hook();
    const first = await alerts([url]);
    first.observe(failed);
    await first.drain(5000);
    const second = await alerts([url]);
    second.observe(failed);
    await second.drain(5000);
    await rm(join(directory, "alerts.json"));
    const elsewhere = await alerts([url]);
    elsewhere.restore(first.memory);
    elsewhere.observe(failed);
    await elsewhere.drain(5000);
    expect(received).toHaveLength(1);
    elsewhere.observe({ ...failed, state: "completed", errors: [] });
    await elsewhere.drain(5000);
    expect(received.map(({ body }) => body.event)).toEqual(["failed", "recovered"]);
    expect(await readFile(join(directory, "alerts.json"), "utf8")).not.toContain("hook-secret");
  });
});

describe("a mail address", () => {
  it("gets a mail through the relay, with its password, that a person can read", async () => {
    const relay = await startSmtpRelay();
    opened.push(relay);
    const told = await alerts(["dba@example.com"], { smtp: { url: relay.url, from: "godwit@example.com" } });
    told.observe(failed);
    await told.drain(10_000);
    expect(logged.filter((line) => line.includes("GW2301"))).toEqual([]);
    expect(relay.mails).toHaveLength(1);
    const [mail] = relay.mails;
    expect(mail).toMatchObject({ from: "godwit@example.com", to: "dba@example.com" });
    expect(mail?.data).toContain("Subject: [prod] Godwit: proj/dev/shop: failed");
    expect(mail?.data).toMatch(/the task failed: GW1501: a change was rejected[\s\S]*Remedy: mend the row/);
  });

  it("whose relay does not let us in is named in the log by its host alone, without the relay's password", async () => {
    const relay = await startSmtpRelay();
    opened.push(relay);
    const abort = new AbortController();
    const url = relay.url.replace("relay-secret", "wrong-secret");
    const told = await alerts(["dba@example.com"], { smtp: { url, from: "godwit@example.com" } }, abort.signal);
    told.observe(failed);
    setTimeout(() => abort.abort(), 1500);
    await told.drain(10_000);
    expect(relay.mails).toEqual([]);
    expect(logged.join("\n")).toMatch(/GW2301.*\.\.\.@example\.com/);
    expect(logged.join("\n")).not.toContain("secret");
  });
});

describe("contacts", () => {
  it("are URLs of webhooks and mail addresses, and nothing else", () => {
    expect(["https://a.example/x", "HTTP://h:1", "dba@example.com", "a.b+c@d"].map(contactKind)).toEqual([
      "webhook",
      "webhook",
      "mail",
      "mail",
    ]);
    for (const other of ["", "https://", "ftp://a/b", "dba", "a@b@c", "a b@c", "x@y\r\nBcc: z@w"])
      expect(contactKind(other)).toBeUndefined();
  });

  it("are written down without what may be secret in them", () => {
    expect(masked("https://user:pw@hooks.example.com/services/T0/B0/token?x=1")).toBe("https://hooks.example.com/...");
    expect(masked("dba@example.com")).toBe("...@example.com");
  });
});
