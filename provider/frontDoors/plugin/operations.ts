import { ErrorCode, GodwitError } from "../../engine/errors.js";

/** The operations on their way, so that ^C and an operation's own time limit end what they wait for. */
export class Operations {
  readonly #running = new Set<AbortController>();
  #cancelled: GodwitError | undefined;
  #idle: (() => void)[] = [];

  /** Runs an operation under a signal; `seconds` is its `customTimeouts`, 0 for none. */
  async run<T>(seconds: number, operation: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    if (this.#cancelled) controller.abort(this.#cancelled);
    this.#running.add(controller);
    const timer =
      seconds > 0
        ? setTimeout(() => controller.abort(interrupted(`its time was up (customTimeouts: ${seconds} s)`)), seconds * 1000)
        : undefined;
    try {
      return await operation(controller.signal);
    } finally {
      clearTimeout(timer);
      this.#running.delete(controller);
      if (this.#running.size === 0) for (const tell of this.#idle.splice(0)) tell();
    }
  }

  /** Asks everything to end that is on its way or comes. */
  cancel(): void {
    this.#cancelled ??= interrupted("it was interrupted");
    for (const controller of this.#running) controller.abort(this.#cancelled);
  }

  /** Settles when nothing is on its way. */
  async idle(): Promise<void> {
    if (this.#running.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }
}

function interrupted(why: string): GodwitError {
  return new GodwitError(ErrorCode.Interrupted, `the operation ended before it was done: ${why}`, {
    remedy:
      "a task that was started goes on (godwit status shows it); run pulumi up again, which waits for it, or does what is left",
  });
}
