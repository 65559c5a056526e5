import type { ConnectionOptions } from "node:tls";

export type SslMode = "disable" | "require" | "verify-ca" | "verify-full";

/** The contract's `ssl` object: PEM texts, not paths. */
export interface SslInputs {
  readonly mode?: SslMode;
  readonly ca?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  readonly clientKeyPassphrase?: string;
}

/** verify-full when an authority is given, else require; a loopback host needs none. */
export function sslMode(ssl: SslInputs | undefined, host: string): SslMode {
  if (ssl?.mode) return ssl.mode;
  if (ssl?.ca) return "verify-full";
  return isLoopback(host) ? "disable" : "require";
}

/** What node's TLS takes for one host; false for a plain connection. */
export function tlsOptions(ssl: SslInputs | undefined, host: string): false | ConnectionOptions {
  const mode = sslMode(ssl, host);
  if (mode === "disable") return false;
  return {
    // `require` encrypts and trusts whoever answers, as libpq's sslmode=require does without a root certificate.
    rejectUnauthorized: mode !== "require",
    ...(ssl?.ca ? { ca: ssl.ca } : {}),
    ...(ssl?.clientCertificate ? { cert: ssl.clientCertificate } : {}),
    ...(ssl?.clientKey ? { key: ssl.clientKey } : {}),
    ...(ssl?.clientKeyPassphrase ? { passphrase: ssl.clientKeyPassphrase } : {}),
    // verify-ca: any name will do as long as the authority signed it.
    ...(mode === "verify-ca" ? { checkServerIdentity: () => undefined } : {}),
    // Node takes no IP address as a server name for SNI.
    ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
  };
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
