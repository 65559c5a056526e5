import { createServer, type IncomingMessage } from "node:http";

export interface Received {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Readonly<Record<string, unknown>>;
}

/** A webhook on 127.0.0.1. `answer` says what a request gets, by how many came before; "hang": nothing, ever. */
export interface Webhook {
  readonly port: number;
  readonly url: string;
  /** Those that were answered with 2xx. */
  readonly received: readonly Received[];
  readonly asked: number;
  close(): Promise<void>;
}

export async function startWebhook(answer: (index: number) => number | "hang" = () => 204): Promise<Webhook> {
  const received: Received[] = [];
  let asked = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const status = answer(asked++);
      if (status === "hang") return;
      const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Received["body"];
      if (status < 300) received.push({ path: request.url ?? "", headers: request.headers, body });
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    port,
    url: `http://127.0.0.1:${port}/hook?token=hook-secret`,
    received,
    get asked() {
      return asked;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
