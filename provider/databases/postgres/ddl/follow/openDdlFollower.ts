import { ddlOperations } from "../../../../engine/plan.js";
import { postgresDdl } from "../emit/ddlDialect.js";
import { DdlFollower, type FollowerOptions } from "./ddlFollower.js";
import { FollowedNames } from "./followedNames.js";

export interface OpenOptions extends Omit<FollowerOptions, "dialect" | "catalog"> {
  /** The target's server_version_num. */
  readonly version: number;
}

/** Asks the source for its catalog where texts may have to be rewritten to other names: the program's, or older ones that stay. */
export async function openDdlFollower({ version, ...options }: OpenOptions): Promise<DdlFollower> {
  const { following } = options;
  const { objects, capitalization } = following.options;
  const { renames } = new FollowedNames({ ...(objects ? { objects } : {}), ...(capitalization ? { capitalization } : {}) });
  const own = ddlOperations(following.options.operations?.ddl, following.publication);
  const renamesFollow = own.rename && options.tables.every(({ table }) => table.ddl?.rename !== false);
  return new DdlFollower({
    ...options,
    dialect: (following.dialect ?? ((number) => postgresDdl(Math.floor(number / 10_000))))(version),
    catalog: renames || !renamesFollow ? await following.readCatalog() : undefined,
  });
}
