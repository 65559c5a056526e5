#!/usr/bin/env node
import { connect } from "node:net";
import { grpc, services } from "./plugin/pulumiModules.js";
import { PluginProvider } from "./plugin.js";

/** Messages may hold a whole program's inputs: Pulumi's own limit. */
const LARGEST_MESSAGE_BYTES = 400 * 1024 * 1024;
const WATCH_MILLISECONDS = 5000;
/** Pulumi kills a plugin five seconds after it asked it to end; what is on its way is answered before. */
const GRACE_MILLISECONDS = 4000;

/**
 * pulumi-resource-godwit: what the Pulumi CLI starts for `godwit` resources. Serves on a port of the loopback interface, which it prints
 * as its first and only line, until it is asked to end or the CLI is gone. The address of the CLI's engine is its argument; without one it
 * waits to be attached to (PULUMI_DEBUG_PROVIDERS=godwit:<port>).
 */
async function main(): Promise<void> {
  const provider = new PluginProvider(process.argv.slice(2).find((argument) => !argument.startsWith("-")));
  const server = new grpc.Server({
    "grpc.max_receive_message_length": LARGEST_MESSAGE_BYTES,
    "grpc.max_send_message_length": LARGEST_MESSAGE_BYTES,
  });
  server.addService(services.ResourceProviderService as unknown as Parameters<typeof server.addService>[0], provider.service());
  const port = await new Promise<number>((resolve, reject) => {
    const credentials = grpc.ServerCredentials.createInsecure();
    server.bindAsync("127.0.0.1:0", credentials, (cause, bound) => (cause ? reject(cause) : resolve(bound)));
  });
  process.stdout.write(`${port}\n`);

  let ending = false;
  const end = async () => {
    if (ending) return;
    ending = true;
    provider.operations.cancel();
    const grace = new Promise((resolve) => setTimeout(resolve, GRACE_MILLISECONDS));
    await Promise.race([provider.operations.idle(), grace]);
    server.tryShutdown(() => process.exit(0));
    setTimeout(() => process.exit(0), 500);
  };
  for (const name of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(name, () => void end());
  // Nobody reads what is printed when the CLI is gone, and a broken pipe must not end a wait in the middle.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  watchEngine(
    () => provider.engineAddress,
    () => void end(),
  );
}

/** A CLI that was killed asks nobody to end. Two refused connections in a row mean that it is gone. */
function watchEngine(address: () => string | undefined, gone: () => void): void {
  let refused = 0;
  setInterval(() => {
    const [host, port] = address()?.split(/:(?=\d+$)/) ?? [];
    if (host === undefined || port === undefined) return;
    const socket = connect({ host, port: Number(port) });
    socket.setTimeout(WATCH_MILLISECONDS, () => socket.destroy());
    socket.on("connect", () => {
      refused = 0;
      socket.destroy();
    });
    socket.on("error", () => {
      refused++;
      if (refused >= 2) gone();
    });
  }, WATCH_MILLISECONDS).unref();
}

main().catch((cause: unknown) => {
  console.error(cause instanceof Error ? cause.message : String(cause));
  process.exit(1);
});
