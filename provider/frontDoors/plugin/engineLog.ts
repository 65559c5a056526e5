import type { Log } from "../../resources/resource.js";
import { engineMessages, engineServices, grpc } from "./pulumiModules.js";

/** An engine that is gone must not hold an operation back. */
const PATIENCE_MILLISECONDS = 5000;

/** The CLI that runs the plugin. What is said to it shows beside the resource; what a plugin prints is shown to nobody. */
export class Engine {
  readonly #client: InstanceType<typeof engineServices.EngineClient>;
  #said: Promise<void> = Promise.resolve();

  constructor(readonly address: string) {
    this.#client = new engineServices.EngineClient(address, grpc.credentials.createInsecure());
  }

  /** Messages that belong to the resource. They arrive in order, and never fail the operation that has something to say. */
  logOf(urn: string): Log {
    const { INFO, WARNING } = engineMessages.LogSeverity;
    return {
      info: (message) => this.#send(urn, INFO, message, false),
      warn: (message) => this.#send(urn, WARNING, message, false),
      // Pulumi shows such a line while the operation runs, in the place of the one before, and not among the diagnostics at the end.
      status: (message) => this.#send(urn, INFO, message, true),
    };
  }

  /** Settles when all that was said has arrived: what comes after an operation's answer may be shown no more. */
  heard(): Promise<void> {
    return this.#said;
  }

  close(): void {
    this.#client.close();
  }

  #send(urn: string, severity: 0 | 1 | 2 | 3, message: string, ephemeral: boolean): void {
    const request = new engineMessages.LogRequest();
    request.setUrn(urn).setSeverity(severity).setMessage(message).setEphemeral(ephemeral);
    const options = { deadline: Date.now() + PATIENCE_MILLISECONDS };
    this.#said = this.#said.then(
      () => new Promise((resolve) => this.#client.log(request, new grpc.Metadata(), options, () => resolve())),
    );
  }
}

/** Before an engine has said where it is (a test's client may never). */
export const SILENT: Log = { info: () => undefined, warn: () => undefined, status: () => undefined };
