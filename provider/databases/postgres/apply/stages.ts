/**
 * The temporary tables that a session stages rows in. Made when first needed, kept for the session, emptied by the server at every commit
 * (ON COMMIT DELETE ROWS), which costs some 10 µs for each of them whether used or not: so only the most recently used are kept.
 */
export class Stages {
  private readonly names = new Map<string, string>();
  private readonly filled = new Set<string>();
  private made = 0;

  constructor(private readonly atMost = 48) {}

  /** The stage's quoted name, and the statements that make it ready for rows. */
  use(key: string, create: (name: string) => string): { readonly name: string; readonly statements: readonly string[] } {
    const statements: string[] = [];
    let name = this.names.get(key);
    if (name === undefined) {
      for (const [oldest, oldName] of this.names) {
        if (this.names.size < this.atMost) break;
        if (this.filled.has(oldest)) continue;
        this.names.delete(oldest);
        statements.push(`DROP TABLE ${oldName}`);
      }
      name = `pg_temp.godwit_${++this.made}`;
      statements.push(create(name));
    } else {
      this.names.delete(key);
      if (this.filled.has(key)) statements.push(`TRUNCATE ${name}`);
    }
    this.names.set(key, name);
    this.filled.add(key);
    return { name, statements };
  }

  /** The transaction that follows finds every stage empty. */
  committed(): void {
    this.filled.clear();
  }
}
