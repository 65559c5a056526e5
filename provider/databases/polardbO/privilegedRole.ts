import type { Client } from "pg";

export interface PrivilegedRole {
  readonly name: string;
  readonly privileged: boolean;
}

/**
 * The session's role. A privileged account ("Create an account") stands between a role and a superuser, which cloud clusters keep for themselves. How it is
 * marked is not public: any column of pg_roles, or role it belongs to, that speaks of polar's superuser will do.
 */
export async function privilegedRole(client: Client): Promise<PrivilegedRole> {
  const { rows } = await client.query<PrivilegedRole>(
    `SELECT r.rolname::text AS name,
            r.rolsuper
              OR EXISTS (SELECT FROM pg_catalog.jsonb_each_text(pg_catalog.to_jsonb(r)) c
                          WHERE c.key ~ 'polar.*super' AND c.value = 'true')
              OR EXISTS (SELECT FROM pg_catalog.pg_roles g
                          WHERE g.rolname ~ '^polar.*super' AND pg_catalog.pg_has_role(r.oid, g.oid, 'MEMBER')) AS privileged
     FROM pg_catalog.pg_roles r WHERE r.rolname = CURRENT_USER`,
  );
  return rows[0] ?? { name: "", privileged: false };
}
