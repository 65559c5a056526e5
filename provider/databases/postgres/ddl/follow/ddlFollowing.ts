import type { Position } from "../../../../engine/models/change.js";
import type { DdlStep, PlannedTable } from "../../../../engine/models/plan.js";
import type { PlanOptions } from "../../../../engine/plan.js";
import { type TaskDefinition, usersPublication } from "../../../../engine/taskDefinition.js";
import type { TargetConnection } from "../../apply/targetConnection.js";
import type { TargetTable } from "../../apply/targetTables.js";
import type { PostgresCatalog } from "../../catalog/model.js";
import type { DdlDialect } from "../emit/ddlDialect.js";

/** Undefined where the task follows no changes of structure: none were asked for, or the publication is the user's own. */
export function ddlFollowing(
  definition: TaskDefinition,
  store: DdlFollowing["store"],
  readCatalog: DdlFollowing["readCatalog"],
  dialect: DdlFollowing["dialect"],
  tell: DdlFollowing["tell"],
): DdlFollowing | undefined {
  const { selection, publicationName } = definition;
  if (!selection || usersPublication(definition)) return undefined;
  return {
    publication: publicationName,
    options: selection.options,
    ruled: selection.ruled,
    readAt: BigInt(selection.readAt),
    readCatalog,
    store,
    ...(dialect ? { dialect } : {}),
    ...(tell ? { tell } : {}),
  };
}

/** What following changes of structure needs of the task. */
export interface DdlFollowing {
  readonly publication: string;
  /** The selection as the program writes it: new objects are judged by it. */
  readonly options: PlanOptions;
  /** Numbers of the tables whose rows it has rules for; absent: there are none. */
  readonly ruled?: readonly number[] | undefined;
  /** Where the source was when the present plan was read; older failures of the capture are in it. */
  readonly readAt: Position;
  /** By the target's version (server_version_num); absent: PostgreSQL's. */
  readonly dialect?: (version: number) => DdlDialect;
  /** Tells the user what is passed over because the target can't have it. */
  readonly tell?: (message: string) => void;
  /** The source's catalog, asked only when the task gives other names. */
  readonly readCatalog: () => Promise<PostgresCatalog>;
  /** Statements of the store for the same transaction, fenced. */
  readonly store: {
    tablePlanned(table: PlannedTable, loadPosition: Position | undefined): string;
    tableGone(tableId: number): string;
    /** A statement that waits for the tables to stand at one position, in the place of one of its id. */
    stepPlanned(step: DdlStep): string;
    /** The query of those that wait and need what has the id, as a JSON array. */
    stepsNeeding(id: string): string;
    /** Statements that wait and have that id, or need what has it, are not wanted any more. */
    stepsGone(id: string): string;
  };
}

export interface FollowedEntry {
  readonly table: PlannedTable;
  readonly loadPosition: Position | undefined;
}

/** The applier, as far as changes of structure concern it. */
export interface StructuralApplier {
  /** One change at a time, after an error: what fails now is told to the user. */
  readonly isCareful: boolean;
  /** Runs `work` inside the open target transaction, after everything that arrived before. */
  between(work: (connection: TargetConnection) => Promise<void>): Promise<void>;
  replan(entry: FollowedEntry, target: TargetTable | undefined): void;
  forget(tableId: number): void;
}

/** The stream must be read again in text: a value that has come up has no portable binary form. */
export class TextNeeded extends Error {}
