import type { RowSink } from "../../engine/database.js";
import type { ApplyTable } from "../postgres/apply/applyTable.js";
import { type RowEncoding, textCopy } from "../postgres/apply/copyEncoding.js";
import type { Value } from "../postgres/apply/tuples.js";

/** A value's text in a form that the target reads exactly; undefined for types whose text needs none. */
export type Exact = (text: string) => string;

/**
 * Greenplum 6 reads a float8 into a long double and rounds that to a double (float8in of its kernel, for the sake of denormals): twice, so the shortest form
 * of a number, which PostgreSQL 12 and up write, now and then becomes its neighbour. Seen on 6.0.0 beta: 8.93067428842187e-10, one of 14,000 random values.
 * Seventeen digits lie so near to the number that both roundings agree. The geometric types are read by strtod and are exact.
 */
export function exactForm(type: string): Exact | undefined {
  if (type === "double precision") return exactFloat;
  return type === "double precision[]" ? exactFloats : undefined;
}

function exactFloat(text: string): string {
  const number = Number(text);
  // Whole numbers of 53 bits are exact, and infinities and NaN have words of their own.
  return !Number.isFinite(number) || Number.isSafeInteger(number) ? text : number.toPrecision(17);
}

function exactFloats(text: string): string {
  return text.replace(/-?\d+(?:\.\d+)?(?:e[-+]?\d+)?/gi, exactFloat);
}

/** By place in a table's rows; undefined where no column needs it. */
export function exactForms(types: readonly string[]): readonly (Exact | undefined)[] | undefined {
  const forms = types.map(exactForm);
  return forms.some((form) => form) ? forms : undefined;
}

export function exactFormsOf(table: ApplyTable): readonly (Exact | undefined)[] | undefined {
  return exactForms(table.columns.map(({ target }) => target.type));
}

/** A row of the stream in text form. */
export function exactValues(row: readonly Value[], forms: readonly (Exact | undefined)[] | undefined): readonly Value[] {
  if (!forms) return row;
  return row.map((value, place) => {
    const form = forms[place];
    return value && form ? Buffer.from(form(value.toString("latin1")), "latin1") : value;
  });
}

/** COPY text of packed rows with these forms by column. */
export function exactCopy(forms: readonly (Exact | undefined)[]): RowEncoding {
  return (runs) => textCopy(runs.map((run) => exactRun(run, forms)));
}

function exactRun(run: Buffer, forms: readonly (Exact | undefined)[]): Buffer {
  const parts: Buffer[] = [];
  let kept = 0;
  for (let at = 0; at < run.length; ) {
    const columns = run.readInt16BE(at);
    at += 2;
    for (let column = 0; column < columns; column++) {
      const length = run.readInt32BE(at);
      const end = at + 4 + Math.max(length, 0);
      const form = forms[column];
      if (form && length > 0) {
        const value = Buffer.from(form(run.toString("latin1", at + 4, end)), "latin1");
        const size = Buffer.allocUnsafe(4);
        size.writeInt32BE(value.length);
        parts.push(run.subarray(kept, at), size, value);
        kept = end;
      }
      at = end;
    }
  }
  return kept === 0 ? run : Buffer.concat([...parts, run.subarray(kept)]);
}

const TAB = 0x09;

/** Puts the rows of a load's COPY text into these forms on their way. A server sends each row as a CopyData of its own; the pieces may be cut anywhere. */
export function exactSink(sink: RowSink, forms: readonly (Exact | undefined)[]): RowSink {
  let carry: Buffer = Buffer.alloc(0);
  let begun = 0;
  return {
    write(frames, rows) {
      begun += rows;
      const data = carry.length > 0 ? Buffer.concat([carry, frames]) : frames;
      const out: Buffer[] = [];
      let at = 0;
      while (data.length - at >= 5) {
        const end = at + 1 + data.readInt32BE(at + 1);
        if (end > data.length) break;
        out.push(exactRow(data.subarray(at, end), forms));
        at = end;
      }
      // The frames are lent.
      carry = Buffer.from(data.subarray(at));
      if (out.length === 0) return undefined;
      const passed = begun;
      begun = 0;
      return sink.write(Buffer.concat(out), passed);
    },
  };
}

/** Backslashes stand only in values that are no numbers, and \N is no number either. */
function exactRow(frame: Buffer, forms: readonly (Exact | undefined)[]): Buffer {
  const parts: Buffer[] = [];
  let kept = 5;
  for (let column = 0, from = 5; from <= frame.length; column++) {
    const tab = frame.indexOf(TAB, from);
    const end = tab < 0 ? frame.length - 1 : tab;
    const form = forms[column];
    if (form) {
      parts.push(frame.subarray(kept, from), Buffer.from(form(frame.toString("latin1", from, end)), "latin1"));
      kept = end;
    }
    if (tab < 0) break;
    from = tab + 1;
  }
  if (parts.length === 0) return frame;
  const body = Buffer.concat([...parts, frame.subarray(kept)]);
  const head = Buffer.from([0x64, 0, 0, 0, 0]);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
