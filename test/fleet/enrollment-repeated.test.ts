import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { createAgent } from '#agent/agent.js';
import { createLogger } from '#agent/logger.js';
import { memoryStateStore } from '#agent/state-store.js';
import { ServiceTokens } from '#platform/auth/service-token.js';
import { Keyring } from '#platform/secrets/keyring.js';

import { steadyMetrics } from '../agent/support/node.js';
import { dataOf, refusal } from '../support/answers.js';
import { startTestPanel, testSecretsKey, type TestPanel } from '../support/panel.js';
import { until, type Tenant } from '../support/world.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

interface Made {
  token: string;
}

const hostname = 'rack-7.example.com';

async function comeback(tenant: Tenant, instanceId: string): Promise<string> {
  const answer = await tenant.graphql<{ createReenrollmentToken: Made }>(
    'mutation($instanceId: ID!) { createReenrollmentToken(instanceId: $instanceId) { token } }',
    { instanceId },
  );
  return dataOf(answer).createReenrollmentToken.token;
}

/** A tenant with room for one more node, and what lets that node in. */
const tokens: Record<string, (tenant: Tenant) => Promise<string>> = {
  'of any number of nodes': async (tenant) => {
    await tenant.node();
    await tenant.node();
    return tenant.enrollmentToken();
  },
  'of a server': async (tenant) => {
    const service = new ServiceTokens(Keyring.parse(testSecretsKey), 'http://panel.test', panel.clock);
    const answer = await panel.world.graphql<{ createServerEnrollmentToken: Made }>(
      'mutation($input: CreateServerEnrollmentTokenInput!) { createServerEnrollmentToken(input: $input) { token } }',
      { input: { serverId: 'srv_1', name: 'rack-7', hostname, expiresInHours: 1 } },
      await service.issue('test', tenant.id, ['fleet.server-token.create']),
    );
    return dataOf(answer).createServerEnrollmentToken.token;
  },
  'of a node that comes back': async (tenant) => {
    const node = await tenant.node();
    return comeback(tenant, node.id);
  },
};

describe.each(Object.entries(tokens))('by a token %s', (_, make) => {
  test('a node whose answer was lost asks again, and is the one instance that the token was used for', async () => {
    const tenant = await panel.world.tenant();
    const token = await make(tenant);
    const lost: string[] = [];
    let isBeating = false;
    const agent = createAgent({
      panelUrl: panel.panel.url,
      enrollmentToken: token,
      name: 'rack-7',
      hostname,
      version: '0.2.9',
      stateStore: memoryStateStore(),
      metrics: { collect: async () => steadyMetrics },
      logger: createLogger('silent'),
      random: () => 0,
      fetch: async (...call) => {
        const answer = await fetch(...call);
        if (answer.status !== 201 || lost.length > 0) return answer;
        lost.push(((await answer.json()) as { instance_id: string }).instance_id);
        throw new Error('socket hang up');
      },
      onEvent: ({ type }) => {
        isBeating ||= type === 'beat-accepted';
      },
    });
    await agent.start();
    onTestFinished(() => agent.stop());
    await until(async () => isBeating, 'the first beat');

    const used = await panel.sql(
      `select i.id, t.uses,
         (select count(*)::int from fleet.outbox o where o.tenant_id = t.tenant_id
            and o.payload ->> 'enrollmentTokenId' = t.id and o.topic = 'fleet.instance.enrolled') as told,
         (select count(*)::int from fleet.instance h where h.tenant_id = t.tenant_id and h.hostname = $2) as instances
       from fleet.enrollment_token t join fleet.instance i on i.tenant_id = t.tenant_id and i.hostname = $2
       where t.tenant_id = $1 and t.prefix = $3`,
      [tenant.id, hostname, token.slice(0, 12)],
    );
    expect(used).toEqual([{ id: lost[0], uses: 1, told: 1, instances: 1 }]);
    expect(agent.instanceId).toBe(lost[0]);
  });
});

describe('an enrollment that comes again under its key', () => {
  const node = { name: 'rack-7', hostname, version: '0.2.9' };
  const enroll = async (token: string, key: string, more: Record<string, unknown> = {}) =>
    panel.world.rest<{ instance_id: string; credential: string }>('/api/agent/enroll', {
      body: { token, ...node, ...more },
      headers: { 'idempotency-key': key },
    });

  test('has a credential that ends with the one before, and no copy of either is kept', async () => {
    const tenant = await panel.world.tenant();
    const token = await tenant.enrollmentToken({ max_uses: 1 });
    const [first, again] = await Promise.all([enroll(token, 'k'), enroll(token, 'k')]);
    const subjects = [first, again].map(({ body }) => decodeJwt(body.credential));
    const expected = { sub: first.body.instance_id, gen: 1, tenant: tenant.id };
    expect(subjects).toEqual([expect.objectContaining(expected), expect.objectContaining(expected)]);
    const kept = await panel.sql('select * from fleet.idempotency_key where tenant_id = $1', [tenant.id]);
    expect(kept).toEqual([
      expect.objectContaining({ key: 'k', response: { instanceId: first.body.instance_id, generation: 1 } }),
    ]);
    const taken = await enroll(await comeback(tenant, first.body.instance_id), 'another');
    const late = await enroll(token, 'k');
    expect([first, again, late, taken].map(({ body }) => body.instance_id)).toEqual(
      Array.from({ length: 4 }, () => first.body.instance_id),
    );
    const beats = [late, taken].map(async ({ body }) =>
      panel.world.rest('/api/agent/heartbeat', { token: body.credential, body: {} }),
    );
    // 422: let in, and judged for what it sends.
    expect((await Promise.all(beats)).map(({ status }) => status)).toEqual([401, 422]);
  });

  test('is refused with another body, another token, another key, or when its day is over', async () => {
    const tenant = await panel.world.tenant();
    const [token, other] = [
      await tenant.enrollmentToken({ max_uses: 1, expires_in_hours: 48 }),
      await tenant.enrollmentToken(),
    ];
    expect((await enroll(token, 'k')).status).toBe(201);
    const answers = [
      await enroll(token, 'k', { name: 'rack-8' }),
      await enroll(other, 'k'),
      await enroll(token, 'another'),
    ];
    expect(answers.map(({ status }) => status)).toEqual([422, 422, 401]);
    await panel.clock.leap(24 * 60 * 60 * 1000);
    expect((await enroll(token, 'k')).status).toBe(401);
  });

  test('finds nothing when the instance has left the fleet', async () => {
    const tenant = await panel.world.tenant();
    const token = await tenant.enrollmentToken();
    const { body } = await enroll(token, 'k');
    await tenant.rest(`/api/fleet/instances/${body.instance_id}`, { method: 'DELETE' });
    const answer = await panel.world.graphql(
      'mutation($input: EnrollInstanceInput!) { enrollInstance(input: $input) { instanceId } }',
      { input: { token, ...node, idempotencyKey: 'k' } },
    );
    expect(refusal(answer)).toEqual({ code: 'UNAUTHENTICATED', reason: 'TOKEN_REVOKED' });
  });
});
