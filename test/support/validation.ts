import type { TaskStatus } from "../../provider/engine/taskStatus.js";
import type { ValidationStatus } from "../../provider/engine/validation/validationStatus.js";
import type { Database } from "./task.js";

/** What the store says of a task's comparison, once the worker has written down what it found. */
export async function readValidation({ target }: { readonly target: Database }): Promise<ValidationStatus | undefined> {
  const [row] = await target.rows<{ status: TaskStatus }>("SELECT status FROM godwit.status");
  return row?.status.validation;
}
