import { dataOf } from '../../support/answers.js';
import type { TestPanel } from '../../support/panel.js';
import { Tenant, until } from '../../support/world.js';
import type { Mailbox } from '../support/mailbox.js';

export interface ClientBody {
  id: string;
  name: string;
  contact_email: string;
  instance_limit: number;
  plan: string;
  status: string;
  instances_used: number;
  created_at: string;
}

export const password = 'correct horse battery';

/** A provider; `limit` is the instance limit of its plan, unlimited unless told. */
export async function provider(panel: TestPanel, limit?: number): Promise<Tenant> {
  const tenant = await (await panel.world.tenant()).grantPlan('ENTERPRISE');
  if (limit !== undefined) {
    await panel.sql(
      `update identity.entitlement set limits = limits || jsonb_build_object('instances', $2::int) where tenant_id = $1`,
      [tenant.id, limit],
    );
  }
  return tenant;
}

/** A client whose owner has accepted the invitation and is signed in. */
export async function client(
  panel: TestPanel,
  mailbox: Mailbox,
  parent: Tenant,
  more: Record<string, unknown> = {},
): Promise<Tenant> {
  const email = `${crypto.randomUUID()}@client.example`;
  const made = await parent.rest<ClientBody>('/api/msp/clients', {
    body: { name: 'Acme Corp', contact_email: email, instance_limit: 10, plan: 'pro', ...more },
  });
  if (made.status !== 201) throw new Error(`clients: ${made.status} ${made.text}`);
  const token = await mailbox.token(email, /Join/);
  await until(async () => {
    const rows = await panel.sql('select 1 from identity.invitation where tenant_id = $1', [made.body.id]);
    return rows.length > 0;
  }, 'the client to be ready');
  const { acceptInvitation } = dataOf(
    await panel.world.graphql<{
      acceptInvitation: { accessToken: string; refreshToken: string; user: { id: string } };
    }>(
      `mutation($input: AcceptInvitationInput!) {
        acceptInvitation(input: $input) { accessToken refreshToken user { id } }
      }`,
      { input: { token, name: 'Client Owner', password } },
    ),
  );
  const user = { id: acceptInvitation.user.id, email, role: 'owner' };
  return new Tenant(
    panel.world,
    { email, password },
    {
      user: { ...user, tenant: { id: made.body.id, name: made.body.name, plan: made.body.plan } },
      access_token: acceptInvitation.accessToken,
      refresh_token: acceptInvitation.refreshToken,
    },
  );
}

/** The client's owner, signed in again. */
export async function signedInAgain(panel: TestPanel, tenant: Tenant): Promise<Tenant> {
  const answer = await panel.world.login(tenant.account.email, tenant.account.password);
  if (answer.status !== 200) throw new Error(`login: ${answer.status} ${answer.text}`);
  return new Tenant(panel.world, tenant.account, answer.body);
}
