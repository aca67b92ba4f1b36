import type { TestPanel } from '../../support/panel.js';
import type { GraphQLAnswer, Tenant } from '../../support/world.js';

interface Grant {
  id: string;
  clientId: string;
  providerId: string;
  role: string;
  expiresAt: string;
  revokedAt: string | null;
  revokedBy: string | null;
}

interface Acting {
  accessToken: string;
  expiresIn: number;
  role: string;
  delegation: { id: string };
}

export const grant = async (tenant: Tenant, input: Record<string, unknown> = {}) =>
  tenant.graphql<{ grantDelegation: Grant }>(
    `mutation($input: GrantDelegationInput!) {
      grantDelegation(input: $input) { id clientId providerId role expiresAt revokedAt revokedBy }
    }`,
    { input: { role: 'OPERATOR', expiresInHours: 1, ...input } },
  );

export const revoke = async (tenant: Tenant, id: string) =>
  tenant.graphql<{ revokeDelegation: Grant }>(
    'mutation($id: ID!) { revokeDelegation(id: $id) { id revokedAt revokedBy } }',
    { id },
  );

export const act = async (
  panel: TestPanel,
  token: string,
  tenantId: string,
): Promise<GraphQLAnswer<{ actInTenant: Acting }>> =>
  panel.world.graphql(
    `mutation($input: ActInTenantInput!) {
      actInTenant(input: $input) { accessToken expiresIn role delegation { id } }
    }`,
    { input: { tenantId } },
    token,
  );

export const requestShown = 'id clientId providerId role expiresInHours reason status decidedBy delegationId';

export interface AccessRequest {
  id: string;
  status: string;
  delegationId: string | null;
}

/** Of a request for access, by its client or by the provider. */
export const answer = async (
  tenant: Tenant,
  name: 'approveDelegation' | 'declineDelegation' | 'withdrawDelegationRequest',
  id: string,
  input?: object,
): Promise<GraphQLAnswer<Record<string, AccessRequest>>> =>
  name === 'approveDelegation'
    ? tenant.graphql(
        `mutation($id: ID!, $input: ApproveDelegationInput) { ${name}(id: $id, input: $input) { ${requestShown} } }`,
        { id, input: input ?? null },
      )
    : tenant.graphql(`mutation($id: ID!) { ${name}(id: $id) { ${requestShown} } }`, { id });

/** How the export of a trail calls whoever made the first enrollment token: name, address and tenant. */
export async function exportedNames(panel: TestPanel, reader: string): Promise<string[] | undefined> {
  const { text } = await panel.world.rest('/audit/export', { token: reader });
  const line = text.split('\r\n').find((each) => each.includes('"createEnrollmentToken"')) ?? '';
  return /"([^"]*)","([^"]*)","([^"]*)","\{\}"$/.exec(line)?.slice(1);
}
