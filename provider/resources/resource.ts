import type { Connection } from "../contract/types.js";

/**
 * What a resource is to a front door: plain data in, plain data out, nothing about gRPC or closures.
 * Outputs hold the inputs too: a dynamic provider is given nothing else of the past.
 */
export interface Resource<I extends object, O extends object> {
  /** Inputs that the resource fills in itself when they are left out; its outputs then hold them. */
  readonly computed?: readonly string[];
  /**
   * Fills in what follows from where a program declares the resource. Inputs are as the program wrote them and may not fit. The sdk's
   * classes have done the same before a dynamic provider is called.
   */
  declared?(inputs: Readonly<Record<string, unknown>>, declaration: Declaration): Readonly<Record<string, unknown>>;
  /**
   * What only this resource knows about its inputs, after they passed `validate` and got their defaults. Values may still be
   * unknown during a preview. Touches no server.
   */
  check?(inputs: I): readonly CheckFailure[];
  /** What `update` or a replacement would change. `olds` are outputs as the last create, update or read left them. Touches no server. */
  diff(olds: O, news: I): Diff;
  /**
   * The outputs that a preview of create (no olds) or update knows already, values that are unknown themselves among them. Touches no
   * server. Without it they are the inputs.
   */
  preview?(inputs: I, olds: O | undefined): Partial<O>;
  /** A reconcile: it converges what is there to what is asked. Throws InitializationFailed when something was made and not all. */
  create(inputs: I, context: Context): Promise<Created<O>>;
  /** The state there is, or undefined when the thing is gone. */
  read(id: string, outputs: O, context: Context): Promise<O | undefined>;
  /** The same reconcile in place; also what runs after an InitializationFailed, where olds may lack outputs. */
  update(id: string, olds: O, news: I, context: Context): Promise<O>;
  /** Takes away what create made; what is gone already is fine. */
  delete(id: string, outputs: O, context: Context): Promise<void>;
  /** Absent: there is nothing that could be taken over. */
  readonly imports?: Importable<O>;
}

/** How a thing that exists, and no stack knows, is taken over. */
export interface Importable<O> {
  /** What an id names, in order: as many connections of the configuration, then the thing itself. */
  readonly connections: readonly string[];
  readonly thing?: string;
  /** Outputs that `read` can begin with; undefined when there is no such thing. */
  find(connections: readonly Connection[], thing: string, context: Context): Promise<Created<O> | undefined>;
}

/** Where a program declares a resource, and what its stack's configuration says. */
export interface Declaration {
  readonly project: string;
  readonly stack: string;
  /** The resource's own name in the program. */
  readonly name: string;
  /** `godwit:smtpUrl` and `godwit:smtpFrom`, when both are there. */
  readonly smtp?: { readonly url: string; readonly from: string };
}

export interface CheckFailure {
  /** The property as a path: `hosts[0]`, `source.ssl.mode`. */
  readonly property: string;
  /** What is wrong and what would be right. */
  readonly reason: string;
}

export interface Diff {
  readonly changes: boolean;
  /** Top-level properties that only a new resource can take. */
  readonly replaces: readonly string[];
  readonly deleteBeforeReplace: boolean;
  /** What differs, value by value; not empty when `changes`. */
  readonly details: readonly PropertyChange[];
}

export interface PropertyChange {
  /** As a path: `source.password`, `objects[1].tables[0].rename`. */
  readonly property: string;
  readonly kind: "add" | "delete" | "update";
  readonly replaces: boolean;
  /** Something that was found and is no input, such as a rule that was changed by hand. */
  readonly found?: true;
}

export interface Created<O> {
  readonly id: string;
  readonly outputs: O;
}

export interface Context {
  readonly log: Log;
  /**
   * Aborts when the user wants no more of the operation (^C), or its time is up; the reason is a GodwitError. Waits end with it. What has
   * begun to change a server is ended in a state that the next `up` takes up. A dynamic provider is told of neither.
   */
  readonly signal?: AbortSignal | undefined;
}

/** Progress for the user while an operation runs; never holds a secret. */
export interface Log {
  info(message: string): void;
  warn(message: string): void;
  /** How far the operation is: a line that the next one replaces, where the user watches. */
  status(message: string): void;
}

/**
 * Something was made, not all of it: the state keeps the resource as partly made, shows the reasons, and the next `up` calls
 * update. The dynamic provider's server of @pulumi/pulumi knows such an error by its `id`, `properties` and `reasons`.
 */
export class InitializationFailed<O extends object = object> extends Error {
  readonly id: string;
  readonly properties: O;
  readonly reasons: readonly string[];

  constructor(id: string, properties: O, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(reason, { cause });
    this.name = "InitializationFailed";
    this.id = id;
    this.properties = properties;
    this.reasons = [reason];
  }
}
