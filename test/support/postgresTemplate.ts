import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { chown, mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheDirectory, exists, type PostgresBinaries, publish } from "./postgresBinaries.js";
import { runAs, type ServerUser } from "./serverProcess.js";

/**
 * Makes `dataDirectory` a fresh cluster: a copy of a cached initdb (1 s of CPU saved per server) with a system identifier and
 * a superuser password of its own. Encoding UTF8, locale C.
 */
export async function createCluster(
  binaries: PostgresBinaries,
  user: ServerUser,
  dataDirectory: string,
  password: string,
): Promise<void> {
  const template = await clusterTemplate(binaries, user);
  await runAs(user, "cp", ["-R", template, dataDirectory]);
  await giveSystemIdentifier(dataDirectory);
  // Single-user mode, before anyone can connect; the verifier rather than the password, so that no log can show it.
  const output = await runAs(
    user,
    binaries.postgres,
    ["--single", "-F", "-D", dataDirectory, "postgres"],
    `ALTER ROLE postgres PASSWORD '${scramVerifier(password)}'\n`,
  );
  if (/ERROR|FATAL/.test(output)) throw new Error(`the superuser's password could not be set: ${output}`);
}

async function clusterTemplate(binaries: PostgresBinaries, user: ServerUser): Promise<string> {
  const cache = await cacheDirectory();
  const template = join(cache, `cluster-${binaries.version}${user.uid === undefined ? "" : `-${user.uid}`}`);
  if (await exists(template)) return template;
  const work = await mkdtemp(join(cache, ".initdb-"));
  try {
    if (user.uid !== undefined && user.gid !== undefined) await chown(work, user.uid, user.gid);
    const made = join(work, "data");
    const options = ["--username=postgres", "--auth=reject", "--encoding=UTF8", "--locale=C", "--nosync"];
    await runAs(user, binaries.initdb, [...options, "--pgdata", made]);
    await publish(made, template);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return template;
}

/**
 * Copies of one cluster would all claim to be the same server. The identifier stands in pg_control (its first eight bytes, under a
 * CRC-32C at the end of a structure whose length differs by major) and in the first page header of each WAL segment.
 * pg_resetwal would do it, but the packages hold no tools.
 */
async function giveSystemIdentifier(dataDirectory: string): Promise<void> {
  // As initdb makes it: seconds above, something that differs below.
  const identifier = (BigInt(Math.floor(Date.now() / 1000)) << 32n) | BigInt(randomBytes(4).readUInt32LE());
  const path = join(dataDirectory, "global/pg_control");
  const control = await readFile(path);
  const length = checkedLength(control);
  control.writeBigUInt64LE(identifier, 0);
  control.writeUInt32LE(crc32c(control.subarray(0, length)), length);
  await writeFile(path, control);
  const log = join(dataDirectory, "pg_wal");
  for (const segment of (await readdir(log)).filter((name) => /^[0-9A-F]{24}$/.test(name))) {
    const file = await open(join(log, segment), "r+");
    try {
      const header = Buffer.alloc(32);
      await file.read(header, 0, header.length, 0);
      const hasLongHeader = (header.readUInt16LE(2) & 0x0002) !== 0;
      header.writeBigUInt64LE(identifier, 24);
      if (hasLongHeader) await file.write(header, 24, 8, 24);
    } finally {
      await file.close();
    }
  }
}

function checkedLength(control: Buffer): number {
  for (let length = 100; length < 1000; length += 4) {
    if (crc32c(control.subarray(0, length)) === control.readUInt32LE(length)) return length;
  }
  throw new Error("pg_control holds no CRC-32C where one is expected");
}

/** Castagnoli, reflected. */
function crc32c(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** RFC 5802 as PostgreSQL stores it; the password must be ASCII, which needs no SASLprep. */
function scramVerifier(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, 4096, 32, "sha256");
  const keyOf = (label: string) => createHmac("sha256", salted).update(label).digest();
  const storedKey = createHash("sha256").update(keyOf("Client Key")).digest("base64");
  return `SCRAM-SHA-256$4096:${salt.toString("base64")}$${storedKey}:${keyOf("Server Key").toString("base64")}`;
}
