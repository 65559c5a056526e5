import type { ServiceError } from "@grpc/grpc-js";
import { ErrorCode, GodwitError } from "../../engine/errors.js";
import type { InitializationFailed } from "../../resources/resource.js";
import { Any, grpc, messages, type StructMessage, statusMessages } from "./pulumiModules.js";

/** Something was made, not all of it; `properties` are what is there, secrets wrapped. */
export class PartlyMade extends Error {
  constructor(
    readonly failure: InitializationFailed,
    readonly properties: StructMessage,
  ) {
    super(failure.message, { cause: failure });
  }
}

/** The status that an operation's failure is answered with. Pulumi prints its text, which has the code and the remedy. */
export function answerError(cause: unknown): Partial<ServiceError> {
  const { status } = grpc;
  if (cause instanceof PartlyMade) return initializationFailed(cause);
  if (cause instanceof GodwitError) return { code: STATUS[cause.code] ?? status.FAILED_PRECONDITION, details: cause.message };
  // A bug: after this one Pulumi can't know what was done, which is what INTERNAL tells it.
  const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  return { code: status.INTERNAL, details: text };
}

/** UNAVAILABLE is not among them: a client of gRPC may try such a call again by itself. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  [ErrorCode.InvalidInput]: grpc.status.INVALID_ARGUMENT,
  [ErrorCode.AuthenticationFailed]: grpc.status.UNAUTHENTICATED,
  [ErrorCode.Interrupted]: grpc.status.CANCELLED,
};

/** Node's gRPC has no words for a status with details: they go into the trailer that Go's writes them to and reads them from. */
function initializationFailed({ failure, properties, message }: PartlyMade): Partial<ServiceError> {
  const detail = new messages.ErrorResourceInitFailed();
  detail
    .setId(failure.id)
    .setProperties(properties)
    .setReasonsList([...failure.reasons]);
  const any = new Any();
  any.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const code = grpc.status.UNKNOWN;
  const whole = new statusMessages.Status();
  whole.setCode(code).setMessage(message).addDetails(any);
  const metadata = new grpc.Metadata();
  metadata.add("grpc-status-details-bin", Buffer.from(whole.serializeBinary()));
  return { code, details: message, metadata };
}
