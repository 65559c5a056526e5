import { ErrorCode, GodwitError } from "../../engine/errors.js";

/** The contract's schemaRegistry of a Kafka endpoint. */
export interface SchemaRegistry {
  /** Base of Confluent's API, such as https://registry.example.com:8081. */
  readonly url: string;
  /** For basic authentication. */
  readonly username?: string;
  readonly password?: string;
}

/**
 * Registers an Avro schema under the subject of a topic's values (`<topic>-value`, TopicNameStrategy) and resolves with its id, an int32 that is the same each time
 * the same schema is registered. `schema` is the schema's JSON text.
 * Errors: GW1001 (a password in the url), GW1931 (no answer), GW1932 (schema refused), GW1933 (refused username or password, or no registry there).
 *
 * One request of the REST API, by fetch: \@kafkajs/confluent-schema-registry would do the same with a Protobuf compiler, an HTTP client, a JSON-Schema validator and an Avro
 * library in tow, of which nothing else here is needed, and replaces the answer's own words by its own.
 */
export async function registerValueSchema(registry: SchemaRegistry, topic: string, schema: string): Promise<number> {
  const subject = `${topic}-value`;
  const object = `subject ${subject}`;
  const response = await ask(
    registry,
    `subjects/${encodeURIComponent(subject)}/versions`,
    JSON.stringify({ schemaType: "AVRO", schema }),
  );
  const text = await response.text();
  const answer = parsed(text);
  if (response.ok && Number.isInteger(answer?.id)) return Number(answer?.id);
  // What is no answer of a registry (a proxy's page, a login form) is shown by its beginning.
  const said = answer?.message ?? text.slice(0, 200);
  if (response.status === 409 || response.status === 422) {
    throw new GodwitError(ErrorCode.SchemaRefused, `the Schema Registry refused the schema: ${said}`, {
      object,
      remedy: "set the subject's compatibility to NONE, delete its earlier schemas, or write to another topic",
    });
  }
  throw refusal(registry, response.status, said, object);
}

/** Asks for the subjects, which changes nothing. Errors: GW1001, GW1931, GW1933. A user who may not list them is none: that needs another right. */
export async function reachRegistry(registry: SchemaRegistry): Promise<void> {
  const response = await ask(registry, "subjects");
  const text = await response.text();
  if (response.ok || response.status === 403) return;
  throw refusal(registry, response.status, parsed(text)?.message ?? text.slice(0, 200), registry.url);
}

/** A registry in trouble, or a proxy before one that is away, is waited for like a connection; who may not use it, or asks at a wrong place, is not. */
function refusal({ username }: SchemaRegistry, status: number, said: string, object: string): GodwitError {
  if (status === 401 || status === 403) {
    return new GodwitError(ErrorCode.RegistryRefused, `the Schema Registry refused user "${username ?? ""}": ${said}`, {
      object,
      remedy: "check username and password of kafka.schemaRegistry, and that the user may write to the subject",
    });
  }
  return new GodwitError(
    status >= 500 ? ErrorCode.RegistryUnreachable : ErrorCode.RegistryRefused,
    `the Schema Registry answered ${status}: ${said}`,
    {
      object,
      remedy: "check the url of kafka.schemaRegistry: it is the base of Confluent's API, with its path where it has one",
    },
  );
}

/** GET without a body, else POST. */
async function ask({ url, username, password }: SchemaRegistry, path: string, body?: string): Promise<Response> {
  if (/^https?:\/\/[^/]*@/i.test(url)) {
    throw new GodwitError(ErrorCode.InvalidInput, "the url of kafka.schemaRegistry holds a user name or password", {
      remedy: "give them as username and password of kafka.schemaRegistry: a url is shown in messages",
    });
  }
  const authorization =
    username === undefined ? undefined : `Basic ${Buffer.from(`${username}:${password ?? ""}`).toString("base64")}`;
  try {
    return await fetch(`${url.replace(/\/+$/, "")}/${path}`, {
      method: body === undefined ? "GET" : "POST",
      // A redirect would turn the POST into a GET, or hand the password on.
      redirect: "error",
      signal: AbortSignal.timeout(30_000),
      headers: { "content-type": "application/vnd.schemaregistry.v1+json", ...(authorization ? { authorization } : {}) },
      ...(body === undefined ? {} : { body }),
    });
  } catch (cause) {
    // fetch says only that it failed; the reason is its cause.
    const { message, cause: inner } = cause as Error;
    const reason = inner instanceof Error ? inner.message || (inner as { code?: string }).code : message;
    throw new GodwitError(ErrorCode.RegistryUnreachable, `the Schema Registry cannot be reached: ${reason}`, {
      object: url,
      remedy: "check the url of kafka.schemaRegistry, and that it is reachable from here",
      cause,
    });
  }
}

function parsed(text: string): { readonly id?: unknown; readonly message?: string } | undefined {
  try {
    return JSON.parse(text) as { id?: unknown; message?: string };
  } catch {
    return undefined;
  }
}
