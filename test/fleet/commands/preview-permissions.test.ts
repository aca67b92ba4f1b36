import { afterAll, beforeAll, expect, test } from 'vitest';

import { create, encrypted, nodeWith, useScene } from '../../governance/support/tenant.js';
import { dataOf } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import type { Tenant } from '../../support/world.js';
import { canaryOf, ids, query, window, type Preview } from './support/preview.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
  useScene(panel);
});
afterAll(async () => panel.stop());

/** A key of the tenant that lists these and nothing else. */
async function keyOf(tenant: Tenant, ...permissions: string[]): Promise<string> {
  const answer = await tenant.graphql<{ createApiKey: { key: string } }>(
    'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }',
    { input: { name: 'CI', permissions, currentPassword: tenant.account.password } },
  );
  return dataOf(answer).createApiKey.key;
}

test('a preview shows an API key of what it leads to only what the key may read, and of policies what sending would say', async () => {
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  const nodes = [
    await nodeWith(tenant, { 'backup.encryption': false }),
    await nodeWith(tenant, { 'backup.encryption': false }),
  ];
  await canaryOf(panel, tenant, nodes[0]!);
  await window(tenant, { name: 'Freeze', effect: 'DENY' });
  const policy = { rule: encrypted, enforcement: 'MANDATORY' };
  for (const name of ['Encrypted', 'Encrypted too']) await create(tenant, { ...policy, name });
  const input = { command: 'UPDATE', params: { version: '0.3.0' }, instanceIds: ids(nodes) };
  const asks = async (...permissions: string[]) => {
    const key = await keyOf(tenant, 'fleet.command.send', ...permissions);
    const { data, errors } = await panel.world.graphql<{ previewCommand: Preview }>(query, { input }, key);
    const { instances, delays, canaries, policies, refusals, ...about } = data!.previewCommand;
    expect(about).toMatchObject({ total: 2, delayed: 2, admission: 'REFUSED' });
    const narrowed = await panel.world.graphql<{ previewCommand: Preview }>(
      query,
      { input, filter: { isRefused: true } },
      key,
    );
    return {
      refusedOn: [about.refused, ...instances.nodes.map(({ isRefused }) => isRefused)],
      narrowed:
        narrowed.data?.previewCommand.instances.totalCount ??
        narrowed.errors?.find(({ path }) => path?.join('.') === 'previewCommand.instances')?.extensions.code,
      names: instances.nodes.map(({ instance }) => instance?.name),
      windows: delays.map(({ windows }) => windows?.map(({ name }) => name)),
      canaries: canaries?.length,
      policies: policies.map((policy) => policy.refusals.map((each) => each.instance?.name)),
      refusals: refusals.length,
      refused: (errors ?? []).map(({ path, extensions: { code, reason } }) =>
        [path?.filter((step) => typeof step === 'string').join('.'), code, reason].join(' '),
      ),
    };
  };
  const without = (path: string) => `previewCommand.${path} FORBIDDEN PERMISSION_MISSING`;
  const [instance, refusedOn, windows, canary] = [
    without('instances.nodes.instance'),
    without('policies.refusals.instance'),
    without('delays.windows'),
    without('canaries'),
  ];
  const nothing = {
    names: [undefined, undefined],
    windows: [undefined],
    policies: [[undefined]],
    refusals: 1,
    refusedOn: [null, null, null],
    narrowed: 'FORBIDDEN',
  };
  const bare = await asks();
  expect({ ...bare, refused: bare.refused.toSorted() }).toEqual({
    ...nothing,
    canaries: undefined,
    refused: [canary, windows, instance, instance, refusedOn].toSorted(),
  });
  const all = [
    'fleet.instance.read',
    'fleet.window.read',
    'governance.canary.read',
    'governance.policy.read',
  ];
  expect(await asks(...all)).toEqual({
    names: nodes.map(({ name }) => name),
    windows: [['Freeze']],
    canaries: 1,
    policies: [nodes.map(({ name }) => name), nodes.map(({ name }) => name)],
    refusals: 4,
    refusedOn: [2, true, true],
    narrowed: 2,
    refused: [],
  });
});
