import { isDeepStrictEqual } from "node:util";
import type { ServerUnaryCall, sendUnaryData, UntypedServiceImplementation } from "@grpc/grpc-js";
import type * as protocol from "@pulumi/pulumi/proto/provider_pb.js";
// biome-ignore lint/correctness/useImportExtensions: the rule knows no JSON
import schema from "../../schema.json";
import { ErrorCode, GodwitError } from "../engine/errors.js";
import { type ResourceType, resourceOf } from "../resources/index.js";
import { type CheckFailure, type Context, InitializationFailed } from "../resources/resource.js";
import { checkedInputs, type Properties } from "./checkedInputs.js";
import { answerError, PartlyMade } from "./plugin/answerError.js";
import { configurationFailures, configurationSecrets, configured } from "./plugin/configuration.js";
import { diffAnswer } from "./plugin/diffAnswer.js";
import { Engine, SILENT } from "./plugin/engineLog.js";
import { importedInputs, importedState } from "./plugin/importedState.js";
import { Operations } from "./plugin/operations.js";
import { inputsAmong, previewed, withDoorOutputs, withoutDoorOutputs } from "./plugin/outputs.js";
import { Empty, messages, pluginMessages, type StructMessage } from "./plugin/pulumiModules.js";
import { bothMasks, contractSecrets, mayPrint, type SecretMask } from "./plugin/secretMask.js";
import { declarationOf, resourceTypeOf } from "./plugin/urn.js";
import { decoded, encoded } from "./plugin/wireValues.js";

/**
 * The door for programs of every language: Pulumi's ResourceProvider service over the same resources as dynamic.ts. It adds what
 * dynamic providers are not told of: previews, URNs, configuration, time limits, cancellation and imports.
 */
export class PluginProvider {
  readonly operations = new Operations();
  #engine: Engine | undefined;
  #configuration = configured({});

  constructor(engineAddress: string | undefined) {
    this.attach(engineAddress);
  }

  get engineAddress(): string | undefined {
    return this.#engine?.address;
  }

  /** What grpc calls; methods that are left out are answered with UNIMPLEMENTED, which Pulumi knows what to do about. */
  service(): UntypedServiceImplementation {
    return {
      handshake: answering((request: protocol.ProviderHandshakeRequest) => {
        this.attach(request.getEngineAddress());
        return new messages.ProviderHandshakeResponse().setAcceptSecrets(true);
      }),
      attach: answering((request: { getAddress(): string }) => {
        this.attach(request.getAddress());
        return new Empty();
      }),
      getPluginInfo: answering(() => new pluginMessages.PluginInfo().setVersion(schema.version)),
      getSchema: answering((request: protocol.GetSchemaRequest) => {
        if (request.getVersion() !== 0) throw new GodwitError(ErrorCode.InvalidInput, "only version 0 of schemas is known");
        return new messages.GetSchemaResponse().setSchema(JSON.stringify(schema));
      }),
      checkConfig: answering((request: protocol.CheckRequest) => {
        const { values, secrets } = decoded(request.getNews());
        return checkAnswer(values, bothMasks(secrets, configurationSecrets(values)), configurationFailures(values));
      }),
      diffConfig: answering((request: protocol.DiffRequest) => {
        const same = isDeepStrictEqual(decoded(request.getOlds()).values, decoded(request.getNews()).values);
        const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
        // No setting makes another provider of it, whose resources would all be replaced.
        return new messages.DiffResponse().setChanges(same ? DIFF_NONE : DIFF_SOME);
      }),
      configure: answering((request: protocol.ConfigureRequest) => {
        this.#configuration = configured(decoded(request.getArgs()).values);
        return new messages.ConfigureResponse().setAcceptsecrets(true).setSupportspreview(true);
      }),
      check: answering((request: protocol.CheckRequest) => this.#check(request)),
      diff: answering((request: protocol.DiffRequest) => {
        const type = resourceTypeOf(request.getUrn());
        const olds = withoutDoorOutputs(type, decoded(request.getOlds()).values);
        return diffAnswer(resourceOf(type).diff(olds, decoded(request.getNews()).values));
      }),
      create: answering((request: protocol.CreateRequest) => this.#create(request)),
      read: answering((request: protocol.ReadRequest) => this.#read(request)),
      update: answering((request: protocol.UpdateRequest) => this.#update(request)),
      delete: answering(async (request: protocol.DeleteRequest) => {
        const type = resourceTypeOf(request.getUrn());
        const outputs = withoutDoorOutputs(type, decoded(request.getProperties()).values);
        await this.#run(request, (context) => resourceOf(type).delete(request.getId(), outputs, context));
        return new Empty();
      }),
      cancel: answering(() => {
        this.operations.cancel();
        return new Empty();
      }),
    };
  }

  attach(engineAddress: string | undefined): void {
    if (!engineAddress || engineAddress === this.engineAddress) return;
    this.#engine?.close();
    this.#engine = new Engine(engineAddress);
  }

  #check(request: protocol.CheckRequest): protocol.CheckResponse {
    const type = resourceTypeOf(request.getUrn());
    const { values, secrets } = decoded(request.getNews());
    const { smtp } = this.#configuration;
    const declaration = { ...declarationOf(request.getUrn()), ...(smtp ? { smtp } : {}) };
    const given = resourceOf(type).declared?.(values, declaration) ?? values;
    const { inputs, failures } = checkedInputs(type, given, (name) => mayPrint(type, name, secrets));
    return checkAnswer(inputs, bothMasks(secrets, contractSecrets(type, inputs)), failures);
  }

  async #create(request: protocol.CreateRequest): Promise<protocol.CreateResponse> {
    const type = resourceTypeOf(request.getUrn());
    const { values: inputs, secrets } = decoded(request.getProperties());
    const resource = resourceOf(type);
    const answer = new messages.CreateResponse();
    if (request.getPreview()) return answer.setProperties(outputsOf(type, secrets)(previewed(type, resource, inputs, undefined)));
    const encode = outputsOf(type, secrets);
    const { id, outputs } = await this.#run(request, (context) => resource.create(inputs, context), encode);
    return answer.setId(id).setProperties(encode(outputs));
  }

  async #update(request: protocol.UpdateRequest): Promise<protocol.UpdateResponse> {
    const type = resourceTypeOf(request.getUrn());
    const { values: inputs, secrets } = decoded(request.getNews());
    const olds = withoutDoorOutputs(type, decoded(request.getOlds()).values);
    const resource = resourceOf(type);
    const encode = outputsOf(type, secrets);
    const answer = new messages.UpdateResponse();
    if (request.getPreview()) return answer.setProperties(encode(previewed(type, resource, inputs, olds)));
    const outputs = await this.#run(request, (context) => resource.update(request.getId(), olds, inputs, context), encode);
    return answer.setProperties(encode(outputs));
  }

  async #read(request: protocol.ReadRequest): Promise<protocol.ReadResponse> {
    const type = resourceTypeOf(request.getUrn());
    const { values, secrets } = decoded(request.getProperties());
    const given = decoded(request.getInputs());
    const both = bothMasks(secrets, given.secrets);
    const answer = new messages.ReadResponse();
    const id = request.getId();
    const fill = (id: string, outputs: object, inputs: object) =>
      answer.setId(id).setProperties(outputsOf(type, both)(outputs)).setInputs(inputsOf(type, both)(inputs));
    if (Object.keys(values).length === 0) {
      const found = await this.#run(request, (context) => importedState(type, id, this.#configuration, context));
      return found ? fill(found.id, found.outputs, importedInputs(type, found.outputs)) : answer;
    }
    const olds = withoutDoorOutputs(type, values);
    const outputs = await this.#run(request, (context) => resourceOf(type).read(id, olds, context));
    // Without an id and properties the thing is gone.
    if (!outputs) return answer;
    const inputs = Object.entries(inputsAmong(type, outputs)).filter(([name]) => Object.hasOwn(given.values, name));
    return fill(id, outputs, Object.fromEntries(inputs));
  }

  /** Runs what touches servers: it can be interrupted, and what it says reaches the user. */
  async #run<T>(
    request: { getUrn(): string; getTimeout(): number },
    operation: (context: Context) => Promise<T>,
    encode?: (outputs: object) => StructMessage,
  ): Promise<T> {
    const log = this.#engine?.logOf(request.getUrn()) ?? SILENT;
    try {
      return await this.operations.run(request.getTimeout(), (signal) => operation({ log, signal }));
    } catch (cause) {
      throw encode && cause instanceof InitializationFailed ? new PartlyMade(cause, encode(cause.properties)) : cause;
    } finally {
      await this.#engine?.heard();
    }
  }
}

type Encode = (values: object) => StructMessage;

/** Outputs as a message; secret is what schema.json says, and what came as a secret under the same path of the inputs. */
function outputsOf(type: ResourceType, secrets: SecretMask): Encode {
  return (outputs) => {
    const own = bothMasks(secrets, contractSecrets(type, outputs as Properties));
    return encoded(...withDoorOutputs(type, outputs, own));
  };
}

function inputsOf(type: ResourceType, secrets: SecretMask): Encode {
  return (values) => encoded(values, bothMasks(secrets, contractSecrets(type, values as Properties)));
}

function checkAnswer(inputs: Properties, secrets: SecretMask, failures: readonly CheckFailure[]): protocol.CheckResponse {
  const answer = new messages.CheckResponse().setInputs(encoded(inputs, secrets));
  const found = failures.map(({ property, reason }) => new messages.CheckFailure().setProperty(property).setReason(reason));
  return answer.setFailuresList(found);
}

function answering<Request, Response>(answer: (request: Request) => Promise<Response> | Response) {
  return (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): void => {
    Promise.resolve(call.request)
      .then(answer)
      .then(
        (response) => callback(null, response),
        (cause: unknown) => callback(answerError(cause), null),
      );
  };
}
