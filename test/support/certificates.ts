import "reflect-metadata";
import { createPrivateKey, randomBytes, webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;

/** PEM texts. */
export interface Certified {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateAuthority {
  /** The authority's own certificate, PEM. */
  readonly ca: string;
  /** For a server. `names` are the host names and IP addresses that it may answer to. */
  server(names: readonly string[], validity?: Validity): Promise<Certified>;
  /** For a client; PostgreSQL's `cert` method compares the common name with the user's. */
  client(commonName: string, validity?: Validity): Promise<Certified>;
}

/** `expired` ended yesterday, `future` begins tomorrow. */
export type Validity = "valid" | "expired" | "future";

/** What TLS tests start from: one authority everyone trusts and one nobody does, and certificates good and bad. */
export interface TlsFixture {
  readonly ca: string;
  readonly server: { readonly good: Certified; readonly expired: Certified; readonly wrongHost: Certified };
  readonly client: { readonly good: Certified; readonly expired: Certified; readonly unknownAuthority: Certified };
  /** The authority that signed `client.unknownAuthority`. */
  readonly otherCa: string;
}

/** Makes all of it anew, in some 50 ms; good server certificates are for localhost and 127.0.0.1. */
export async function createTlsFixture(clientName = "postgres"): Promise<TlsFixture> {
  const [authority, other] = await Promise.all([createAuthority("Godwit test authority"), createAuthority("Another authority")]);
  const local = ["localhost", "127.0.0.1"];
  return {
    ca: authority.ca,
    otherCa: other.ca,
    server: {
      good: await authority.server(local),
      expired: await authority.server(local, "expired"),
      wrongHost: await authority.server(["elsewhere.example"]),
    },
    client: {
      good: await authority.client(clientName),
      expired: await authority.client(clientName, "expired"),
      unknownAuthority: await other.client(clientName),
    },
  };
}

export async function createAuthority(name: string): Promise<CertificateAuthority> {
  const keys = await generateKeys();
  const root = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(),
      name: `CN=${name}`,
      ...period("valid"),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        new BasicConstraintsExtension(true, 1, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      ],
    },
    webcrypto,
  );
  const sign = (commonName: string, validity: Validity, extensions: Extension[]) =>
    issue(root, keys, commonName, validity, extensions);
  return {
    ca: root.toString("pem"),
    server: (names, validity = "valid") =>
      sign(names[0] ?? "server", validity, [
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension(
          names.map((value) => ({ type: /^[\d.]+$|:/.test(value) ? ("ip" as const) : ("dns" as const), value })),
        ),
      ]),
    client: (commonName, validity = "valid") =>
      sign(commonName, validity, [new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth])]),
  };
}

/** The same key under a passphrase, for tests of clientKeyPassphrase. */
export function encryptKey(key: string, passphrase: string): string {
  return createPrivateKey(key).export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase }).toString();
}

async function issue(
  root: X509Certificate,
  rootKeys: webcrypto.CryptoKeyPair,
  commonName: string,
  validity: Validity,
  extensions: Extension[],
): Promise<Certified> {
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject: `CN=${commonName}`,
      issuer: root.subject,
      ...period(validity),
      signingAlgorithm: ALGORITHM,
      publicKey: keys.publicKey,
      signingKey: rootKeys.privateKey,
      extensions: [new BasicConstraintsExtension(false, undefined, true), ...extensions],
    },
    webcrypto,
  );
  const exported = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  const key = createPrivateKey({ key: exported, format: "der", type: "pkcs8" }).export({ type: "pkcs8", format: "pem" });
  return { certificate: certificate.toString("pem"), key: key.toString() };
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

function period(validity: Validity): { notBefore: Date; notAfter: Date } {
  const middle = Date.now() + { valid: 0, expired: -3, future: 3 }[validity] * DAY_MS;
  return { notBefore: new Date(middle - 2 * DAY_MS), notAfter: new Date(middle + 2 * DAY_MS) };
}

/** Positive: the first bit of a serial number is its sign. */
function serialNumber(): string {
  return `01${randomBytes(8).toString("hex")}`;
}
