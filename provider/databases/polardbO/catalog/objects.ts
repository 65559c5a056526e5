import type { QualifiedName } from "../../../engine/models/catalog.js";
import type { ObjectKey, PostgresCatalog } from "../../postgres/catalog/model.js";
import type { PolardbTraits } from "../traits.js";

/** A package as its source text: the specification, and the body where it has one. */
export interface PolardbPackage extends QualifiedName {
  readonly specification: string;
  readonly body: string | undefined;
  /** What the catalog knows of its parts (functions, types): whoever needs one of them needs the package. */
  readonly members: readonly ObjectKey[];
}

export interface PolardbSynonym extends QualifiedName {
  readonly of: QualifiedName;
  /** The database link it goes through. */
  readonly link: string | undefined;
}

/** A type that PostgreSQL's catalogs do not describe in full: an object type with its methods, a nested table, a varray. */
export interface PolardbType extends QualifiedName {
  readonly key: ObjectKey;
  readonly specification: string;
  readonly body: string | undefined;
}

/** What a PolarDB O source has beside what PostgreSQL knows. */
export interface PolardbCatalog extends PostgresCatalog {
  readonly traits: PolardbTraits;
  readonly packages: readonly PolardbPackage[];
  readonly synonyms: readonly PolardbSynonym[];
  readonly sourcedTypes: readonly PolardbType[];
}

export function isPolardbCatalog(catalog: PostgresCatalog): catalog is PolardbCatalog {
  return "packages" in catalog && "synonyms" in catalog && "sourcedTypes" in catalog;
}
