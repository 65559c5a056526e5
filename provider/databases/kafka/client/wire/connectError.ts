import { ErrorCode, GodwitError } from "../../../../engine/errors.js";
import { type BrokerAddress, brokerTls, credentials, type KafkaEndpoint } from "../kafkaEndpoint.js";
import { ErrorNumber, ProtocolError } from "./protocolErrors.js";

/** Names why a broker could not be connected to, and what mends it. Never repeats the password. */
export function connectError(cause: unknown, { host, port }: BrokerAddress, endpoint: KafkaEndpoint): GodwitError {
  const detail = { object: `${host}:${port}`, cause };
  if (cause instanceof ProtocolError) return refused(cause, detail, endpoint);
  const { code = "", message } = cause as { code?: string; message: string };
  if (/CERT|SSL|TLS|certificate|altnames|EPROTO/i.test(`${code} ${message}`)) {
    return new GodwitError(ErrorCode.TlsFailed, `TLS failed: ${message}`, {
      ...detail,
      remedy:
        "check ssl.mode, ssl.ca, that the port is a TLS listener, that the host name is in the broker's certificate, and the client certificate where the listener asks for one",
    });
  }
  // A broker hangs up without a word on whoever speaks another protocol than its listener does.
  if (/closed the connection/.test(message)) {
    return new GodwitError(ErrorCode.EndpointUnreachable, "the broker closed the connection before the first answer", {
      ...detail,
      remedy: brokerTls(endpoint, host)
        ? "check that the port is a TLS listener, and the client certificate if it asks for one (ssl.clientCertificate, ssl.clientKey)"
        : 'check whether the port is a TLS listener: then set ssl.mode, such as "verify-full" with ssl.ca',
    });
  }
  if (cause instanceof GodwitError && cause.code !== ErrorCode.ConnectionLost) return cause;
  return new GodwitError(ErrorCode.EndpointUnreachable, `no broker can be reached: ${message || code}`, {
    ...detail,
    remedy:
      "check that the broker is up, and that this name and port, which may be the ones it advertises, are reachable from here",
  });
}

function refused(cause: ProtocolError, detail: { object: string; cause: unknown }, endpoint: KafkaEndpoint): GodwitError {
  const login = credentials(endpoint);
  if (cause.code === ErrorNumber.unsupportedSaslMechanism) {
    return new GodwitError(
      ErrorCode.AuthenticationFailed,
      `the broker does not take ${login?.mechanism}: ${cause.detail ?? ""}`,
      {
        ...detail,
        remedy: "set kafka.saslMechanism of the endpoint to one that the listener offers",
      },
    );
  }
  if (cause.code === ErrorNumber.illegalSaslState) {
    return new GodwitError(ErrorCode.AuthenticationFailed, "the listener takes no user names", {
      ...detail,
      remedy: "leave username and kafka.saslMechanism of the endpoint out, or use the port of the SASL listener",
    });
  }
  if (cause.code === ErrorNumber.saslAuthenticationFailed) {
    return new GodwitError(
      ErrorCode.AuthenticationFailed,
      `the broker refused user "${login?.username}": ${cause.detail ?? ""}`,
      {
        ...detail,
        remedy: `check username and password of the endpoint, and that the user has ${login?.mechanism} credentials (kafka-configs.sh --describe --entity-type users)`,
      },
    );
  }
  return new GodwitError(ErrorCode.EndpointUnreachable, cause.message, detail);
}
