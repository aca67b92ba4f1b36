import { afterEach, beforeEach, expect, test } from 'vitest';

import { refusal } from '../../support/answers.js';
import { startTestPanel, testAdministrator, type TestPanel } from '../../support/panel.js';
import { World, type GraphQLAnswer } from '../../support/world.js';

const invalid = { code: 'UNAUTHENTICATED', reason: 'SETUP_LINK_INVALID' };
const nobody = { ADMIN_EMAIL: '', ADMIN_PASSWORD: '' };
const settings = { ADMIN_EMAIL: testAdministrator.email, ADMIN_PASSWORD: testAdministrator.password };

let panel: TestPanel;
beforeEach(async () => {
  panel = await startTestPanel(nobody);
});
afterEach(async () => panel.stop());

const tokenOf = (link: string | undefined) => link?.split('#token=')[1] ?? 'no link';

async function completeSetup(
  world: World,
  token: string,
  email = 'late@setup.example',
): Promise<GraphQLAnswer> {
  return world.graphql(
    'mutation($input: CompleteSetupInput!) { completeSetup(input: $input) { user { email } } }',
    { input: { token, account: { email, password: 'correct horse battery', name: 'Late' } } },
  );
}

async function administrators(): Promise<string[]> {
  const rows = await panel.sql<{ email: string }>('select email from identity."user" where is_administrator');
  return rows.map(({ email }) => email);
}

test('a link that nobody used makes no second administrator once the settings have made the first', async () => {
  const token = tokenOf(panel.panel.setupLink);
  await panel.panel.stop();
  const next = await panel.another(settings);
  expect(refusal(await completeSetup(new World(next.url, panel.clock), token))).toEqual(invalid);
  expect(await administrators()).toEqual([testAdministrator.email]);
  expect(await panel.sql('select 1 from identity.setup_link where used_at is null')).toEqual([]);
});

test('a link makes no second administrator however the first one was made', async () => {
  const { user } = await panel.world.tenant();
  await panel.sql('update identity."user" set is_administrator = true where id = $1', [user.id]);
  expect(refusal(await completeSetup(panel.world, tokenOf(panel.panel.setupLink)))).toEqual(invalid);
  expect(await administrators()).toEqual([user.email]);
  await panel.panel.stop();
  expect((await panel.another(nobody)).setupLink).toBeUndefined();
  expect(await panel.sql('select 1 from identity.setup_link')).toEqual([]);
});

test('a link works for a day, and a new start prints another', async () => {
  const token = tokenOf(panel.panel.setupLink);
  await panel.clock.leap(24 * 60 * 60_000);
  expect(refusal(await completeSetup(panel.world, token))).toEqual(invalid);
  await panel.panel.stop();
  const next = await panel.another(nobody);
  const world = new World(next.url, panel.clock);
  expect((await completeSetup(world, tokenOf(next.setupLink))).errors).toBeUndefined();
  expect(await administrators()).toEqual(['late@setup.example']);
});
