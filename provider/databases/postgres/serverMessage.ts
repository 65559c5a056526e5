/** A server's ErrorResponse, in the shape the pg driver gives its own: one form for all who look at `code`. */
export class ServerError extends Error {
  constructor(
    message: string,
    /** SQLSTATE. */
    readonly code: string,
    readonly severity: string,
    readonly detail: string | undefined,
    readonly hint: string | undefined,
    /** Context: for COPY the line and column that was rejected. */
    readonly where: string | undefined,
    readonly schema: string | undefined,
    readonly table: string | undefined,
    readonly column: string | undefined,
    readonly constraint: string | undefined,
  ) {
    super(message);
    this.name = "ServerError";
  }
}

/** Parses the body of an ErrorResponse or NoticeResponse: fields of one type byte and a zero-terminated string. */
export function serverError(body: Buffer): ServerError {
  const fields = new Map<string, string>();
  for (let at = 0; at < body.length && body[at] !== 0; ) {
    const end = body.indexOf(0, at + 1);
    fields.set(String.fromCharCode(body[at] ?? 0), body.toString("utf8", at + 1, end));
    at = end + 1;
  }
  return new ServerError(
    fields.get("M") ?? "unknown error",
    fields.get("C") ?? "XX000",
    fields.get("V") ?? fields.get("S") ?? "ERROR",
    fields.get("D"),
    fields.get("H"),
    fields.get("W"),
    fields.get("s"),
    fields.get("t"),
    fields.get("c"),
    fields.get("n"),
  );
}
