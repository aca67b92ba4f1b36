import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

import { trailOf } from '../identity/audit/support.js';
import { createTestDatabase, startTestPanel, type TestPanel } from '../support/panel.js';
import { SwitchedAddress } from '../support/switched-address.js';
import { until, type GraphQLAnswer, type Tenant } from '../support/world.js';
import { PatroniMember } from './support/patroni-member.js';
import { StandInProcess } from './support/stand-in-process.js';

let patroni: PatroniMember;
let server: number;
let address: SwitchedAddress;
let panel: TestPanel;
beforeAll(async () => {
  patroni = await PatroniMember.start();
  const database = await createTestDatabase();
  const app = new URL(database.ownerUrl);
  app.username = 'panel_app';
  app.password = inject('postgres').password;
  server = Number(app.port);
  address = await SwitchedAddress.open(server);
  panel = await startTestPanel({ NODE_NAME: 'pg-2', PATRONI_URLS: patroni.url }, 'in process', {
    ...database,
    url: address.through(app.href),
  });
});
afterAll(async () => {
  await panel.stop();
  await address[Symbol.asyncDispose]();
  await patroni[Symbol.asyncDispose]();
});

type Answer = GraphQLAnswer<{ failOver: { leader: string | null; database: { leader: string | null } } }>;

async function failOver(target: string | null, of = panel, token?: string): Promise<Answer> {
  return of.world.graphql(
    'mutation($target: String) { failOver(input: { target: $target }) { leader database { leader } } }',
    { target },
    token ?? (await of.world.administrator()),
  );
}
const reasonOf = ({ errors }: Answer) => errors?.[0]?.extensions['reason'];
const switches = () => patroni.asked.filter((what) => what.startsWith('POST')).length;
const idIn = async (of: TestPanel) =>
  (await of.sql<{ id: string }>(`select id from platform.process where node_name = 'pg-2'`))[0]!.id;
const untilLed = async (of: TestPanel) =>
  until(
    async () => (await of.sql('select from platform.lease where expires_at > now()')).length === 5,
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

/** What the trail has of a failover of the database to the server, once it has it. */
async function inTrail(server: string): Promise<string[]> {
  const token = await panel.world.administrator();
  const administrator = {
    graphql: async (query: string, variables = {}) => panel.world.graphql(query, variables, token),
  } as unknown as Tenant;
  let found: string[] = [];
  await until(async () => {
    const { nodes } = await trailOf(administrator, { first: 20, filter: { action: 'failOver' } });
    found = nodes.filter(({ target }) => target === server).map(({ details }) => JSON.stringify(details));
    return found.length > 0;
  }, 'the failover in the trail');
  return found;
}

test('where nobody leads and the database is away Patroni is asked all the same, and the trail tells of it afterwards', async () => {
  const token = await panel.world.administrator();
  patroni.members = [
    { name: 'pg-1', role: 'replica', state: 'stopped' },
    { name: 'pg-3', role: 'replica', state: 'running', lag: 0 },
  ];
  patroni.asked.length = 0;
  patroni.onSwitch = async () => {
    patroni.lead('pg-3');
    address.switchTo(server);
  };
  address.cut();
  await until(
    async () => (await failOver('pg-3', panel, token)).data?.failOver.database.leader === 'pg-3',
    'the failover',
    60_000,
  );
  expect(patroni.asked.filter((what) => what.startsWith('POST'))).toEqual(['POST /failover']);
  await untilLed(panel);
  const told = await inTrail('pg-3');
  expect(told).toHaveLength(1);
  expect(told[0]).toContain('"from":null');
}, 180_000);

test('a switchover that takes long is answered within seconds, goes on, and is waited for when it is asked for again', async () => {
  patroni.lead('pg-3');
  const before = switches();
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  patroni.onSwitch = async () => {
    await finished;
    patroni.lead('pg-1');
  };
  const startedAt = performance.now();
  expect(reasonOf(await failOver('pg-1'))).toBe('FAILOVER_UNDER_WAY');
  expect(performance.now() - startedAt).toBeLessThan(9_900);
  const again = failOver('pg-1');
  finish();
  expect((await again).data?.failOver.database.leader).toBe('pg-1');
  expect(switches()).toBe(before + 1);
  expect(await inTrail('pg-1')).toHaveLength(1);
}, 120_000);

test('in a step that takes long a process holds its lease all the same, and a failover is told to come back', async () => {
  await untilLed(panel);
  const areas = (await panel.sql<{ name: string }>('select name from platform.lease')).map(
    ({ name }) => name,
  );
  await using other = await StandInProcess.comes(panel, 'other/1', { areas: areas.join(',') });
  const step = new pg.Client({ connectionString: panel.database.ownerUrl });
  await step.connect();
  try {
    await until(async () => {
      await panel.sql(`update platform.lease set expires_at = now() - interval '1 second'`);
      await step.query('begin');
      const { rows } = await step.query<{ isOver: boolean }>(
        'select expires_at < clock_timestamp() as "isOver" from platform.lease for share',
      );
      if (rows.every(({ isOver }) => isOver)) return true;
      await step.query('rollback');
      return false;
    }, 'leases that ran out');
    const { data } = await panel.world.graphql<{
      haStatus: { leader: string | null; reasons: { code: string }[] };
    }>('{ haStatus { leader reasons { code } } }', {}, await panel.world.administrator());
    expect(data?.haStatus.leader).toBe('pg-2');
    expect(data?.haStatus.reasons.map(({ code }) => code)).not.toContain('LEASES_FREE');
    expect(reasonOf(await failOver(other.id))).toBe('SINGLETON_UNDER_WAY');
    await step.query('rollback');
  } finally {
    await step.end();
  }
}, 120_000);
