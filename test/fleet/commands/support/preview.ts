import type { GraphQLAnswer, Tenant } from '../../../support/world.js';

/** What would become of a command, as a dashboard reads it. */
export interface Preview {
  total: number;
  offline: number;
  delayed: number;
  refused: number | null;
  admission: 'ADMITTED' | 'REFUSED' | 'UNKNOWN';
  policies: { policyId: string; policyName: string; resolution: string | null; count: number }[];
  refusals: {
    policyId: string;
    policyName: string;
    resolution: string | null;
    instanceId: string;
    condition: string;
    operator: string;
    expected: unknown;
    actual: unknown;
  }[];
  delays: { windows: { name: string }[]; until: string | null; expiresBefore: boolean; count: number }[];
  canaries: { canaryId: string; canary: { name: string } | null; count: number }[] | null;
  expiresAt: string;
  instances: {
    nodes: {
      instanceId: string;
      isOffline: boolean;
      isRefused: boolean | null;
      delay: { until: string | null } | null;
      instance: { name: string } | null;
    }[];
    pageInfo: { endCursor: string | null; hasNextPage: boolean };
    totalCount: number;
  };
}

const query = `query ($input: SendCommandInput!, $first: Int, $after: String, $filter: CommandTargetFilter) {
  previewCommand(input: $input) {
    total offline delayed refused admission expiresAt
    policies { policyId policyName resolution count }
    refusals { policyId policyName resolution instanceId condition operator expected actual }
    delays { windows { name } until expiresBefore count }
    canaries { canaryId canary { name } count }
    instances(first: $first, after: $after, filter: $filter) {
      nodes { instanceId isOffline isRefused delay { until } instance { name } }
      pageInfo { endCursor hasNextPage }
      totalCount
    }
  }
}`;

export async function preview(
  tenant: Tenant,
  input: Record<string, unknown>,
  page: { first?: number; after?: string | null; filter?: Record<string, boolean> } = {},
): Promise<GraphQLAnswer<{ previewCommand: Preview }>> {
  return tenant.graphql(query, { input, ...page });
}
