import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { create, encrypted, nodeWith, useScene } from './support/tenant.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
  useScene(panel);
});
afterAll(async () => panel.stop());

test('a key has no command sent, and nothing put into force, by governance that its own list has not, and sees no instances by it', async () => {
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  const node = await nodeWith(tenant, { 'backup.encryption': false });
  const remediation = { command: 'BACKUP', params: {}, isAutomatic: true };
  const policyId = await create(tenant, {
    name: 'Remedied',
    rule: encrypted,
    remediation: { ...remediation, isAutomatic: false },
  });
  const keyFor = async (...permissions: string[]): Promise<string> => {
    const input = { name: permissions.join(' ').slice(0, 50), permissions };
    const made = await tenant.graphql<{ createApiKey: { key: string } }>(
      'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }',
      { input: { ...input, currentPassword: tenant.account.password } },
    );
    return dataOf(made).createApiKey.key;
  };
  const mended = await create(tenant, { name: 'Mends by itself', rule: encrypted, remediation });
  const exempted = await tenant.graphql<{ createPolicyExemption: { id: string } }>(
    'mutation ($input: CreatePolicyExemptionInput!) { createPolicyExemption(input: $input) { id } }',
    { input: { policyId: mended, instanceId: node.id, owner: 'ops', reason: 'It does harm here' } },
  );
  const canary = { name: 'C', command: 'RESTART', params: {}, steps: [{ percent: 100, bakeSeconds: 0 }] };
  const acts: [string, string, Record<string, unknown> | string][] = [
    [
      'governance.canary.manage',
      'mutation ($input: CreateCanaryInput!) { createCanary(input: $input) { id } }',
      canary,
    ],
    [
      'governance.policy.manage',
      'mutation ($input: CreatePolicyInput!) { createPolicy(input: $input) { id } }',
      { name: 'Automatic', rule: encrypted, remediation },
    ],
    [
      'governance.remediation.run',
      'mutation ($input: RemediatePolicyInput!) { remediatePolicy(input: $input) { status } }',
      { policyId, instanceIds: [node.id] },
    ],
    [
      'governance.exemption.manage',
      'mutation ($input: ID!) { deletePolicyExemption(id: $input) { id } }',
      dataOf(exempted).createPolicyExemption.id,
    ],
    [
      'governance.gitops.manage',
      'mutation ($input: CreateGitOpsConfigInput!) { createGitOpsConfig(input: $input) { id } }',
      { name: 'G', repoUrl: 'https://git.example.com/a/b.git' },
    ],
  ];
  for (const [permission, query, input] of acts) {
    const act = async (key: string) => panel.world.graphql(query, { input }, key);
    const refused = await act(await keyFor(permission));
    expect([permission, refused.errors?.[0]?.extensions]).toMatchObject([
      permission,
      { code: 'FORBIDDEN', reason: 'PERMISSION_MISSING' },
    ]);
    if (permission === 'governance.gitops.manage') continue;
    const done = await act(await keyFor(permission, 'fleet.command.send'));
    expect([permission, done.errors]).toEqual([permission, undefined]);
  }
  expect(await panel.sql('select 1 from governance.gitops_config where tenant_id = $1', [tenant.id])).toEqual(
    [],
  );
  // It sees what it may, and what it may not is null.
  const seen = await panel.world.graphql(
    'query ($id: ID!) { policyResults(policyId: $id) { nodes { instanceId presentInstance { name } } } }',
    { id: policyId },
    await keyFor('governance.policy.read'),
  );
  expect(seen).toEqual({
    data: { policyResults: { nodes: [{ instanceId: node.id, presentInstance: null }] } },
    errors: [expect.objectContaining({ extensions: expect.objectContaining({ code: 'FORBIDDEN' }) })],
  });
});
