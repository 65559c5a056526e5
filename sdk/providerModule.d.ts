/**
 * The package's own door, under the name it has in a program's node_modules. The compiler would look for it in dist/, which a
 * build has yet to write.
 */
declare module "godwit/provider" {
  export const call: typeof import("../provider/frontDoors/dynamic.js").call;
}
