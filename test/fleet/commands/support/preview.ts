import { expect } from 'vitest';

import { dataOf } from '../../../support/answers.js';
import type { TestPanel } from '../../../support/panel.js';
import { until, type GraphQLAnswer, type Node, type Tenant } from '../../../support/world.js';

/** What would become of a command, as a dashboard reads it. */
export interface Preview {
  total: number;
  offline: number;
  delayed: number;
  refused: number | null;
  admission: 'ADMITTED' | 'REFUSED' | 'UNKNOWN';
  policies: {
    policyId: string;
    policyName: string;
    resolution: string | null;
    count: number;
    refusals: {
      instanceId: string;
      actual: unknown;
      instance: { name: string } | null;
    }[];
  }[];
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
  delays: {
    windows: { name: string }[] | null;
    until: string | null;
    expiresBefore: boolean;
    count: number;
  }[];
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

export const query = `query ($input: SendCommandInput!, $first: Int, $after: String, $filter: CommandTargetFilter) {
  previewCommand(input: $input) {
    total offline delayed refused admission expiresAt
    policies { policyId policyName resolution count refusals { instanceId actual instance { name } } }
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

/** The same where it must be answered. */
export const seen = async (...call: Parameters<typeof preview>): Promise<Preview> =>
  dataOf(await preview(...call)).previewCommand;

/** Makes something by its `createX` mutation, and answers its id. */
export async function make(tenant: Tenant, what: string, input: Record<string, unknown>): Promise<string> {
  const answer = await tenant.graphql<Record<string, { id: string }>>(
    `mutation ($input: Create${what}Input!) { create${what}(input: $input) { id } }`,
    { input },
  );
  return dataOf(answer)[`create${what}`]!.id;
}

/** One that has been open for a minute, of ten. */
export const window = async (tenant: Tenant, input: Record<string, unknown>) =>
  make(tenant, 'MaintenanceWindow', {
    startsAt: new Date(tenant.world.clock.now().getTime() - 60_000).toISOString(),
    durationMinutes: 10,
    ...input,
  });

export const tag = async (tenant: Tenant, { id }: Node, ...tags: string[]) =>
  dataOf(
    await tenant.graphql('mutation ($input: UpdateInstanceInput!) { updateInstance(input: $input) { id } }', {
      input: { id, tags },
    }),
  );

export const send = async (tenant: Tenant, input: Record<string, unknown>) =>
  tenant.graphql<{
    sendCommand: { id: string; total: number; expiresAt: string; results: { instanceId: string }[] };
  }>(
    `mutation ($input: SendCommandInput!) {
       sendCommand(input: $input) { id total expiresAt results(first: 100) { instanceId } }
     }`,
    { input },
  );

export const ids = (nodes: readonly Node[]) => nodes.map(({ id }) => id);

/** One that brings an instance to another version. */
export async function canaryOf(panel: TestPanel, tenant: Tenant, { id }: Node): Promise<string> {
  await until(
    async () =>
      (
        await panel.sql(`select 1 from governance.entitlement where tenant_id = $1 and plan = 'PRO'`, [
          tenant.id,
        ])
      ).length > 0,
    'governance to know the plan',
  );
  const answer = await tenant.rest<{ id: string }>('/api/governance/canary', {
    body: {
      name: 'To 0.3.0',
      command: 'update',
      params: { version: '0.3.0' },
      steps: [{ percent: 100, bake_seconds: 60 }],
      applies_to: { instance_ids: [id] },
    },
  });
  expect([answer.status, answer.text]).toEqual([201, expect.any(String)]);
  return answer.body.id;
}
