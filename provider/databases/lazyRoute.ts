import type { RouteKind } from "../engine/routeKind.js";

/** What is wanted of a route before anything is done with it. */
type Positions = Pick<RouteKind, "formatPosition" | "parsePosition">;

/**
 * A route whose modules are loaded by its first use. All of them together take a worker 300 ms on its way to the first row, and it needs one.
 */
export function lazyRoute({ formatPosition, parsePosition }: Positions, load: () => Promise<RouteKind>): RouteKind {
  return {
    formatPosition,
    parsePosition,
    plan: async (...args) => (await load()).plan(...args),
    openStore: async (...args) => (await load()).openStore(...args),
    takeLease: async (...args) => (await load()).takeLease(...args),
    open: async (...args) => (await load()).open(...args),
    captureStatus: async (...args) => (await load()).captureStatus(...args),
    release: async (...args) => (await load()).release(...args),
  };
}
