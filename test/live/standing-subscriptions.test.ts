import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf } from '../support/answers.js';
import { Live } from '../support/live.js';
import { modes, startTestPanel, type TestPanel } from '../support/panel.js';
import type { Tenant } from '../support/world.js';

const watched = 'subscription { instanceChanged { name } }';

describe.each(modes)('%s', (mode) => {
  let panel: TestPanel;
  beforeAll(async () => {
    panel = await startTestPanel({}, mode);
  });
  afterAll(async () => panel.stop());

  const keyOf = async (tenant: Tenant) => {
    const { createApiKey } = dataOf(
      await tenant.graphql<{ createApiKey: { key: string; apiKey: { id: string } } }>(
        'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { key apiKey { id } } }',
        {
          input: {
            name: 'CI',
            permissions: ['fleet.instance.read'],
            currentPassword: tenant.account.password,
          },
        },
      ),
    );
    return { key: createApiKey.key, id: createApiKey.apiKey.id };
  };

  /** The socket was closed as forbidden, or the subscription was told why it ends. */
  const isOver = async (live: Live) =>
    live.error !== undefined || live.results.at(-1)?.errors?.[0]?.extensions?.['code'] === 'UNAUTHENTICATED';

  test("an API key's subscription goes on for as long as the key does", async () => {
    const tenant = await panel.world.tenant();
    const { key } = await keyOf(tenant);
    const node = await tenant.enrollmentToken({ expires_in_hours: 24 });
    await using live = new Live(panel.panel.url, key, watched);
    await live.opened();
    await panel.clock.advance(10 * 60_000);
    const enrolled = await panel.world.rest('/api/agent/enroll', {
      body: { token: node, name: 'late', hostname: 'late.example.com', version: '0.2.9' },
    });
    expect(enrolled.status).toBe(201);
    await live.received(1);
    expect(live.results).toEqual([
      { data: { instanceChanged: { name: 'late' } }, extensions: { cursor: expect.any(String) } },
    ]);
  });

  test('a subscription ends within seconds, with no event, when its session does', async () => {
    const tenant = await panel.world.tenant();
    await using live = new Live(panel.panel.url, tenant.token, watched);
    await live.opened();
    expect((await tenant.rest('/api/auth/logout', { method: 'POST' })).status).toBe(204);
    await expect.poll(async () => isOver(live)).toBe(true);
  });

  test('a subscription ends within seconds, with no event, when its API key is revoked', async () => {
    const tenant = await panel.world.tenant();
    const { key, id } = await keyOf(tenant);
    await using live = new Live(panel.panel.url, key, watched);
    await live.opened();
    dataOf(await tenant.graphql('mutation($id: ID!) { revokeApiKey(id: $id) { id } }', { id }));
    await expect.poll(async () => isOver(live)).toBe(true);
  });

  test('a subscription ends within seconds, with no event, when its tenant is suspended', async () => {
    const tenant = await panel.world.tenant();
    await using live = new Live(panel.panel.url, tenant.token, watched);
    await live.opened();
    await panel.sql(
      `insert into identity.outbox (event_id, tenant_id, topic, entity_id, payload, caused_by, occurred_at)
       values ('evt_suspension', $1, 'identity.tenant.suspended', $1, jsonb_build_object('tenantId', $1::text), 'test', now())`,
      [tenant.id],
    );
    await expect.poll(async () => isOver(live)).toBe(true);
  });
});
