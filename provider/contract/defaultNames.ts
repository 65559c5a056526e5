/** The names that the sdk's classes and the plugin give where a program leaves them out. */

/** A task's: of project, stack and the resource's name, so that it is unique on its target. At most 128 characters, as schema.json says. */
export function defaultTaskName(project: string, stack: string, resourceName: string): string {
  return `${project}/${stack}/${resourceName}`.slice(-128);
}

/** A slot's: the resource's, as far as PostgreSQL takes it (lower-case letters, digits and underscores, 63 at most). */
export function defaultSlotName(resourceName: string): string {
  return `godwit_${resourceName.toLowerCase().replaceAll(/[^a-z0-9_]/g, "_")}`.slice(0, 63);
}
