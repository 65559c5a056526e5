import type { PgRelation, PgRule, PgTrigger } from "../catalog/model.js";
import { ident } from "../sql.js";
import { type Draft, type SchemaContext, shown } from "./draft.js";
import { type SqlToken, tokenize } from "./sqlTokens.js";

const ENABLE = { O: "ENABLE", D: "DISABLE", R: "ENABLE REPLICA", A: "ENABLE ALWAYS" } as const;

/** Triggers, rules and extended statistics: after the rows, which they would slow down or change. */
export function triggerDrafts(context: SchemaContext): Draft[] {
  const relation = <T extends { readonly relation: number }>(
    objects: readonly T[],
    make: (object: T, on: PgRelation) => Draft,
  ): Draft[] =>
    objects.flatMap((object) => {
      const on = context.relations.get(object.relation);
      return on ? [make(object, on)] : [];
    });
  return [
    ...relation(context.catalog.triggers, (trigger, on) =>
      trigger.cloned ? cloneDraft(context, trigger, on) : triggerDraft(context, trigger, on),
    ),
    ...relation(context.catalog.rules, (rule, on) => ruleDraft(context, rule, on)),
    ...relation(context.catalog.statistics, (statistics, on): Draft => {
      const name = context.name(statistics);
      return {
        id: `statistics:${shown(context, statistics)}`,
        stage: "afterRows",
        kind: "statistics",
        name: shown(context, statistics),
        subject: {
          kind: "statistics",
          schema: statistics.schema,
          name: statistics.name,
          on: { schema: on.schema, name: on.name },
        },
        provides: [statistics.key],
        uses: [statistics.key],
        requires: [on.key, `schema:${context.resolved.names.schema(statistics.schema)}`],
        sql: [
          context.sql.onTable(allKinds(context, statistics.definition), on),
          ...(statistics.target === undefined ? [] : [`ALTER STATISTICS ${name} SET STATISTICS ${statistics.target}`]),
          ...context.comment(statistics.key, `STATISTICS ${name}`),
        ],
      };
    }),
  ];
}

/** Before PostgreSQL 12 no list of kinds meant these two; now it would mean most-common-value lists as well. */
function allKinds(context: SchemaContext, definition: string): string {
  const { tokens, at } = firstKeyword(definition, "ON");
  if (context.catalog.version >= 12 || tokens.slice(0, at).some(({ text }) => text === "(")) return definition;
  return [
    ...tokens.slice(0, at).map(({ text }) => text),
    "(ndistinct, dependencies) ",
    ...tokens.slice(at).map(({ text }) => text),
  ].join("");
}

function firstKeyword(sql: string, keyword: string): { readonly tokens: readonly SqlToken[]; readonly at: number } {
  const tokens = tokenize(sql);
  return { tokens, at: tokens.findIndex(({ bare, text }) => bare && text === keyword) };
}

function triggerDraft(context: SchemaContext, trigger: PgTrigger, on: PgRelation): Draft {
  return {
    ...common("trigger", context, trigger, on),
    sql: [
      context.sql.definition(trigger.definition),
      ...(trigger.enabled === "O"
        ? []
        : [`ALTER TABLE ${context.name(on)} ${ENABLE[trigger.enabled]} TRIGGER ${ident(trigger.name)}`]),
      ...context.comment(trigger.key, `TRIGGER ${ident(trigger.name)} ON ${context.name(on)}`),
    ],
    // Its function reads NEW and OLD by the source's names, in a text that nobody can rewrite safely.
    blocked: context.resolved.names.columnsDiffer(on)
      ? "columns of its table have other names on the target, and its function uses the source's"
      : undefined,
  };
}

/** The clone is there as soon as its parent's trigger is and the partition is attached. */
function cloneDraft(context: SchemaContext, trigger: PgTrigger, on: PgRelation): Draft {
  const parents = context.catalog.triggers.filter(({ cloned, name }) => !cloned && name === trigger.name).map(({ key }) => key);
  return {
    ...common("trigger", context, trigger, on),
    id: `triggerState:${shown(context, on)}.${trigger.name}`,
    uses: [],
    requires: [on.key, `attach:${shown(context, on)}`, ...parents],
    sql: [`ALTER TABLE ${context.name(on)} ${ENABLE[trigger.enabled]} TRIGGER ${ident(trigger.name)}`],
  };
}

function ruleDraft(context: SchemaContext, rule: PgRule, on: PgRelation): Draft {
  const name = context.name(on);
  const touched = (context.catalog.dependencies.get(rule.key) ?? []).some((dependency) => {
    const relation = dependency.on.startsWith("pg_class/")
      ? context.relations.get(Number(dependency.on.slice("pg_class/".length)))
      : undefined;
    return relation !== undefined && context.resolved.names.columnsDiffer(relation);
  });
  return {
    ...common("rule", context, rule, on),
    sql: [
      context.sql.query(rule.definition.replace(/;\s*$/, "")),
      ...(rule.enabled === "O" ? [] : [`ALTER TABLE ${name} ${ENABLE[rule.enabled]} RULE ${ident(rule.name)}`]),
      ...context.comment(rule.key, `RULE ${ident(rule.name)} ON ${name}`),
    ],
    blocked:
      touched || context.resolved.names.columnsDiffer(on)
        ? "a table it names has columns with other names on the target"
        : undefined,
  };
}

function common(
  kind: "trigger" | "rule",
  context: SchemaContext,
  object: PgTrigger | PgRule,
  on: PgRelation,
): Omit<Draft, "sql"> {
  return {
    id: `${kind}:${shown(context, on)}.${object.name}`,
    stage: "afterRows",
    kind,
    name: `${shown(context, on)}.${object.name}`,
    subject: { kind, schema: on.schema, name: object.name, on: { schema: on.schema, name: on.name } },
    provides: [object.key],
    uses: [object.key],
    requires: [on.key],
  };
}
