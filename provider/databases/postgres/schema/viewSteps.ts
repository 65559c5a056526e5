import type { PgColumn, PgRelation } from "../catalog/model.js";
import { ident } from "../sql.js";
import { type Draft, type SchemaContext, schemaStep, shown, withOptions } from "./draft.js";
import { columnSettings } from "./tableColumns.js";
import { defaultDrafts, knownOptions } from "./tableSteps.js";

/** Views as early as what they read allows; materialized views once the rows are there, for they are filled when they are made. */
export function viewDrafts(context: SchemaContext): Draft[] {
  return context.catalog.relations.flatMap((relation) => {
    if (relation.kind === "view") return [viewDraft(context, relation), ...defaultDrafts(context, relation)];
    return relation.kind === "materializedView" ? [materializedViewDraft(context, relation)] : [];
  });
}

function viewDraft(context: SchemaContext, view: PgRelation): Draft {
  const name = context.name(view);
  const dropped = view.options.filter((option) => !knownOptions([option], context.target).length);
  for (const option of dropped)
    context.skipped.push({
      kind: "viewOption",
      name: shown(context, view),
      reason: `${option} is not known to the target's version`,
    });
  const options = withOptions(knownOptions(view.options, context.target));
  const create = (query: string): string => `CREATE OR REPLACE VIEW ${name}${options} AS ${query}`;
  return {
    ...base(context, view),
    stage: "beforeRows",
    kind: "view",
    sql: [create(query(context, view)), ...comments(context, view, "VIEW")],
    shell: {
      sql: [`CREATE VIEW ${name} AS SELECT ${view.columns.map((column) => emptyColumn(context, column)).join(", ")}`],
      needs: () => true,
      uses: [view.key],
    },
  };
}

function materializedViewDraft(context: SchemaContext, view: PgRelation): Draft {
  const withData = view.populated ? "WITH DATA" : "WITH NO DATA";
  return {
    ...base(context, view),
    stage: "afterRows",
    kind: "materializedView",
    sql: [
      `CREATE MATERIALIZED VIEW ${context.name(view)}${withOptions(view.options)} AS ${query(context, view)} ${withData}`,
      ...columnSettings(context, view, view.columns),
      ...comments(context, view, "MATERIALIZED VIEW"),
    ],
    weight: view.bytes,
  };
}

function base(
  context: SchemaContext,
  view: PgRelation,
): Pick<Draft, "id" | "name" | "subject" | "provides" | "uses" | "requires"> {
  return {
    id: `view:${shown(context, view)}`,
    name: shown(context, view),
    subject: { kind: view.kind === "view" ? "view" : "materializedView", schema: view.schema, name: view.name },
    provides: [view.key, view.rowType, ...(view.viewRule ? [view.viewRule] : [])],
    uses: [view.key, ...(view.viewRule ? [view.viewRule] : [])],
    requires: [schemaStep(context, view.schema)],
  };
}

function query(context: SchemaContext, view: PgRelation): string {
  return context.sql.query((view.query ?? "").trim().replace(/;$/, ""));
}

function emptyColumn(context: SchemaContext, column: PgColumn): string {
  const collate = column.collation ? ` COLLATE ${context.sql.definition(column.collation)}` : "";
  return `NULL::${context.type(column.type)}${collate} AS ${ident(column.name)}`;
}

function comments(context: SchemaContext, view: PgRelation, kind: string): string[] {
  return [
    ...context.comment(view.key, `${kind} ${context.name(view)}`),
    ...view.columns.flatMap((column) =>
      context.comment(`${view.key}/${column.number}`, `COLUMN ${context.name(view)}.${ident(column.name)}`),
    ),
  ];
}
