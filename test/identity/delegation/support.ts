import type { TestPanel } from '../../support/panel.js';
import type { GraphQLAnswer, Tenant } from '../../support/world.js';

interface Grant {
  id: string;
  clientId: string;
  providerId: string;
  role: string;
  expiresAt: string;
  revokedAt: string | null;
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
      grantDelegation(input: $input) { id clientId providerId role expiresAt revokedAt }
    }`,
    { input: { role: 'OPERATOR', expiresInHours: 1, ...input } },
  );

export const revoke = async (tenant: Tenant, id: string) =>
  tenant.graphql<{ revokeDelegation: Grant }>(
    'mutation($id: ID!) { revokeDelegation(id: $id) { id revokedAt } }',
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
