import { ErrorCode, GodwitError } from "../../../engine/errors.js";
import type { QualifiedName } from "../../../engine/models/catalog.js";
import { resolvePlan } from "../../../engine/plan.js";
import type { TaskSelection } from "../../../engine/taskDefinition.js";
import type { OracleCatalog } from "../catalog/model.js";
import { ConversionContext } from "../convert/convertDdl.js";
import type { DdlChange } from "../logMiner/emitTransaction.js";
import { knownObjects } from "../schema/knownObjects.js";
import { type ConvertedChange, convertStatement } from "./convertStatement.js";
import { optionsOf } from "./ddlScope.js";
import { structureStops } from "./ddlStops.js";
import type { NamesOnTarget } from "./ddlText.js";

export interface ChangeConversionOptions {
  readonly selection: TaskSelection | undefined;
  readonly readCatalog: () => Promise<OracleCatalog>;
  readonly postgis: boolean;
}

/** The source's statements as the target's, one behind the other: what the converter has to know of other objects is read once, and each statement adds to it. */
export class ChangeConversion {
  private known: Promise<ConversionContext> | undefined;

  constructor(
    private readonly options: ChangeConversionOptions,
    private readonly names: NamesOnTarget,
  ) {}

  async of(change: DdlChange): Promise<ConvertedChange> {
    this.known ??= this.readKnown();
    return convertStatement(change, this.names, await this.known);
  }

  /** Of a table's structure; nothing where PostgreSQL has nothing to be told. Errors: GW1502. */
  async ofTable(change: DdlChange, table: QualifiedName): Promise<readonly string[]> {
    const { statements, skipped } = await this.of(change);
    const [refused] = skipped;
    if (refused) throw structureStops(change, table, refused.reason);
    return statements.flatMap(({ sql }) => sql);
  }

  private async readKnown(): Promise<ConversionContext> {
    const { readCatalog, selection, postgis } = this.options;
    const catalog = await readCatalog();
    try {
      return await knownObjects(catalog, resolvePlan(catalog, optionsOf(selection?.options ?? {})), { postgis });
    } catch (cause) {
      // Two objects that would share a name are a matter of the next plan; most statements need no knowledge of others.
      if (!(cause instanceof GodwitError) || cause.code !== ErrorCode.NameConflict) throw cause;
      return new ConversionContext({ postgis });
    }
  }
}
