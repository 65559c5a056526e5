import type { PolardbTraits } from "./traits.js";

/** Forms that every server of the family reads as well as writes, whatever its users set. */
const TEXT_FORMATS: readonly (readonly [RegExp, string])[] = [
  [/^nls_date_format$/, "YYYY-MM-DD HH24:MI:SS"],
  [/^nls_timestamp_format$/, "YYYY-MM-DD HH24:MI:SS.FF"],
  [/^nls_timestamp_?tz_format$/, "YYYY-MM-DD HH24:MI:SS.FF TZH:TZM"],
];

/**
 * What our sessions of a PolarDB server set beside PostgreSQL's own settings. The text form of its dates follows NLS formats rather than DateStyle
 * (its JDBC driver resets them for the same reason): one that leaves out the time or the century would lose it on the way.
 */
export function sourceSettings(traits: PolardbTraits): Readonly<Record<string, string>> {
  return Object.fromEntries(
    traits.textFormats.flatMap((name) => {
      const format = TEXT_FORMATS.find(([pattern]) => pattern.test(name))?.[1];
      return format === undefined ? [] : [[name, format]];
    }),
  );
}

/** And what those of a target set: DATE in a statement of ours is the type it says. */
export function targetSettings(traits: PolardbTraits): Readonly<Record<string, string>> {
  return {
    ...sourceSettings(traits),
    ...(traits.date === "translated" && traits.dateKept ? { polar_comp_redwood_date: "off" } : {}),
  };
}
