/** What it takes to reach either end of a task. Secrets included: held in memory, handed on over pipes, never written. */
export interface TaskEndpoint {
  readonly engine: string;
  readonly hosts: readonly string[];
  readonly username?: string;
  readonly password?: string;
  readonly databaseName?: string;
  readonly ssl?: {
    readonly mode?: "disable" | "require" | "verify-ca" | "verify-full";
    readonly ca?: string;
    readonly clientCertificate?: string;
    readonly clientKey?: string;
    readonly clientKeyPassphrase?: string;
  };
}

export interface Ends {
  readonly source: TaskEndpoint;
  readonly target: TaskEndpoint;
}
