import { mkdtemp, rm } from "node:fs/promises";
import { createServer, request, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../serverProcess.js";
import { JavaProcess, watchFolder } from "./javaProcess.js";
import { registryProgram } from "./kafkaJars.js";

export interface RegistryServer {
  /** Base of Confluent's API. */
  readonly url: string;
  /** The same behind a proxy that wants basic authentication: the registry itself does that with an identity server only. */
  protectedUrl(username: string, password: string): Promise<string>;
  kill9(): Promise<void>;
  /** On the same port, knowing nothing of the schemas before. */
  start(): Promise<void>;
  remove(): Promise<void>;
}

/** A Schema Registry that keeps its schemas in memory, up in some 5 s. */
export async function startSchemaRegistry(): Promise<RegistryServer> {
  const { folder: program, jar } = await registryProgram();
  const folder = await mkdtemp(join(process.env.GODWIT_TEST_DATA ?? tmpdir(), "godwit-registry-"));
  const watchdog = watchFolder(folder);
  const port = await freePort();
  const args = [
    ...["-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", `-Djava.io.tmpdir=${folder}`],
    ...["-Dquarkus.http.host=127.0.0.1", `-Dquarkus.http.port=${port}`, "-jar", join(program, jar)],
  ];
  const java = new JavaProcess({ name: "registry", folder, args });
  const proxies: Server[] = [];
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`;
  const start = async () => {
    await java.start();
    await java.until(async () => (await fetch(`${url}/subjects`)).ok);
  };
  try {
    await start();
  } catch (cause) {
    watchdog.trigger();
    throw cause;
  }
  return {
    url,
    async protectedUrl(username, password) {
      const proxy = await startProxy(port, `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`);
      proxies.push(proxy.server);
      return `http://127.0.0.1:${proxy.port}/apis/ccompat/v7`;
    },
    kill9: () => java.kill9(),
    start,
    async remove() {
      for (const proxy of proxies) proxy.close();
      await java.kill9();
      await rm(folder, { recursive: true, force: true });
      watchdog.release();
    },
  };
}

async function startProxy(target: number, authorization: string): Promise<{ server: Server; port: number }> {
  const port = await freePort();
  const server = createServer((incoming, outgoing) => {
    if (incoming.headers.authorization !== authorization) {
      outgoing
        .writeHead(401, { "content-type": "application/json" })
        .end(JSON.stringify({ error_code: 401, message: "Unauthorized" }));
      return;
    }
    const { method, url, headers } = incoming;
    const onward = request({ host: "127.0.0.1", port: target, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", (cause) => outgoing.writeHead(502).end(String(cause)));
    incoming.pipe(onward);
  });
  await new Promise<void>((settle) => server.listen(port, "127.0.0.1", settle));
  server.unref();
  return { server, port };
}
