import { Unconvertible } from "../read/cursor.js";
import type { Parameter, Routine } from "../read/plsql.js";
import type { Environment } from "../write/environment.js";
import { mapParameterType } from "../write/types.js";

/**
 * The signatures of a package's or type's routines. PostgreSQL tells overloads apart by the types of what goes in, for functions and
 * procedures together: OUT parameters do not count, and CREATE OR REPLACE would silently put a second routine in the first one's place.
 */
export class Overloads {
  readonly #lines = new Map<string, number>();
  readonly #taken = new Map<Routine, Routine | Unconvertible>();

  /** Routines without OUT parameters come first, since only those with some can give way. */
  constructor(routines: readonly Routine[], env: Environment) {
    const hasOut = (routine: Routine) => routine.parameters.some(({ mode }) => mode === "OUT");
    for (const routine of [...routines.filter((each) => !hasOut(each)), ...routines.filter(hasOut)]) {
      try {
        this.#taken.set(routine, this.#claim(routine, env));
      } catch (cause) {
        if (!(cause instanceof Unconvertible)) throw cause;
        this.#taken.set(routine, cause);
      }
    }
  }

  /** The routine as it can be created beside the others, maybe with other parameters; refused where that cannot be. */
  distinct(routine: Routine): Routine {
    const taken = this.#taken.get(routine) ?? routine;
    if (taken instanceof Unconvertible) throw taken;
    return taken;
  }

  #claim(routine: Routine, env: Environment): Routine {
    const variants = [routine, withExactIntegers(routine), withInputs(routine), withInputs(withExactIntegers(routine))];
    const free = variants.find((variant) => !this.#lines.has(signatureOf(variant, env)));
    const signature = signatureOf(routine, env);
    if (!free)
      throw new Unconvertible(
        `the same PostgreSQL signature as the overload on line ${this.#lines.get(signature)}: ${signature}`,
        routine.line,
      );
    this.#lines.set(signatureOf(free, env), routine.line);
    return free;
  }
}

function signatureOf(routine: Routine, env: Environment): string {
  const types = routine.parameters
    .filter(({ mode, name }) => mode !== "OUT" && !(routine.traits.member && name === "self"))
    .map(({ type }) => mapParameterType(type, env).sql);
  // Static methods live in the type's own schema, constructors under the type's name.
  const name = routine.traits.member === "CONSTRUCTOR" ? "constructor" : routine.name.at(-1);
  return `${routine.traits.member === "STATIC" ? "static " : ""}${name}(${types.join(", ")})`;
}

/** NUMBER and PLS_INTEGER are one type to callers elsewhere, but two where overloads need them to be. */
function withExactIntegers(routine: Routine): Routine {
  return mapParameters(routine, (parameter) => ({ ...parameter, type: { ...parameter.type, exact: true } }));
}

/** An OUT parameter of a procedure counts where it is an INOUT one; its callers pass a variable in both cases. */
function withInputs(routine: Routine): Routine {
  if (routine.kind !== "procedure") return routine;
  return mapParameters(routine, (parameter) => (parameter.mode === "OUT" ? { ...parameter, mode: "IN OUT" } : parameter));
}

function mapParameters(routine: Routine, map: (parameter: Parameter) => Parameter): Routine {
  return { ...routine, parameters: routine.parameters.map(map) };
}
