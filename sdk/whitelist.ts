import { type CustomResourceOptions, dynamic, type Output } from "@pulumi/pulumi";
import type { WhitelistOutputs } from "../provider/contract/types.js";
import type { WhitelistArgs } from "./args.js";
import { connection } from "./connection.js";
import { shim } from "./shim.js";

const provider = shim("Whitelist");

/** One marked block of lines in a PostgreSQL server's pg_hba.conf. */
export class Whitelist extends dynamic.Resource {
  declare readonly endpoint: Output<WhitelistOutputs["endpoint"]>;
  declare readonly name: Output<WhitelistOutputs["name"]>;
  declare readonly cidrs: Output<WhitelistOutputs["cidrs"]>;
  declare readonly databases: Output<WhitelistOutputs["databases"]>;
  declare readonly usernames: Output<WhitelistOutputs["usernames"]>;
  declare readonly connectionType: Output<WhitelistOutputs["connectionType"]>;
  declare readonly authMethod: Output<WhitelistOutputs["authMethod"]>;
  declare readonly allowAnyAddress: Output<WhitelistOutputs["allowAnyAddress"]>;
  declare readonly file: Output<WhitelistOutputs["file"]>;
  declare readonly rules: Output<WhitelistOutputs["rules"]>;

  constructor(name: string, args: WhitelistArgs, opts?: CustomResourceOptions) {
    const outputs = {
      databases: undefined,
      usernames: undefined,
      connectionType: undefined,
      authMethod: undefined,
      allowAnyAddress: undefined,
      file: undefined,
      rules: undefined,
    };
    const inputs = { ...args, endpoint: connection(args.endpoint) };
    super(provider, name, { ...outputs, ...inputs }, opts, "godwit", "Whitelist");
  }
}
