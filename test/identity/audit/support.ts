import { dataOf } from '../../support/answers.js';
import type { TestPanel } from '../../support/panel.js';
import { until, type Tenant } from '../../support/world.js';

export interface Entry {
  id: string;
  sequence: number;
  category: string;
  action: string;
  actor: string;
  actorKind: string;
  target: string | null;
  clientAddress: string;
  requestId: string;
  details: Record<string, unknown>;
  previousHash: string;
  hash: string;
}

const query = `query($first: Int, $after: String, $filter: AuditEventFilter) {
  auditEvents(first: $first, after: $after, filter: $filter) {
    nodes { id sequence category action actor actorKind target clientAddress requestId details previousHash hash }
    pageInfo { endCursor hasNextPage } totalCount
  }
}`;

export interface Trail {
  nodes: Entry[];
  pageInfo: { endCursor: string | null; hasNextPage: boolean };
  totalCount: number;
}

export async function trailOf(tenant: Tenant, variables: Record<string, unknown> = {}): Promise<Trail> {
  return dataOf(await tenant.graphql<{ auditEvents: Trail }>(query, variables)).auditEvents;
}

/** The newest entry about an action, once it is in the trail, as whoever reads it understands it. */
export async function entryOf(tenant: Tenant, action: string): Promise<Entry> {
  const found = async () => (await trailOf(tenant, { first: 1, filter: { action } })).nodes[0];
  await until(async () => (await found()) !== undefined, `${action} in the trail`);
  const entry = (await found())!;
  const { auditEvent } = dataOf(
    await tenant.graphql<{ auditEvent: { personal: Record<string, string> } }>(
      'query($sequence: Int!) { auditEvent(sequence: $sequence) { personal } }',
      { sequence: entry.sequence },
    ),
  );
  return { ...entry, details: spelledOut(entry.details, auditEvent.personal) };
}

/** With what words stand for in their place. */
export function spelledOut(
  details: Record<string, unknown>,
  personal: Record<string, string>,
): Record<string, unknown> {
  return JSON.parse(JSON.stringify(details), (_field, value: unknown) =>
    typeof value === 'string' ? (personal[value] ?? value) : value,
  ) as Record<string, unknown>;
}

/** Everything that was published for the tenant until now is in its trail. */
export async function settled(panel: TestPanel, tenantId: string): Promise<void> {
  await until(async () => {
    const [row] = await panel.sql<{ written: string; kept: string }>(
      `select (select count(*) from (
           select 1 from identity.outbox where tenant_id = $1 and topic like 'audit.%'
           union all select 1 from fleet.outbox where tenant_id = $1 and topic like 'audit.%'
         ) w) as written,
         (select count(*) from identity.audit_event where tenant_id = $1) as kept`,
      [tenantId],
    );
    return row!.written === row!.kept;
  }, 'the trail to be written');
}

export async function verify(tenant: Tenant): Promise<Record<string, unknown>> {
  const answer = await tenant.graphql<{ verifyAudit: Record<string, unknown> }>(
    '{ verifyAudit { isIntact checked brokenAt problem } }',
  );
  return dataOf(answer).verifyAudit;
}

export const rename = 'mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { name } }';

/** A tenant with a trail of at least `count` entries from two areas. */
export async function tenantWithTrailIn(panel: TestPanel, count = 5): Promise<Tenant> {
  const tenant = await panel.world.tenant();
  await tenant.node('audited-01');
  for (let index = 0; index < count; index += 1) {
    dataOf(await tenant.graphql(rename, { input: { name: `Name ${index}` } }));
  }
  await settled(panel, tenant.id);
  return tenant;
}
