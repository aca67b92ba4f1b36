import { afterAll, beforeAll, expect, test } from 'vitest';

import { startPanel } from '#panel/panel.js';
import { panelOptions } from '#panel/run.js';
import { silentLogger } from '#platform/logger.js';

import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel({ ADMIN_EMAIL: '', ADMIN_PASSWORD: '' });
});
afterAll(async () => panel.stop());

const tokenIn = (link: string | undefined) => /#token=([\w-]{43})$/.exec(link ?? '')?.[1] ?? 'no link';

const completeSetup = async (token: string, email: string) =>
  panel.world.graphql<{ completeSetup: { accessToken: string; user: unknown } }>(
    `mutation($input: CompleteSetupInput!) {
      completeSetup(input: $input) { accessToken user { email role tenant { name } } }
    }`,
    { input: { token, account: { email, password: 'correct horse battery', name: 'Root' } } },
  );

const administrators = async () =>
  panel.sql(`select email from identity."user" where is_administrator`);

const invalid = { code: 'UNAUTHENTICATED', reason: 'SETUP_LINK_INVALID' };

/** Another start of the panel on the same database, stopped at once. */
async function linkOfAnotherStart(settings: Record<string, string> = {}): Promise<string | undefined> {
  const again = await startPanel({
    ...panelOptions({
      DATABASE_URL: panel.database.url,
      SECRETS_KEY: Buffer.alloc(32, 7).toString('base64'),
      PORT: '0',
      HOST: '127.0.0.1',
      PUBLIC_URL: 'http://panel.test',
      ...settings,
    }),
    logger: silentLogger,
    clock: panel.clock,
  });
  await again.stop();
  return again.setupLink;
}

test('a panel without an administrator shows a link to make one, whose secret it does not keep', async () => {
  expect(panel.panel.setupLink).toMatch(/^http:\/\/panel\.test\/setup#token=[\w-]{43}$/);
  const rows = await panel.sql('select to_jsonb(l)::text as whole from identity.setup_link l');
  expect(rows).toEqual([{ whole: expect.not.stringContaining(tokenIn(panel.panel.setupLink)) }]);
});

test('the page behind the link runs its own script only', async () => {
  const answer = await panel.world.rest('/setup');
  expect([answer.status, answer.headers.get('content-security-policy')]).toEqual([
    200,
    expect.stringMatching(/^default-src 'none'; script-src 'sha256-/),
  ]);
});

test('a link that never was makes nobody', async () => {
  expect(refusal(await completeSetup('nonsense', 'nobody@setup.example'))).toEqual(invalid);
  expect(await administrators()).toEqual([]);
});

test('a link that is shown again at the next start takes the place of the one before', async () => {
  const older = tokenIn(panel.panel.setupLink);
  const newer = await linkOfAnotherStart();
  expect(tokenIn(newer)).not.toBe(older);
  expect(refusal(await completeSetup(older, 'older@setup.example'))).toEqual(invalid);
  expect(await administrators()).toEqual([]);
});

test('bad input does not use the link up, and of 20 who use it at once exactly one is the administrator', async () => {
  const token = tokenIn(await linkOfAnotherStart());
  expect(refusal(await completeSetup(token, 'not an address'))).toMatchObject({ code: 'VALIDATION_FAILED' });

  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => completeSetup(token, `admin-${index}@setup.example`)),
  );
  const winners = answers.flatMap(({ data }) => data?.completeSetup ?? []);
  expect(winners).toHaveLength(1);
  const losers = answers.filter(({ errors }) => errors);
  expect(losers.map(refusal)).toEqual(Array.from({ length: 19 }, () => invalid));
  const [administrator] = await administrators();
  expect(await administrators()).toHaveLength(1);
  expect(winners[0]!.user).toEqual({ email: administrator!.email, role: 'OWNER', tenant: { name: 'Root' } });
  const tenants = await panel.sql(`select count(*)::int as made from identity.tenant where name = 'Root'`);
  expect(tenants).toEqual([{ made: 1 }]);

  const granted = await panel.world.graphql(
    'mutation($id: ID!) { grantPlan(input: { tenantId: $id, plan: PRO }) { plan } }',
    { id: (await panel.world.tenant()).id },
    winners[0]!.accessToken,
  );
  expect(dataOf(granted)).toEqual({ grantPlan: { plan: 'PRO' } });

  expect(refusal(await completeSetup(token, 'late@setup.example'))).toEqual(invalid);
});

test('a panel that has an administrator shows no link, and makes no second one of its settings', async () => {
  const before = await administrators();
  expect(before).toHaveLength(1);
  const settings = { ADMIN_EMAIL: 'other@setup.example', ADMIN_PASSWORD: 'correct horse battery' };
  expect([await linkOfAnotherStart(), await linkOfAnotherStart(settings)]).toEqual([undefined, undefined]);
  expect(await administrators()).toEqual(before);
});

test('panels that start together on one database make one administrator', async () => {
  await using together = await startTestPanel({ ADMIN_EMAIL: '', ADMIN_PASSWORD: '' });
  const settings = {
    DATABASE_URL: together.database.url,
    ADMIN_EMAIL: 'first@setup.example',
    ADMIN_PASSWORD: 'correct horse battery',
  };
  await Promise.all(Array.from({ length: 4 }, () => linkOfAnotherStart(settings)));
  const made = await together.sql(`select email from identity."user" where is_administrator`);
  expect(made).toEqual([{ email: 'first@setup.example' }]);
});
