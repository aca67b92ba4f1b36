import { afterAll, beforeAll, expect, test } from 'vitest';

import { startTestPanel, type TestPanel } from '../support/panel.js';
import { until } from '../support/world.js';
import { PatroniMember } from './support/patroni-member.js';

let patroni: PatroniMember;
let panel: TestPanel;
beforeAll(async () => {
  patroni = await PatroniMember.start();
  panel = await startTestPanel({ NODE_NAME: 'pg-2', PATRONI_URLS: patroni.url });
});
afterAll(async () => {
  await panel.stop();
  await patroni[Symbol.asyncDispose]();
});

interface Answer {
  data?: { failOver: { leader: string | null; database: { leader: string | null } } } | null;
  errors?: { message: string; extensions: { code: string; reason?: string } }[];
}

async function failOver(target: string | null, of = panel, token?: string): Promise<Answer> {
  return (await of.world.graphql(
    'mutation($target: String) { failOver(input: { target: $target }) { leader database { leader } } }',
    { target },
    token ?? (await of.world.administrator()),
  )) as Answer;
}
const reasonOf = ({ errors }: Answer) => errors?.[0]?.extensions.reason;
const switches = () => patroni.asked.filter((what) => what.startsWith('POST')).length;
const idIn = async ({ sql }: TestPanel) =>
  (await sql<{ id: string }>(`select id from platform.process where node_name = 'pg-2'`))[0]!.id;
const untilLed = async ({ sql }: TestPanel) =>
  until(
    async () => (await sql('select from platform.lease where expires_at > now()')).length === 5,
    'the leases',
  );

test('a name that is a process and a server is refused, an id is not; where Patroni is away no name is guessed', async () => {
  await untilLed(panel);
  expect(reasonOf(await failOver('pg-2'))).toBe('AMBIGUOUS_CANDIDATE');
  expect((await failOver(await idIn(panel))).data?.failOver.leader).toBe('pg-2');
  expect(switches()).toBe(0);

  await using alone = await startTestPanel({ NODE_NAME: 'pg-2', PATRONI_URLS: 'http://127.0.0.1:9' });
  await untilLed(alone);
  for (const name of ['pg-2', 'pg-9', null])
    expect([name, reasonOf(await failOver(name, alone))]).toEqual([name, 'PATRONI_AWAY']);
  expect((await failOver(await idIn(alone), alone)).data?.failOver.leader).toBe('pg-2');
}, 120_000);
