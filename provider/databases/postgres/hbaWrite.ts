import type { Client } from "pg";
import { ErrorCode, GodwitError } from "../../engine/errors.js";
import { type HbaText, hbaBytes } from "./hbaBlock.js";
import { literal } from "./sql.js";

/** Ends the name of the file to be, and of the copy of the former text. */
const SUFFIX = ".godwit";

export interface WrittenFile {
  readonly path: string;
  readonly text: HbaText;
  /** Where the server may write whatever the rights of the file's own folder are. */
  readonly dataDirectory: string;
}

/**
 * Writes the file through SQL, with no extension, and returns what puts the former text back.
 *
 * By preference the server's shell writes a new file beside it, with the same owner and mode, and renames it over: at any
 * moment, also after a crash, either text is there whole. Where that cannot be (no shell, a file that is mounted on its own, a folder
 * that the server may not write), the file is written in place through a large object, after its former text was
 * copied into the data directory: should the server die in between, the copy is the file. Both are byte-exact; COPY's own formats are not (text
 * escapes backslashes and tabs, CSV adds quotes). Errors: GW1804.
 */
export async function replaceHbaFile(client: Client, file: WrittenFile, text: HbaText): Promise<() => Promise<void>> {
  const before = hbaBytes(file.text);
  if (await renamed(client, file.path, hbaBytes(text))) {
    return async () => {
      if (!(await renamed(client, file.path, before))) await inPlace(client, file, before);
    };
  }
  await inPlace(client, file, hbaBytes(text));
  return () => inPlace(client, file, before);
}

/** Resolves to false when the server's shell could not do it; the file is untouched then. */
async function renamed(client: Client, path: string, bytes: Buffer): Promise<boolean> {
  // readlink: a rename would replace a symbolic link rather than the file. cp -p keeps owner and mode, which may hide secrets
  // of ldap and radius lines. Base64, because it passes COPY's text format unchanged.
  const program = `f=$(readlink -f -- ${shellQuoted(path)}) && n="$f${SUFFIX}" && cp -p -- "$f" "$n" && base64 -d > "$n" \
&& { sync -- "$n" 2>/dev/null || true; } && mv -f -- "$n" "$f" || { rm -f -- "$n"; exit 1; }`;
  // Through a setting of the session: a statement's own text ends up in the server's log when it fails.
  await client.query("SELECT pg_catalog.set_config('godwit.hba', $1, false)", [bytes.toString("base64")]);
  try {
    await client.query(`COPY (SELECT pg_catalog.current_setting('godwit.hba')) TO PROGRAM ${literal(program)}`);
    return true;
  } catch (cause) {
    // 38000: the program failed. Others: there is no shell. A lost connection, which has no SQLSTATE, is not for us to judge.
    if (!/^[0-9A-Z]{5}$/.test((cause as { code?: string }).code ?? "")) throw cause;
    return false;
  } finally {
    await client.query("SELECT pg_catalog.set_config('godwit.hba', '', false)");
  }
}

async function inPlace(client: Client, file: WrittenFile, bytes: Buffer): Promise<void> {
  const copy = `${file.dataDirectory}/pg_hba.conf${SUFFIX}`;
  try {
    // The copy goes first: a full disk shows there.
    await exportBytes(client, copy, hbaBytes(file.text));
    await exportBytes(client, file.path, bytes);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new GodwitError(ErrorCode.HbaUnwritable, `pg_hba.conf could not be written: ${reason}`, {
      object: file.path,
      remedy: `let the server's user write it; should it be incomplete, its text is in ${copy}`,
      cause,
    });
  }
  // SQL can truncate a file and not remove it; where there is no shell either, the copy stays.
  await client.query(`COPY (SELECT WHERE false) TO PROGRAM ${literal(`rm -f -- ${shellQuoted(copy)}`)}`).catch(() => undefined);
}

/** The large object lives in a transaction that is never committed: the file is what remains. */
async function exportBytes(client: Client, path: string, bytes: Buffer): Promise<void> {
  await client.query("BEGIN");
  try {
    // Two statements: one that makes a large object does not see it yet.
    const made = await client.query<{ oid: string }>("SELECT pg_catalog.lo_from_bytea(0, $1)::text AS oid", [bytes]);
    await client.query("SELECT pg_catalog.lo_export($1::pg_catalog.oid, $2)", [made.rows[0]?.oid, path]);
  } finally {
    await client.query("ROLLBACK");
  }
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
