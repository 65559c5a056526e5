import { randomUUID } from "node:crypto";
import { closeSync, ftruncateSync, mkdirSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { ErrorCode, GodwitError } from "../../../engine/errors.js";

/**
 * A file for what of open transactions does not fit in memory. Its name is removed as soon as it is open, so the system takes the space back on
 * every way out, kill -9 included; readable by this user only, not encrypted. (Where a system does not remove open files, it is removed when closed.)
 */
export class SpillFile {
  private readonly path: string;
  private readonly descriptor: number;
  private named = true;
  size = 0;

  /** Errors: GW1727. */
  constructor(directory: string) {
    this.path = join(directory, `godwit-spill-${randomUUID()}`);
    this.descriptor = guarded(directory, () => {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      return openSync(this.path, "wx+", 0o600);
    });
    this.unname();
  }

  /** Errors: GW1727. */
  write(bytes: Buffer, offset: number): void {
    guarded(this.path, () => {
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(this.descriptor, bytes, done, bytes.length - done, offset + done);
      }
    });
    this.size = Math.max(this.size, offset + bytes.length);
  }

  read(offset: number, length: number): Buffer {
    return guarded(this.path, () => {
      const bytes = Buffer.allocUnsafe(length);
      for (let done = 0; done < length; ) {
        const count = readSync(this.descriptor, bytes, done, length - done, offset + done);
        if (count === 0) throw new Error("the file is shorter than what was written");
        done += count;
      }
      return bytes;
    });
  }

  truncate(size: number): void {
    guarded(this.path, () => ftruncateSync(this.descriptor, size));
    this.size = size;
  }

  close(): void {
    closeSync(this.descriptor);
    this.unname();
  }

  private unname(): void {
    if (!this.named) return;
    try {
      unlinkSync(this.path);
      this.named = false;
    } catch {
      // Windows removes no open file: close() tries again.
    }
  }
}

function guarded<T>(object: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new GodwitError(
      ErrorCode.SpillFailed,
      `a transaction could not be put aside: ${cause instanceof Error ? cause.message : cause}`,
      {
        object,
        remedy:
          "give the folder more room (TMPDIR or GODWIT_HOME on another disk), or commit in smaller transactions at the source",
        cause,
      },
    );
  }
}
