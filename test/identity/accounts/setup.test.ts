import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { startPanel } from '#panel/panel.js';
import { panelOptions } from '#panel/run.js';
import { silentLogger } from '#platform/logger.js';

import { dataOf, refusal } from '../../support/answers.js';
import { TestClock } from '../../support/clock.js';
import { createTestDatabase, type TestDatabase } from '../../support/panel.js';
import { World, type GraphQLAnswer } from '../../support/world.js';

let database: TestDatabase;
let owner: pg.Client;
const clock = new TestClock();
beforeAll(async () => {
  database = await createTestDatabase();
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
});
afterAll(async () => {
  await owner.end();
  await database.drop();
});

interface Started extends AsyncDisposable {
  link: string | undefined;
  /** The secret in the link. */
  token: string;
  world: World;
}

/** Starts the panel on the file's one database; each start is a new one of the same panel. */
async function start(settings: Record<string, string> = {}): Promise<Started> {
  const panel = await startPanel({
    ...panelOptions({
      DATABASE_URL: database.url,
      SECRETS_KEY: Buffer.alloc(32, 7).toString('base64'),
      DRAIN_SECONDS: '0',
      PORT: '0',
      HOST: '127.0.0.1',
      PUBLIC_URL: 'http://panel.test',
      RATE_LIMIT_PER_MINUTE: '1000000',
      ...settings,
    }),
    logger: silentLogger,
    clock,
  });
  return {
    link: panel.setupLink,
    token: panel.setupLink?.split('#token=')[1] ?? 'no link',
    world: new World(panel.url, clock),
    [Symbol.asyncDispose]: async () => panel.stop(),
  };
}

interface Completed {
  completeSetup: { accessToken: string; user: unknown };
}

const completeSetup = async (world: World, token: string, email: string): Promise<GraphQLAnswer<Completed>> =>
  world.graphql<Completed>(
    `mutation($input: CompleteSetupInput!) {
      completeSetup(input: $input) { accessToken user { email role tenant { name } } }
    }`,
    { input: { token, account: { email, password: 'correct horse battery', name: 'Root' } } },
  );

async function administrators(): Promise<string[]> {
  const { rows } = await owner.query<{ email: string }>(
    'select email from identity."user" where is_administrator',
  );
  return rows.map(({ email }) => email);
}

const invalid = { code: 'UNAUTHENTICATED', reason: 'SETUP_LINK_INVALID' };

test('a panel without an administrator shows a link to make one, whose secret it does not keep', async () => {
  await using panel = await start();
  expect(panel.link).toMatch(/^http:\/\/panel\.test\/setup#token=[\w-]{43}$/);
  const { rows } = await owner.query('select to_jsonb(l)::text as whole from identity.setup_link l');
  expect(rows).toEqual([{ whole: expect.not.stringContaining(panel.token) }]);
});

test('the page behind the link runs its own script only', async () => {
  await using panel = await start();
  const answer = await panel.world.rest('/setup');
  expect([answer.status, answer.headers.get('content-security-policy')]).toEqual([
    200,
    expect.stringMatching(/^default-src 'none'; script-src 'sha256-/),
  ]);
});

test('a link of a start that was more than 15 minutes ago works no more', async () => {
  const older = await start();
  await older[Symbol.asyncDispose]();
  await owner.query(`update identity.setup_link set created_at = created_at - interval '16 minutes'`);
  await using newer = await start();
  expect(newer.token).not.toBe(older.token);
  for (const token of [older.token, 'nonsense', '']) {
    expect(refusal(await completeSetup(newer.world, token, 'nobody@setup.example'))).toEqual(invalid);
  }
  expect(await administrators()).toEqual([]);
});

test('where registration is closed nobody makes an organization, and the set-up link still waits', async () => {
  await using panel = await start({ REGISTRATION: 'closed' });
  const tenants = async () => (await owner.query('select 1 from identity.tenant')).rows.length;
  const before = await tenants();
  const account = { email: 'stranger@setup.example', password: 'correct horse battery', name: 'Stranger' };
  const words = 'Registration is closed: ask whoever runs this panel for an invitation';
  const rest = await panel.world.rest('/api/auth/register', { body: account });
  expect([rest.status, rest.body]).toEqual([403, { error: words }]);
  const register = 'mutation($input: RegisterInput!) { register(input: $input) { accessToken } }';
  for (const input of [account, { ...account, email: 'not an address' }])
    expect(refusal(await panel.world.graphql(register, { input }))).toEqual({
      code: 'FORBIDDEN',
      reason: 'REGISTRATION_CLOSED',
    });
  expect(dataOf(await panel.world.graphql('{ registration }'))).toEqual({ registration: 'CLOSED' });
  const page = await fetch(`${panel.world.url}/account/register`, { redirect: 'manual' });
  expect([page.status, page.headers.get('location')]).toEqual([303, '/']);
  expect(await tenants()).toBe(before);
  // Refused for what was sent, not for being closed.
  expect(refusal(await completeSetup(panel.world, panel.token, 'not an address'))).toMatchObject({
    code: 'VALIDATION_FAILED',
  });
});

test('bad input does not use the link up', async () => {
  await using panel = await start();
  const bad = await completeSetup(panel.world, panel.token, 'not an address');
  expect(refusal(bad)).toMatchObject({ code: 'VALIDATION_FAILED' });
  const { rows } = await owner.query('select 1 from identity.setup_link where used_at is not null');
  expect(rows).toEqual([]);
});

test('of 20 who use the link at once exactly one is the administrator, also where registration is closed', async () => {
  await using panel = await start({ REGISTRATION: 'closed' });
  const { world, token } = panel;
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => completeSetup(world, token, `admin-${index}@setup.example`)),
  );
  const winners = answers.flatMap(({ data }) => data?.completeSetup ?? []);
  expect(winners).toHaveLength(1);
  const losers = answers.filter(({ errors }) => errors);
  expect(losers.map(refusal)).toEqual(Array.from({ length: 19 }, () => invalid));
  const [email, ...others] = await administrators();
  expect([others, winners[0]!.user]).toEqual([[], { email, role: 'OWNER', tenant: { name: 'Root' } }]);
  const { rows } = await owner.query(`select 1 from identity.tenant where name = 'Root'`);
  expect(rows).toHaveLength(1);

  const { accessToken } = winners[0]!;
  const { tenant } = dataOf(
    await world.graphql<{ tenant: { id: string } }>('{ tenant { id } }', {}, accessToken),
  );
  const granted = await world.graphql(
    'mutation($id: ID!) { grantPlan(input: { tenantId: $id, plan: PRO }) { plan } }',
    { id: tenant.id },
    accessToken,
  );
  expect(dataOf(granted)).toEqual({ grantPlan: { plan: 'PRO' } });
  expect(refusal(await completeSetup(world, token, 'late@setup.example'))).toEqual(invalid);
});

test('a panel that has an administrator shows no link, and makes no second one of its settings', async () => {
  const before = await administrators();
  expect(before).toHaveLength(1);
  for (const settings of [
    undefined,
    { ADMIN_EMAIL: 'other@setup.example', ADMIN_PASSWORD: 'correct horse battery' },
  ]) {
    await using panel = await start(settings);
    expect(panel.link).toBeUndefined();
  }
  expect(await administrators()).toEqual(before);
});
