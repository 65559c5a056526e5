import type { Ends } from "../../engine/models/endpoint.js";
import type { RouteKind } from "../../engine/routeKind.js";
import { withConnection } from "../postgres/connection.js";
import { postgresDdl } from "../postgres/ddl/emit/ddlDialect.js";
import type { SourceDialect, TargetDialect } from "../postgres/dialect.js";
import { familyRoute } from "../postgres/familyRoute.js";
import { askSource, askTarget, type PolardbEnd } from "./endpoint.js";
import { polardbPairChecks } from "./precheck/pairChecks.js";
import { differingTypes, withSafeForms } from "./representation.js";
import { type ConvertType, convertDates, toPostgresType } from "./schema/types.js";

/**
 * A route with PolarDB O at one end or both: the family's, in sessions that suit the two servers, with values in forms that both read alike, and with
 * what only both ends together show.
 */
export function polardbRoute(from: SourceDialect, to: TargetDialect): RouteKind {
  const between = (pair: Pair): RouteKind => familyRoute(safeSource(from, pair), convertingTarget(to, pair));
  return {
    ...familyRoute(from, to),
    async plan(ends, definition, options, known) {
      const pair = await askBoth(ends, definition.taskId);
      const planned = await between(pair).plan(pair.ends, definition, options, known);
      const prechecks = await withConnection(
        pair.ends.source,
        { applicationName: `godwit/${definition.taskId}/plan` },
        (source) =>
          polardbPairChecks(
            source,
            { source: pair.source.traits, target: pair.target.traits },
            planned.plan.tables,
            planned.prechecks,
          ),
      );
      return { ...planned, prechecks };
    },
    async open(ends, definition) {
      const pair = await askBoth(ends, definition.taskId);
      return between(pair).open(pair.ends, definition);
    },
  };
}

interface Pair {
  readonly ends: Ends;
  readonly source: PolardbEnd;
  readonly target: PolardbEnd;
}

/** Asks both servers what they are. Their endpoints get the settings that our sessions there need. */
async function askBoth({ source, target }: Ends, taskId: string): Promise<Pair> {
  const from = await askSource(source, `godwit/${taskId}/ask`);
  const to = await askTarget(target, `godwit/${taskId}/ask`);
  return { ends: { source: from.endpoint, target: to.endpoint }, source: from, target: to };
}

function safeSource(from: SourceDialect, { source, target }: Pair): SourceDialect {
  const differ = differingTypes(source, target);
  if (differ.size === 0) return from;
  return {
    ...from,
    async readCatalog(client) {
      const catalog = await from.readCatalog(client);
      return { ...catalog, tables: withSafeForms(catalog.tables, differ) };
    },
  };
}

/** Changes of structure get the types that the schema phase gave. */
function convertingTarget(to: TargetDialect, { source, target }: Pair): TargetDialect {
  const dates = convertDates(source.traits, target.traits);
  const convert: ConvertType = (type) =>
    (target.traits.compatible === "oracle" ? undefined : toPostgresType(type)) ?? dates(type);
  const plain = (version: number) => postgresDdl(Math.floor(version / 10_000));
  const compare = {
    emptyIsNull: source.traits.emptyStringIsNull !== target.traits.emptyStringIsNull,
    datesDiffer: (source.traits.date === "withTime") !== (target.traits.date === "withTime"),
  };
  return { ...to, compare, ddl: (version) => ({ ...(to.ddl ?? plain)(version), type: (type) => convert(type) ?? type }) };
}
