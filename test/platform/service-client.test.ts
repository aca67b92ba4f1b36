import { parse } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { ServiceClient } from '#platform/auth/service-client.js';
import { ServiceTokens } from '#platform/auth/service-token.js';
import { Keyring } from '#platform/secrets/keyring.js';

import { startTestPanel, testSecretsKey, type TestPanel } from '../support/panel.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

const instances = parse('query { instances { nodes { name } } }');

function client(permissions: string[]): ServiceClient {
  const tokens = new ServiceTokens(Keyring.parse(testSecretsKey), 'http://panel.test', panel.clock);
  return new ServiceClient('governance', permissions, tokens, async (operation) =>
    panel.panel.gateway.execute(operation),
  );
}

test('an area acts for one tenant and sees nothing of another', async () => {
  const [acme, other] = [await panel.world.tenant(), await panel.world.tenant()];
  await acme.node('of-acme');
  await other.node('of-other');
  const data = await client(['fleet.instance.read']).call({
    document: instances,
    variables: {},
    tenantId: acme.id,
    causedBy: 'job-1',
  });
  expect(data).toEqual({ instances: { nodes: [{ name: 'of-acme' }] } });
});

test('an area can do only what its list of permissions says', async () => {
  const acme = await panel.world.tenant();
  const call = client(['fleet.token.read']).call({
    document: instances,
    variables: {},
    tenantId: acme.id,
    causedBy: 'job-2',
  });
  await expect(call).rejects.toMatchObject({
    code: 'FORBIDDEN',
    extensions: { reason: 'PERMISSION_MISSING' },
  });
});

test('an error of the other area keeps its code and details', async () => {
  const acme = await panel.world.tenant();
  const call = client(['fleet.instance.read']).call({
    document: parse('query($id: ID!) { instance(id: $id) { name } }'),
    variables: { id: 'inst_none' },
    tenantId: acme.id,
    causedBy: 'job-3',
  });
  await expect(call).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'Instance not found' });
});
