import { ErrorCode, GodwitError, isServerGone } from "../engine/errors.js";
import type { Log } from "./resource.js";

/** Set to `true`, a destroy leaves what it can't get at, and says what that is. */
const LEAVE_UNREACHABLE = "GODWIT_LEAVE_UNREACHABLE";

/**
 * Runs one end's part of a destroy. Undefined when there is nothing to be done: a database that was dropped holds nothing any more (and none can be
 * dropped while it has a slot). A server that does not answer is another matter: it may come back, with a slot that keeps its log until its disk is full. Only the
 * user knows that it never will, and says so with GODWIT_LEAVE_UNREACHABLE=true.
 */
export async function atEnd<T>(left: string, log: Log, run: () => Promise<T>): Promise<T | undefined> {
  try {
    return await run();
  } catch (cause) {
    if (cause instanceof GodwitError && cause.code === ErrorCode.DatabaseMissing) return undefined;
    if (!isServerGone(cause)) throw cause;
    if (process.env[LEAVE_UNREACHABLE] !== "true") throw unreachable(cause, left);
    log.warn(`left behind on ${cause.object ?? "a server"}, which does not answer: ${left}`);
    return undefined;
  }
}

function unreachable(cause: GodwitError, left: string): GodwitError {
  return new GodwitError(cause.code, `${left} can't be removed while the server does not answer`, {
    ...(cause.object === undefined ? {} : { object: cause.object }),
    remedy: `start the server and run pulumi destroy again; if it is gone for good, ${LEAVE_UNREACHABLE}=true pulumi destroy`,
    cause,
  });
}
