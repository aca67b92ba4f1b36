import type { TestPanel } from './panel.js';
import type { Tenant } from './world.js';

type StoredRole = 'OWNER' | 'ADMIN' | 'OPERATOR' | 'BILLING' | 'VIEWER';

/** An access token of the tenant's one user in another role. Written by SQL, as no mutation gives roles yet. */
export async function tokenInRole(panel: TestPanel, tenant: Tenant, role: StoredRole): Promise<string> {
  await panel.sql('update identity."user" set role = $1 where tenant_id = $2', [role, tenant.id]);
  const answer = await panel.world.login(tenant.account.email, tenant.account.password);
  if (answer.status !== 200) throw new Error(`login: ${answer.status} ${answer.text}`);
  return answer.body.access_token;
}
