import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { modes, startTestPanel, type TestPanel } from '../support/panel.js';

describe.each(modes)('%s', (mode) => {
  let panel: TestPanel;
  beforeAll(async () => {
    panel = await startTestPanel({}, mode);
  });
  afterAll(async () => panel.stop());

  test('a body with an unknown field, an unknown word and values out of range is told of all at once', async () => {
    const tenant = await panel.world.tenant();
    const answer = await tenant.rest('/api/msp/clients', {
      body: { name: '', contact_email: 'nobody', instance_limit: -1, plan: 'gold', colour: 'red' },
    });
    expect([answer.status, Object.keys((answer.body as { details: object }).details).sort()]).toEqual([
      422,
      ['colour', 'contact_email', 'instance_limit', 'name', 'plan'],
    ]);
  });

  test('faults are told in the words of REST: parameters, headers, and fields by their own rules', async () => {
    const tenant = await panel.world.tenant();
    const error = async (path: string, options = {}) => {
      const { status, body } = await tenant.rest(path, options);
      return [status, body];
    };
    const cursor = { error: 'cursor must come from this list' };
    expect(await error('/api/fleet/instances?cursor=abc%20d')).toEqual([400, cursor]);
    expect(await error('/api/billing/invoices?limit=1&cursor=aW5fWA')).toEqual([400, cursor]);
    expect(await error('/api/governance/scores?limit=0')).toEqual([
      400,
      { error: 'limit must be from 1 to 10000' },
    ]);
    const command = { command: 'restart', instance_ids: ['inst_1'] };
    const bad = { body: command, headers: { 'idempotency-key': 'two words' } };
    expect(await error('/api/fleet/commands', bad)).toEqual([
      422,
      {
        error: 'Validation failed',
        details: { 'Idempotency-Key': 'The idempotency key must have 1 to 255 visible ASCII characters' },
      },
    ]);
    const server = {
      provider: 'hetzner',
      region: 'fsn1',
      size: 'cx22',
      name: '123',
      install_cloud_os: 'yes',
    };
    expect(await error('/api/hosting/servers', { body: server })).toEqual([
      400,
      { error: expect.stringMatching(/^install_cloud_os must be true or false; Name must /) },
    ]);
    const deployment = { cluster_id: 'k8s_1', name: 'web', image: 'nginx', env: { 'A=B': 'x' } };
    expect(await error('/api/k8s/deployments', { body: deployment })).toEqual([
      422,
      {
        error: 'Validation failed',
        details: { 'env.A=B': 'Variables have names of letters, digits, _, . and -' },
      },
    ]);
  });

  test('names as long as their sender likes are cut where an answer shows them', async () => {
    const tenant = await panel.world.tenant();
    const long = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`${n}`.padEnd(250, 'k'), 1]));
    for (const [path, body] of [
      ['/api/fleet/tokens', long],
      ['/api/fleet/commands', { command: 'restart', instance_ids: [], params: long }],
    ] as const) {
      const answer = await tenant.rest(path, { body });
      expect(answer.status).toBe(422);
      expect(answer.text).toContain('kkk...');
      expect(answer.text.length).toBeLessThan(50_000);
    }
  });

  test('an unknown enum value and a value out of range come in one answer of GraphQL', async () => {
    const tenant = await panel.world.tenant();
    const { data, errors } = await tenant.graphql(
      'mutation ($given: GrantDelegationInput!) { grantDelegation(input: $given) { id } }',
      { given: { role: 'KING', expiresInHours: 0, reason: 'x'.repeat(501) } },
    );
    expect(data ?? null).toBeNull();
    expect(errors?.map(({ extensions }) => extensions['code'])).toEqual(['BAD_REQUEST', 'VALIDATION_FAILED']);
    expect(errors?.[0]?.message).toContain('at "given.role"');
    expect(Object.keys(errors?.[1]?.extensions['details'] as object)).toEqual([
      'given.expiresInHours',
      'given.reason',
    ]);
  });

  test('the rules of an input that fits its type are its area’s to tell, once', async () => {
    const tenant = await panel.world.tenant();
    const { errors } = await tenant.graphql(
      'mutation ($given: GrantDelegationInput!) { grantDelegation(input: $given) { id } }',
      { given: { role: 'VIEWER', expiresInHours: 0 } },
    );
    expect(errors).toHaveLength(1);
  });
});
