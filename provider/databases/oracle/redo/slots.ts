import { Form } from "./forms.js";

const { absent: ABSENT } = Form;

/** Where each column's values lie in the reader's output, for one statement. */
export class Slots {
  readonly newForm: Uint8Array;
  readonly newFrom: Int32Array;
  readonly newTo: Int32Array;
  readonly oldForm: Uint8Array;
  readonly oldFrom: Int32Array;
  readonly oldTo: Int32Array;

  constructor(readonly size: number) {
    this.newForm = new Uint8Array(size);
    this.newFrom = new Int32Array(size);
    this.newTo = new Int32Array(size);
    this.oldForm = new Uint8Array(size);
    this.oldFrom = new Int32Array(size);
    this.oldTo = new Int32Array(size);
  }

  clear(columns: number): void {
    for (let place = 0; place < columns; place++) {
      this.newForm[place] = ABSENT;
      this.oldForm[place] = ABSENT;
    }
  }

  setNew(place: number, form: number, from: number, to: number): void {
    this.newForm[place] = form;
    this.newFrom[place] = from;
    this.newTo[place] = to;
  }

  setOld(place: number, form: number, from: number, to: number): void {
    this.oldForm[place] = form;
    this.oldFrom[place] = from;
    this.oldTo[place] = to;
  }
}
