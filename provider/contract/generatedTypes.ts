import { ANY, type PropertySpec, packageSchema, refName, type TypeSpec } from "./packageSchema.js";

export interface GeneratedFile {
  /** Relative to the project's root. */
  readonly path: string;
  readonly text: string;
}

/** The TypeScript that is made from schema.json; `npx tsx provider/contract/generate.ts` writes it. */
export function generatedFiles(): readonly GeneratedFile[] {
  return [
    { path: "provider/contract/types.ts", text: providerTypes() },
    { path: "sdk/args.ts", text: sdkArgs() },
  ];
}

const HEADER = "// Generated from schema.json by `npx tsx provider/contract/generate.ts`. Do not edit.\n";
const LINE_WIDTH = 130;

/** How one of the two files spells a type: plain values for the provider, `Input` for programs. */
interface Dialect {
  readonly typeName: (name: string) => string;
  readonly wrap: (type: string) => string;
  /** Whether a property with a default may be left out. */
  readonly defaultsAreOptional: boolean;
  readonly ref: (name: string) => string;
}

const PLAIN: Dialect = { typeName: (name) => name, wrap: (type) => type, defaultsAreOptional: false, ref: (name) => name };

const ARGS: Dialect = {
  typeName: (name) => `${name}Args`,
  wrap: (type) => `Input<${type}>`,
  defaultsAreOptional: true,
  ref: (name) => (packageSchema.types[name]?.enum ? name : `${name}Args`),
};

/** Inputs as check leaves them (defaults filled in), and outputs. */
function providerTypes(): string {
  const parts = [HEADER];
  for (const [name, type] of Object.entries(packageSchema.types)) parts.push(declared(name, type, PLAIN));
  for (const [name, resource] of Object.entries(packageSchema.resources)) {
    const inputs = new Set(Object.keys(resource.inputProperties));
    const changed = Object.keys(resource.properties).filter((key) => isRetyped(name, key));
    const base = changed.length > 0 ? `Omit<${name}Inputs, ${changed.map((key) => `"${key}"`).join(" | ")}>` : `${name}Inputs`;
    const outputs = Object.entries(resource.properties).filter(([key]) => !inputs.has(key) || changed.includes(key));
    const doc = comment("Inputs as check leaves them: defaults and names are filled in.");
    // What every output has, and no default: a name that was made of the resource's.
    const filled = resource.required.filter((key) => inputs.has(key) && !changed.includes(key));
    parts.push(
      `${doc}${fields(`export interface ${name}Inputs`, resource.inputProperties, [...resource.requiredInputs, ...filled], PLAIN)}`,
      `${comment(resource.description)}${fields(`export interface ${name}Outputs extends ${base}`, Object.fromEntries(outputs), resource.required, PLAIN)}`,
    );
  }
  return parts.join("\n");
}

/** What a program writes: every value may be an Output of another resource, an endpoint may be an Endpoint. */
function sdkArgs(): string {
  const used = inputTypes();
  const enums = Object.keys(packageSchema.types).filter((name) => used.has(name) && packageSchema.types[name]?.enum);
  const imports = [
    'import type { Input } from "@pulumi/pulumi";',
    `import type {\n${enums
      .sort()
      .map((name) => `  ${name},\n`)
      .join("")}} from "../provider/contract/types.js";`,
    'import type { Endpoint } from "./endpoint.js";\n',
  ];
  const parts = [`${HEADER}${imports.join("\n")}`];
  for (const [name, type] of Object.entries(packageSchema.types)) {
    if (used.has(name) && type.properties) parts.push(declared(name, type, ARGS));
  }
  for (const [name, resource] of Object.entries(packageSchema.resources)) {
    const head = `export interface ${name}Args`;
    parts.push(`${comment(resource.description)}${fields(head, resource.inputProperties, resource.requiredInputs, ARGS)}`);
  }
  return parts.join("\n");
}

function declared(name: string, type: TypeSpec, dialect: Dialect): string {
  if (type.enum) {
    const values = type.enum.map(({ value, description }) => ({ value: `"${value}"`, description }));
    const doc = comment(
      [type.description, ...values.map((v) => v.description && `- ${v.value.slice(1, -1)}: ${v.description}`)].filter(Boolean),
    );
    const line = `export type ${name} = ${values.map((v) => v.value).join(" | ")};`;
    return `${doc}${line.length <= LINE_WIDTH ? line : `export type ${name} =\n${values.map((v) => `  | ${v.value}`).join("\n")};`}\n`;
  }
  return `${comment(type.description)}${fields(`export interface ${dialect.typeName(name)}`, type.properties ?? {}, type.required ?? [], dialect)}`;
}

function fields(
  head: string,
  properties: Readonly<Record<string, PropertySpec>>,
  required: readonly string[],
  dialect: Dialect,
): string {
  const lines = Object.entries(properties).map(([name, property]) => {
    const filled = property.default !== undefined && !dialect.defaultsAreOptional;
    const mark = required.includes(name) || filled ? "" : "?";
    return `${comment(describe(property), "  ")}  readonly ${name}${mark}: ${typeOf(property, dialect)};\n`;
  });
  return `${head} {\n${lines.join("")}}\n`;
}

function typeOf(property: PropertySpec, dialect: Dialect): string {
  const type = dialect.wrap(bareType(property, dialect));
  return dialect === ARGS && property.$ref && refName(property.$ref) === "Connection" ? `${type} | Endpoint` : type;
}

function bareType(property: PropertySpec, dialect: Dialect): string {
  if (property.$ref === ANY) return "unknown";
  if (property.$ref) return dialect.ref(refName(property.$ref));
  if (property.items) return `readonly ${element(typeOf(property.items, dialect))}[]`;
  if (property.additionalProperties) return `Readonly<Record<string, ${typeOf(property.additionalProperties, dialect)}>>`;
  return property.type === "integer" ? "number" : (property.type ?? "unknown");
}

function element(type: string): string {
  return type.includes(" | ") ? `(${type})` : type;
}

function describe(property: PropertySpec): string | undefined {
  const text = property.description;
  return property.default === undefined ? text : [text, `Default: \`${property.default}\`.`].filter(Boolean).join(" ");
}

function comment(text: string | readonly (string | undefined)[] | undefined, indent = ""): string {
  const paragraphs = (typeof text === "string" ? [text] : (text ?? [])).filter((line): line is string => line !== undefined);
  const lines = paragraphs.flatMap((paragraph) => wrapped(paragraph, LINE_WIDTH - indent.length - " * ".length));
  const [only] = lines;
  if (only === undefined) return "";
  if (lines.length === 1 && indent.length + only.length + "/**  */".length <= LINE_WIDTH) return `${indent}/** ${only} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}\n`).join("")}${indent} */\n`;
}

function wrapped(paragraph: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of paragraph.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** An output that carries an input's name but another shape. */
function isRetyped(resource: string, key: string): boolean {
  const spec = packageSchema.resources[resource];
  const [input, output] = [spec?.inputProperties[key], spec?.properties[key]];
  return input !== undefined && output !== undefined && bareType(input, PLAIN) !== bareType(output, PLAIN);
}

/** Names of all types that an input leads to. */
function inputTypes(): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (property: PropertySpec): void => {
    if (property.items) visit(property.items);
    if (property.additionalProperties) visit(property.additionalProperties);
    if (!property.$ref || found.has(refName(property.$ref))) return;
    found.add(refName(property.$ref));
    for (const inner of Object.values(packageSchema.types[refName(property.$ref)]?.properties ?? {})) visit(inner);
  };
  for (const resource of Object.values(packageSchema.resources)) Object.values(resource.inputProperties).forEach(visit);
  return found;
}
