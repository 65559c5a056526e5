import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import type { Credentials } from "../kafkaEndpoint.js";
import { type WireReader, WireWriter } from "./bytes.js";
import { Api, type WireCall } from "./call.js";
import { demand, ErrorNumber, ProtocolError } from "./protocolErrors.js";

const derive = promisify(pbkdf2);

/** Sends a request and gives its answer: what a connection offers that is not logged in yet. */
export type Ask = <T>(call: WireCall<T>) => Promise<T>;

/**
 * Logs in with PLAIN (RFC 4616) or SCRAM (RFC 5802), in the frames of SaslHandshake and SaslAuthenticate. Resolves with the milliseconds that the
 * session lasts (connections.max.reauth.ms), 0 for as long as the connection does.
 * Errors: a ProtocolError 33 (the listener does not have the mechanism), 34 (it has no log-in at all) or 58 (name or password are wrong).
 */
export async function logIn(ask: Ask, { mechanism, username, password }: Credentials): Promise<number> {
  await ask(handshake(mechanism.toUpperCase()));
  if (mechanism === "plain") {
    const { sessionMs } = await ask(authenticate(Buffer.from(`\0${username}\0${password}`)));
    return sessionMs;
  }
  return logInByScram(ask, mechanism === "scram-sha-256" ? "sha256" : "sha512", username, password);
}

async function logInByScram(ask: Ask, digest: "sha256" | "sha512", username: string, password: string): Promise<number> {
  const nonce = randomBytes(24).toString("base64url");
  const first = `n=${username.replaceAll("=", "=3D").replaceAll(",", "=2C")},r=${nonce}`;
  const challenge = (await ask(authenticate(Buffer.from(`n,,${first}`)))).bytes.toString();
  const fields = attributes(challenge);
  const [salt, iterations, joined] = [fields.get("s") ?? "", Number(fields.get("i")), fields.get("r") ?? ""];
  // RFC 5802: a nonce that does not begin with ours is someone else's conversation; too few rounds would give the password away.
  if (!joined.startsWith(nonce) || !(iterations >= 4096)) {
    throw new ProtocolError(ErrorNumber.saslAuthenticationFailed, "log-in", "the server's challenge is not valid");
  }
  const bytes = digest === "sha256" ? 32 : 64;
  const salted = await derive(password.normalize("NFKC"), Buffer.from(salt, "base64"), iterations, bytes, digest);
  const mac = (key: Buffer, text: string) => createHmac(digest, key).update(text).digest();
  const clientKey = mac(salted, "Client Key");
  const unproven = `c=biws,r=${joined}`;
  const transcript = `${first},${challenge},${unproven}`;
  const signature = mac(createHash(digest).update(clientKey).digest(), transcript);
  const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)));
  const last = await ask(authenticate(Buffer.from(`${unproven},p=${proof.toString("base64")}`)));
  const theirs = Buffer.from(attributes(last.bytes.toString()).get("v") ?? "", "base64");
  const expected = mac(mac(salted, "Server Key"), transcript);
  if (theirs.length !== expected.length || !timingSafeEqual(theirs, expected)) {
    throw new ProtocolError(
      ErrorNumber.saslAuthenticationFailed,
      "log-in",
      "the server could not prove that it knows the password",
    );
  }
  return last.sessionMs;
}

function attributes(message: string): Map<string, string> {
  return new Map(message.split(",").map((field) => [field.slice(0, 1), field.slice(2)]));
}

function handshake(mechanism: string): WireCall<void> {
  return {
    api: Api.saslHandshake,
    versions: [1, 1],
    body: () => [new WireWriter().string(mechanism).finish()],
    read(reader: WireReader) {
      const code = reader.int16();
      const offered = reader.array(() => reader.string() ?? "");
      demand(code, "log-in", offered.length > 0 ? `the listener offers ${offered.join(", ").toLowerCase()}` : undefined);
    },
  };
}

function authenticate(bytes: Buffer): WireCall<{ bytes: Buffer; sessionMs: number }> {
  return {
    api: Api.saslAuthenticate,
    versions: [0, 1],
    body: () => [new WireWriter().bytesField(bytes).finish()],
    read(reader, version) {
      const code = reader.int16();
      const message = reader.string();
      demand(code, "log-in", message);
      return { bytes: reader.bytesField(), sessionMs: version >= 1 ? Number(reader.int64()) : 0 };
    },
  };
}
