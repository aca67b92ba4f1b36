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
