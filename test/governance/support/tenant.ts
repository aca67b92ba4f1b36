import { expect } from 'vitest';

import { dataOf } from '../../support/answers.js';
import type { TestPanel } from '../../support/panel.js';
import { Tenant, until, type Node } from '../../support/world.js';

let shared: TestPanel | undefined;

/** The panel of the file that runs: told once it has started. */
export function useScene(panel: TestPanel): void {
  shared = panel;
}

function scene(): TestPanel {
  if (!shared) throw new Error('no panel was told');
  return shared;
}

export const encrypted = { condition: 'backup.encryption', operator: 'equals', value: true };
/** The reference's own example. */
export const example = {
  name: 'Require encrypted backups',
  type: 'backup',
  rule: encrypted,
  enforcement: 'mandatory',
  applies_to: 'all_instances',
};

export interface Result {
  policyId: string;
  status: string;
  evidence: { condition: string; expected: unknown; actual: unknown } | null;
}

export const instanceQuery = `query ($id: ID!) { instance(id: $id) {
  score violations policyResults { policyId status evidence { condition expected actual } }
} }`;

export async function judged(
  tenant: Tenant,
  node: Node,
): Promise<{ score: number | null; violations: number | null; policyResults: Result[] | null }> {
  const answer = await tenant.graphql<{ instance: never }>(instanceQuery, { id: node.id });
  return dataOf(answer).instance;
}

/** Waits until what a node reported has come to governance. */
export async function known(node: Node, path: string, value: unknown): Promise<void> {
  await until(
    async () => {
      const [row] = await scene().sql<{ facts: Record<string, unknown> }>(
        'select facts from governance.node where id = $1',
        [node.id],
      );
      return JSON.stringify(row?.facts[path]) === JSON.stringify(value);
    },
    `${path} of ${node.name} to be ${JSON.stringify(value)}`,
  );
}

export async function nodeWith(tenant: Tenant, facts: Record<string, unknown>, name?: string): Promise<Node> {
  const node = await tenant.node(name);
  const answer = await node.beat({ facts });
  expect(answer.status).toBe(200);
  await until(async () => {
    const [row] = await scene().sql(
      'select 1 from governance.node where id = $1 and reported_at is not null',
      [node.id],
    );
    return row !== undefined;
  }, 'governance to know the node');
  return node;
}

export async function create(tenant: Tenant, input: Record<string, unknown>): Promise<string> {
  const answer = await tenant.graphql<{ createPolicy: { id: string } }>(
    'mutation ($input: CreatePolicyInput!) { createPolicy(input: $input) { id } }',
    { input },
  );
  return dataOf(answer).createPolicy.id;
}

const signIns = new WeakMap<Tenant, { tenant: Tenant; at: number }>();

/** With tokens of now, or of some minutes ago. */
export async function signedIn(tenant: Tenant): Promise<Tenant> {
  const { world, clock } = scene();
  const now = clock.now().getTime();
  const last = signIns.get(tenant);
  if (last && now - last.at < 300_000) return last.tenant;
  const { email, password } = tenant.account;
  const fresh = new Tenant(world, tenant.account, (await world.login(email, password)).body);
  signIns.set(tenant, { tenant: fresh, at: now });
  return fresh;
}

export const scoresQuery = `{ scores {
  overallScore coverage violations instances inputs { passedWeight knownWeight applicableWeight }
  byInstance { instanceId name score coverage violations inputs { passedWeight knownWeight applicableWeight } instance { name } }
} }`;
