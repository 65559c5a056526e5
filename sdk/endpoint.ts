import { all, type CustomResourceOptions, dynamic, type Output } from "@pulumi/pulumi";
import type { EndpointOutputs } from "../provider/contract/types.js";
import type { ConnectionArgs, EndpointArgs } from "./args.js";
import { withSecrets } from "./secrets.js";
import { shim } from "./shim.js";

const provider = shim("Endpoint");

/** A registered, verified connection to a database: creating one connects and checks. */
export class Endpoint extends dynamic.Resource {
  declare readonly engine: Output<EndpointOutputs["engine"]>;
  declare readonly hosts: Output<EndpointOutputs["hosts"]>;
  declare readonly username: Output<EndpointOutputs["username"]>;
  declare readonly password: Output<EndpointOutputs["password"]>;
  declare readonly databaseName: Output<EndpointOutputs["databaseName"]>;
  declare readonly ssl: Output<EndpointOutputs["ssl"]>;
  declare readonly oracle: Output<EndpointOutputs["oracle"]>;
  declare readonly kafka: Output<EndpointOutputs["kafka"]>;
  declare readonly environmentTag: Output<EndpointOutputs["environmentTag"]>;
  declare readonly serverVersion: Output<EndpointOutputs["serverVersion"]>;
  declare readonly serverId: Output<EndpointOutputs["serverId"]>;
  declare readonly encoding: Output<EndpointOutputs["encoding"]>;
  declare readonly timeZone: Output<EndpointOutputs["timeZone"]>;
  declare readonly superuser: Output<EndpointOutputs["superuser"]>;

  readonly #inputs: ConnectionArgs;

  constructor(name: string, args: EndpointArgs, opts?: CustomResourceOptions) {
    const inputs = withSecrets(args);
    const outputs = {
      serverVersion: undefined,
      serverId: undefined,
      encoding: undefined,
      timeZone: undefined,
      superuser: undefined,
    };
    super(provider, name, { ...outputs, ...inputs }, opts, "godwit", "Endpoint");
    this.#inputs = inputs;
  }

  /**
   * The fields that another resource takes for an endpoint. They are the inputs, so that a preview knows them, tied to this resource
   * through its URN, so that nothing connects before it was verified.
   */
  asConnection(): ConnectionArgs {
    const hosts = all([this.#inputs.hosts, this.urn]).apply(([own]) => own);
    return { ...this.#inputs, hosts };
  }
}
