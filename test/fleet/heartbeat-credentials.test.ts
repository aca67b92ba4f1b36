import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { refusal, restTime } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { Node, ordinaryBeat } from '../support/world.js';
import { rowOf, samplesOf } from './support/stored.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

const day = 24 * 60 * 60 * 1000;

async function newNode(): Promise<Node> {
  return (await panel.world.tenant()).node();
}

test('only a node may beat: users are forbidden, strangers unknown', async () => {
  const tenant = await panel.world.tenant();
  const answers = [
    await tenant.rest('/api/agent/heartbeat', { body: ordinaryBeat }),
    await panel.world.rest('/api/agent/heartbeat', { body: ordinaryBeat }),
    await panel.world.rest('/api/agent/heartbeat', { body: ordinaryBeat, token: 'nonsense' }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([403, 401, 401]);
});

test('a credential of a revoked generation is refused, and its beat is not stored', async () => {
  const node = await newNode();
  await node.beat();
  const before = await rowOf(panel, node);
  await panel.sql('update fleet.instance set credential_generation = 2 where id = $1', [node.id]);
  await panel.clock.advance(30_000);
  const answer = await node.beat({ cpu_percent: 99 });
  expect([answer.status, answer.body]).toEqual([401, { error: 'The credential was revoked' }]);
  const reason = await panel.world.graphql(
    'mutation($input: ReportHeartbeatInput!) { reportHeartbeat(input: $input) { serverTime } }',
    {
      input: {
        cpuPercent: 1,
        memoryPercent: 1,
        diskPercent: 1,
        appsCount: 1,
        cpuCores: 1,
        memoryGb: 1,
        version: '1',
      },
    },
    node.credential,
  );
  expect(refusal(reason)).toEqual({ code: 'UNAUTHENTICATED', reason: 'TOKEN_REVOKED' });
  expect(await rowOf(panel, node)).toEqual({ ...before, credential_generation: 2 });
  expect(await samplesOf(panel, node)).toHaveLength(1);
});

test('a credential is renewed from ten days before its end to seven days after, and refused then', async () => {
  const node = await newNode();
  const start = panel.clock.now().getTime();
  const beatAt = async (ms: number, credential: string) => {
    await panel.clock.advance(start + ms - panel.clock.now().getTime());
    return new Node(panel.world, node.name, node.id, credential).beat();
  };
  expect((await beatAt(20 * day - 1000, node.credential)).body).not.toHaveProperty('credential');
  const early = await beatAt(20 * day, node.credential);
  expect(decodeJwt(String(early.body.credential)).exp).toBe((start + 50 * day) / 1000);

  const late = await beatAt(37 * day - 1000, node.credential);
  const renewed = String(late.body.credential);
  expect([late.status, decodeJwt(renewed)]).toEqual([
    200,
    expect.objectContaining({ sub: node.id, gen: 1, exp: (start + 67 * day) / 1000 - 1 }),
  ]);
  const refused = await beatAt(37 * day, node.credential);
  expect([refused.status, refused.body]).toEqual([401, { error: 'The token has expired' }]);
  const next = await beatAt(37 * day, renewed);
  expect([next.status, next.body]).toEqual([
    200,
    { server_time: restTime(panel.clock.now()), heartbeat_seconds: 30, commands: [] },
  ]);
});

test('a stored beat is answered even when the credential that waits for its node cannot be read', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  await tenant.graphql('mutation($id: ID!) { rotateInstanceCredential(id: $id) { id } }', { id: node.id });
  await panel.sql('alter table fleet.instance rename column candidate_generation to elsewhere');
  const answer = await node.beat({ cpu_percent: 77 });
  await panel.sql('alter table fleet.instance rename column elsewhere to candidate_generation');
  expect([answer.status, answer.body]).toEqual([
    200,
    { server_time: restTime(panel.clock.now()), heartbeat_seconds: 30, commands: [] },
  ]);
  expect(await rowOf(panel, node)).toMatchObject({ cpu_percent: 77 });
  expect((await node.beat()).body, 'it comes with the next one').toHaveProperty('credential');
});
