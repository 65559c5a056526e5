import type { LobStep } from "../redo/lobStatement.js";
import type { RedoKind } from "../redo/redoTable.js";

/** A LOB, an XML document or a long string as redo puts it together, piece by piece. */
export class LobValue {
  private isNull = false;
  private text = "";
  private bytes: Buffer[] = [];
  private length = 0;
  private readonly binary: boolean;

  constructor(private readonly kind: RedoKind) {
    this.binary = kind === "blob";
  }

  apply(step: LobStep): void {
    switch (step.kind) {
      case "null":
        this.isNull = true;
        return;
      case "write":
        this.isNull = false;
        if (this.binary) this.writeBytes(step.offset === "append" ? this.length : step.offset, step.data);
        else this.writeText(step.offset === "append" ? this.text.length : step.offset, step.data.toString("utf8"));
        return;
      case "trim":
        if (this.binary) this.setBytes(this.whole().subarray(0, step.length));
        else this.text = this.text.slice(0, step.length);
        return;
      case "erase":
        // What is erased becomes blanks in a CLOB, zeros in a BLOB; the length stays.
        if (this.binary) this.setBytes(Buffer.from(this.whole()).fill(0, step.offset, step.offset + step.length));
        else {
          const end = Math.min(step.offset + step.length, this.text.length);
          this.writeText(step.offset, " ".repeat(Math.max(0, end - step.offset)));
        }
        return;
    }
  }

  /** PostgreSQL's text form, null for NULL. `onZero` hears how many bytes of value 0 were taken out of text. */
  toBytes(onZero: (count: number) => void): Buffer | null {
    if (this.isNull) return null;
    if (this.binary) return Buffer.from(`\\x${this.whole().toString("hex")}`);
    if (this.text === "" && this.kind === "text") return null;
    if (!this.text.includes("\0")) return Buffer.from(this.text);
    const parts = this.text.split("\0");
    onZero(parts.length - 1);
    return Buffer.from(parts.join(""));
  }

  private writeText(offset: number, piece: string): void {
    if (offset === this.text.length) this.text += piece;
    else this.text = `${this.text.padEnd(offset).slice(0, offset)}${piece}${this.text.slice(offset + piece.length)}`;
  }

  private writeBytes(offset: number, piece: Buffer): void {
    if (offset === this.length) {
      this.bytes.push(piece);
      this.length += piece.length;
      return;
    }
    const whole = Buffer.alloc(Math.max(this.length, offset + piece.length));
    this.whole().copy(whole);
    piece.copy(whole, offset);
    this.setBytes(whole);
  }

  private whole(): Buffer {
    if (this.bytes.length !== 1) this.setBytes(Buffer.concat(this.bytes));
    return this.bytes[0] ?? Buffer.alloc(0);
  }

  private setBytes(bytes: Buffer): void {
    this.bytes = [bytes];
    this.length = bytes.length;
  }
}
