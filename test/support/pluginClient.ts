import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import * as grpc from "@grpc/grpc-js";
import * as engineServices from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import type { LogRequest } from "@pulumi/pulumi/proto/engine_pb.js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import * as messages from "@pulumi/pulumi/proto/provider_pb.js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import { REPOSITORY } from "./pulumiProject.js";

export const SIGNATURE = "4dabf18193072939515e22adb298388d";
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** A value as Pulumi sends and gets one that is secret. */
export function secret(value: unknown): object {
  return { [SIGNATURE]: "1b47061264138c4ac30d75fd1eb44270", value };
}

export type Values = Record<string, unknown>;

/** The plugin's process, from dist, and what the engine would ask of it: an engine without Pulumi around it. */
export interface PluginClient {
  readonly process: ChildProcess;
  /** What the plugin said to the engine. */
  readonly said: readonly { readonly message: string; readonly urn: string; readonly ephemeral: boolean }[];
  readonly raw: ResourceProviderClient;
  checkConfig(news: Values): Promise<{ inputs: Values; failures: { property: string; reason: string }[] }>;
  diffConfig(olds: Values, news: Values): Promise<messages.DiffResponse.AsObject>;
  configure(args: Values): Promise<void>;
  check(type: string, news: Values): Promise<{ inputs: Values; failures: { property: string; reason: string }[] }>;
  diff(type: string, olds: Values, news: Values): Promise<messages.DiffResponse.AsObject>;
  create(
    type: string,
    inputs: Values,
    options?: { preview?: boolean; timeout?: number },
  ): Promise<{ id: string; outputs: Values }>;
  update(type: string, olds: Values, news: Values, options?: { preview?: boolean }): Promise<Values>;
  read(
    type: string,
    id: string,
    outputs: Values,
    inputs: Values,
  ): Promise<{ id: string; outputs: Values | undefined; inputs: Values }>;
  delete(type: string, id: string, outputs: Values): Promise<void>;
  cancel(): Promise<void>;
  /** Ends the engine, as a CLI that is killed does. */
  endEngine(): void;
  /** Ends both. */
  close(): Promise<void>;
}

export async function startPlugin(environment: Readonly<Record<string, string>> = {}): Promise<PluginClient> {
  const said: { message: string; urn: string; ephemeral: boolean }[] = [];
  const engine = new grpc.Server();
  engine.addService(engineServices.EngineService as unknown as grpc.ServiceDefinition, {
    log: (call: grpc.ServerUnaryCall<LogRequest, Empty>, callback: grpc.sendUnaryData<Empty>) => {
      const { message, urn, ephemeral } = call.request.toObject();
      said.push({ message, urn, ephemeral });
      callback(null, new Empty());
    },
  });
  const enginePort = await promisify(engine.bindAsync.bind(engine))("127.0.0.1:0", grpc.ServerCredentials.createInsecure());
  const script = join(REPOSITORY, "dist/provider/frontDoors/pluginProcess.js");
  const child = spawn(process.execPath, [script, `127.0.0.1:${enginePort}`], { env: { ...process.env, ...environment } });
  let complaints = "";
  child.stderr.on("data", (text: Buffer) => {
    complaints += text.toString();
  });
  const died = once(child, "exit").then(() => Promise.reject(new Error(`the plugin did not start: ${complaints}`)));
  const [line] = (await Promise.race([once(child.stdout, "data"), died])) as [Buffer];
  died.catch(() => undefined);
  const raw = new ResourceProviderClient(`127.0.0.1:${Number(line.toString())}`, grpc.credentials.createInsecure());
  const urn = (type: string) => `urn:pulumi:dev::project::godwit:index:${type}::thing`;
  const client: PluginClient = {
    process: child,
    said,
    raw,
    async checkConfig(news) {
      const request = new messages.CheckRequest().setNews(struct(news));
      const answer = await answered<messages.CheckResponse>((done) => raw.checkConfig(request, done));
      return { inputs: values(answer.getInputs()), failures: answer.getFailuresList().map((failure) => failure.toObject()) };
    },
    async diffConfig(olds, news) {
      const request = new messages.DiffRequest().setOlds(struct(olds)).setNews(struct(news));
      return (await answered<messages.DiffResponse>((done) => raw.diffConfig(request, done))).toObject();
    },
    async configure(args) {
      await answered((done) => raw.configure(new messages.ConfigureRequest().setArgs(struct(args)), done));
    },
    async check(type, news) {
      const answer = await answered<messages.CheckResponse>((done) =>
        raw.check(new messages.CheckRequest().setUrn(urn(type)).setNews(struct(news)), done),
      );
      return { inputs: values(answer.getInputs()), failures: answer.getFailuresList().map((failure) => failure.toObject()) };
    },
    async diff(type, olds, news) {
      const request = new messages.DiffRequest().setUrn(urn(type)).setId("id").setOlds(struct(olds)).setNews(struct(news));
      return (await answered<messages.DiffResponse>((done) => raw.diff(request, done))).toObject();
    },
    async create(type, inputs, { preview = false, timeout = 0 } = {}) {
      const request = new messages.CreateRequest().setUrn(urn(type)).setProperties(struct(inputs));
      const answer = await answered<messages.CreateResponse>((done) =>
        raw.create(request.setPreview(preview).setTimeout(timeout), done),
      );
      return { id: answer.getId(), outputs: values(answer.getProperties()) };
    },
    async update(type, olds, news, { preview = false } = {}) {
      const request = new messages.UpdateRequest().setUrn(urn(type)).setId("id").setOlds(struct(olds)).setNews(struct(news));
      const answer = await answered<messages.UpdateResponse>((done) => raw.update(request.setPreview(preview), done));
      return values(answer.getProperties());
    },
    async read(type, id, outputs, inputs) {
      const request = new messages.ReadRequest()
        .setUrn(urn(type))
        .setId(id)
        .setProperties(struct(outputs))
        .setInputs(struct(inputs));
      const answer = await answered<messages.ReadResponse>((done) => raw.read(request, done));
      return {
        id: answer.getId(),
        outputs: answer.hasProperties() ? values(answer.getProperties()) : undefined,
        inputs: values(answer.getInputs()),
      };
    },
    async delete(type, id, outputs) {
      await answered((done) =>
        raw.delete(new messages.DeleteRequest().setUrn(urn(type)).setId(id).setProperties(struct(outputs)), done),
      );
    },
    async cancel() {
      await answered((done) => raw.cancel(new Empty(), done));
    },
    endEngine: () => engine.forceShutdown(),
    async close() {
      engine.forceShutdown();
      raw.close();
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
  return client;
}

function answered<R>(send: (done: (cause: grpc.ServiceError | null, response: R) => void) => unknown): Promise<R> {
  return new Promise((resolve, reject) => send((cause, response) => (cause ? reject(cause) : resolve(response))));
}

function struct(given: Values): Struct {
  return Struct.fromJavaScript(given as Record<string, JavaScriptValue>);
}

function values(message: Struct | undefined): Values {
  return (message?.toJavaScript() ?? {}) as Values;
}
