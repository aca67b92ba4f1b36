import { spelledOut } from '../../identity/audit/support.js';
import { dataOf } from '../../support/answers.js';
import type { TestPanel } from '../../support/panel.js';
import { Node, until, type GraphQLAnswer, type Tenant } from '../../support/world.js';

export interface PartnerBody {
  id: string;
  name: string;
  contact_email: string;
  website: string | null;
  tier: string | null;
  discount_percent: number;
  instances: number;
  status: string;
  created_at: string;
}

export const registration = {
  name: 'Resellers Ltd',
  contact_email: 'partners@resellers.example',
  website: 'https://resellers.example',
};

/** The tenant's id as a partner, not approved yet. */
export async function register(tenant: Tenant): Promise<string> {
  const { status, body, text } = await tenant.rest<PartnerBody>('/api/partners', { body: registration });
  if (status !== 201) throw new Error(`partners: ${status} ${text}`);
  return body.id;
}

export type Decision = 'approvePartner' | 'rejectPartner' | 'suspendPartner';

/** Decides as the platform's administrator, or as whoever has the token. */
export async function decide(
  { world }: Pick<TestPanel, 'world'>,
  decision: Decision,
  id: string,
  more: { commissionPercent?: number; token?: string } = {},
): Promise<GraphQLAnswer<Record<Decision, { status: string; tierId: string | null }>>> {
  const { token = await world.administrator(), ...terms } = more;
  const fields = '{ status tierId instances commissionPercent discountPercent }';
  return decision === 'approvePartner'
    ? world.graphql(
        `mutation($input: ApprovePartnerInput!) { approvePartner(input: $input) ${fields} }`,
        { input: { id, ...terms } },
        token,
      )
    : world.graphql(`mutation($id: ID!) { ${decision}(id: $id) ${fields} }`, { id }, token);
}

/** A tenant's id as a partner that is approved. */
export async function approved(
  panel: TestPanel,
  tenant: Tenant,
  commissionPercent?: number,
): Promise<string> {
  const id = await register(tenant);
  dataOf(
    await decide(panel, 'approvePartner', id, commissionPercent === undefined ? {} : { commissionPercent }),
  );
  return id;
}

export async function partnerOf(tenant: Tenant, id: string): Promise<PartnerBody> {
  const { status, body, text } = await tenant.rest<PartnerBody>(`/api/partners/${id}`);
  if (status !== 200) throw new Error(`partner: ${status} ${text}`);
  return body;
}

export async function untilTier(tenant: Tenant, id: string, tier: string | null): Promise<void> {
  await until(async () => (await partnerOf(tenant, id)).tier === tier, `the tier ${tier}`);
}

/** So many nodes more. */
export async function enrollMany(tenant: Tenant, count: number): Promise<Node[]> {
  const token = await tenant.enrollmentToken();
  const nodes: Node[] = [];
  for (let index = 0; index < count; index += 1) {
    const name = `n${index}-${crypto.randomUUID().slice(0, 8)}`;
    const { status, body, text } = await tenant.world.rest<{ instance_id: string; credential: string }>(
      '/api/agent/enroll',
      { body: { token, name, hostname: `${name}.example.com`, version: '0.2.9' } },
    );
    if (status !== 201) throw new Error(`enroll: ${status} ${text}`);
    nodes.push(new Node(tenant.world, name, body.instance_id, body.credential));
  }
  return nodes;
}

export async function decommission(tenant: Tenant, { id }: Node): Promise<void> {
  const { status, text } = await tenant.rest(`/api/fleet/instances/${id}`, { method: 'DELETE' });
  if (status !== 204) throw new Error(`decommission: ${status} ${text}`);
}

/** What the trail has of an action, once it has it. */
export async function changesIn(panel: TestPanel, tenant: Tenant, action: string): Promise<unknown> {
  let found: { actor: string; changes: Record<string, unknown>; words: Record<string, string> }[] = [];
  await until(async () => {
    found = await panel.sql(
      `select actor, details -> 'changes' as changes, coalesce(
         (select jsonb_object_agg(one ->> 'as', one ->> 'text') from jsonb_array_elements(personal) one), '{}') as words
       from identity.audit_event where tenant_id = $1 and action = $2 order by sequence`,
      [tenant.id, action],
    );
    return found.length > 0;
  }, `the trail to tell of ${action}`);
  return found.map(({ actor, changes, words }) => ({ actor, changes: spelledOut(changes, words) }));
}
