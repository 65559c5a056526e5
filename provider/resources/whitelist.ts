import { isAnyAddress } from "../contract/addresses.js";
import type { HbaAuthMethod, HbaConnectionType, WhitelistInputs, WhitelistOutputs } from "../contract/types.js";
import { type HbaRules, hbaLines, hbaRules, readBlock, withBlock, withoutBlock } from "../databases/postgres/hbaBlock.js";
import { editHbaFile, type HbaFile, readHbaFile } from "../databases/postgres/hbaFile.js";
import { ErrorCode, GodwitError } from "../engine/errors.js";
import { foundOtherwise, inputDiff } from "./inputDiff.js";
import type { Log, Resource } from "./resource.js";
import { atEnd } from "./unreachableEnd.js";

/** Inputs that are filled in from the endpoint and the server when they are left out. */
const COMPUTED = ["databases", "usernames", "connectionType"] as const;

/** One marked block of lines in a server's pg_hba.conf. */
export const whitelist: Resource<WhitelistInputs, WhitelistOutputs> = {
  diff(olds, news) {
    const { changed, replaces, details } = inputDiff("Whitelist", olds, news, COMPUTED);
    const byHand = drifted(olds);
    return {
      changes: changed.length > 0 || byHand,
      replaces,
      // Under the same name on the same server, the old one's removal would take the new one's block away.
      deleteBeforeReplace: true,
      details: byHand ? [...details, foundOtherwise("rules")] : details,
    };
  },

  computed: COMPUTED,

  preview: (inputs, olds) => ({ ...inputs, ...(olds?.file ? { file: olds.file } : {}) }),

  async create(inputs, { log }) {
    const outputs = await converge(inputs, log);
    return { id: inputs.name, outputs };
  },

  async read(_id, outputs, { log }) {
    const file = await readHbaFile(outputs.endpoint);
    const rules = readBlock(file.text, outputs.name);
    if (!rules) {
      log.warn(`the block "${outputs.name}" is gone from ${file.path}`);
      return undefined;
    }
    const current = { ...outputs, file: file.path, rules };
    if (drifted(current)) log.warn(`lines of the block "${outputs.name}" in ${file.path} were changed by hand`);
    return current;
  },

  update(_id, _olds, news, { log }) {
    return converge(news, log);
  },

  async delete(_id, { endpoint, name }, { log }) {
    // Whether the endpoint is still let in afterwards is for the lines to say that were there before.
    const remove = (from: WhitelistOutputs["endpoint"]) =>
      editHbaFile(from, { name, change: ({ text }) => withoutBlock(text, name), mustHold: false });
    await atEnd(`block "${name}" in pg_hba.conf`, log, () =>
      remove(endpoint).catch((cause: unknown) => {
        // The file is the server's, and outlives the endpoint's database.
        if (!(cause instanceof GodwitError && cause.code === ErrorCode.DatabaseMissing)) throw cause;
        return remove({ ...endpoint, databaseName: "postgres" });
      }),
    );
  },

  imports: {
    connections: ["connection"],
    thing: "block",
    async find([endpoint], name) {
      const file = endpoint && (await readHbaFile(endpoint));
      const lines = file && readBlock(file.text, name);
      if (!endpoint || !lines) return undefined;
      const rules = hbaRules(lines);
      if (!rules) {
        throw new GodwitError(ErrorCode.HbaBlockBroken, "the block's lines are not such as a Whitelist writes", {
          object: name,
          remedy: "remove the block and declare the Whitelist; or give its lines the same type, databases, users and method",
        });
      }
      const allowAnyAddress = rules.cidrs.some(isAnyAddress);
      const [connectionType, authMethod] = [rules.connectionType as HbaConnectionType, rules.authMethod as HbaAuthMethod];
      return {
        id: name,
        outputs: { endpoint, name, ...rules, connectionType, authMethod, allowAnyAddress, file: file.path, rules: lines },
      };
    },
  },
};

async function converge(inputs: WhitelistInputs, log: Log): Promise<WhitelistOutputs> {
  const wide = inputs.cidrs.filter(isAnyAddress);
  if (wide.length > 0) log.warn(`${wide.join(" and ")} lets every address there is try to connect`);
  const file = await editHbaFile(inputs.endpoint, {
    name: inputs.name,
    change: (before) => withBlock(before.text, inputs.name, hbaLines(resolved(inputs, before))),
    mustHold: true,
  });
  const rules = resolved(inputs, file);
  log.info(`block "${inputs.name}" with ${inputs.cidrs.length} address range(s) is in force in ${file.path}`);
  return { ...inputs, ...rules, file: file.path, rules: hbaLines(rules) };
}

type Resolved = HbaRules & Required<Pick<WhitelistInputs, "databases" | "usernames" | "connectionType" | "authMethod">>;

function resolved(inputs: WhitelistInputs, file: HbaFile): Resolved {
  return {
    cidrs: inputs.cidrs,
    databases: inputs.databases ?? [inputs.endpoint.databaseName ?? "all", "replication"],
    usernames: inputs.usernames ?? ["all"],
    connectionType: inputs.connectionType ?? (file.ssl ? "hostssl" : "host"),
    authMethod: inputs.authMethod,
  };
}

/** Whether the lines found are not those that the inputs of the same state make. */
function drifted(outputs: WhitelistOutputs): boolean {
  const { cidrs, databases = [], usernames = [], connectionType = "host", authMethod } = outputs;
  const expected = hbaLines({ cidrs, databases, usernames, connectionType, authMethod });
  return expected.length !== outputs.rules.length || expected.some((line, index) => line !== outputs.rules[index]);
}
