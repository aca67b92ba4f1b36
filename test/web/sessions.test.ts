import type { Page, Route } from 'playwright-core';
import { afterAll, expect, test, vi } from 'vitest';

import { isChromiumThere } from '../identity/support/chromium.js';
import { Mailbox } from '../identity/support/mailbox.js';
import { Scene } from '../security/scene.js';
import { dataOf } from '../support/answers.js';
import { startTestPanel } from '../support/panel.js';
import { until } from '../support/world.js';
import { faultsOf } from './support/axe.js';
import { heading, nothingWrong, press, type Person } from './support/console.js';
import { open, retype, savedBy } from './support/editing.js';
import { useStage } from './support/stage.js';

vi.setConfig({ testTimeout: 120_000 });

let mailbox: Mailbox;
afterAll(async () => mailbox?.[Symbol.asyncDispose]());
const stage = useStage(async () => {
  mailbox = await Mailbox.start();
  return startTestPanel({ SMTP_URL: mailbox.url });
});
const { person } = stage;

async function pressSignOut(page: Page): Promise<void> {
  await page.locator('header summary', { hasText: 'Owner' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
}

const cookieOf = async (dana: Person): Promise<string | undefined> =>
  (await dana.cookies()).find(({ name }) => name === 'quazzar_console')?.value;

/** What a cookie is still good for. */
async function renewal(cookie: string): Promise<number> {
  const { url } = stage.panel.panel;
  const answer = await fetch(`${url}/console/session/refresh`, {
    method: 'POST',
    headers: { origin: url, 'x-quazzar-console': '1', cookie: `quazzar_console=${cookie}` },
  });
  return answer.status;
}

/** Lets requests for a session go, and keeps their answers until told. */
async function holdAnswers(page: Page, what: string): Promise<{ asked: Promise<void>; release: () => void }> {
  let release: () => void = () => undefined;
  let tell: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const asked = new Promise<void>((resolve) => (tell = resolve));
  await page.route(`**/console/session/${what}`, async (route: Route) => {
    const response = await route.fetch();
    tell();
    await held;
    await route.fulfill({ response });
  });
  return { asked, release };
}

test.skipIf(!isChromiumThere)(
  'a sign-out that the panel could not do leaves the session whole, and is done when it is tried again',
  async () => {
    const tenant = await stage.panel.world.tenant();
    await using dana = await person();
    const page = await dana.signIn(tenant);
    await heading(page, 'Overview');
    const before = await cookieOf(dana);
    await stage.panel.sql(
      `create function identity.no_end() returns trigger language plpgsql as $$ begin
         if new.revoked_at is not null then raise exception 'not now'; end if; return new; end $$`,
    );
    await stage.panel.sql(
      'create trigger no_end before update on identity.session for each row execute function identity.no_end()',
    );
    try {
      await pressSignOut(page);
      await page.getByText('The panel can not do this just now. Try again in a moment.').waitFor();
    } finally {
      await stage.panel.sql('drop trigger no_end on identity.session');
      await stage.panel.sql('drop function identity.no_end()');
    }
    const after = await cookieOf(dana);
    expect([typeof after, after === before]).toEqual(['string', false]);
    // The token that was used up for the attempt would end the session, were it still what the browser has.
    await stage.panel.clock.advance(15_000);
    await page.reload();
    await heading(page, 'Overview');
    const last = await cookieOf(dana);
    await pressSignOut(page);
    await heading(page, 'Sign in');
    expect(await cookieOf(dana)).toBeUndefined();
    expect(await renewal(last!)).toBe(401);
    expect(dana.complaints).toEqual([]);
  },
);

test.skipIf(!isChromiumThere)(
  'a sign-out whose answer was lost is one all the same, and where nobody can be asked no more is said than is known',
  async () => {
    const tenant = await stage.panel.world.tenant();
    await using dana = await person();
    const page = await dana.signIn(tenant);
    await heading(page, 'Overview');
    const outs = '**/console/session/logout';
    await page.route(outs, async (route: Route) => route.abort());
    await pressSignOut(page);
    await page.getByText('You may be signed out or not. The panel can not be reached.').waitFor();
    await page.reload();
    await heading(page, 'Overview');
    const last = await cookieOf(dana);
    let lost = 0;
    await page.unroute(outs);
    await page.route(
      outs,
      async (route: Route) => {
        lost = (await route.fetch()).status();
        await route.abort();
      },
      { times: 1 },
    );
    await pressSignOut(page);
    await heading(page, 'Sign in');
    expect(lost).toBe(204);
    expect(await cookieOf(dana)).toBeUndefined();
    expect(await renewal(last!)).toBe(401);
  },
);

test.skipIf(!isChromiumThere)(
  'a new password by mail ends the session of a browser, with its cookie',
  async () => {
    const tenant = await stage.panel.world.tenant();
    await using dana = await person();
    const page = await dana.signIn(tenant);
    await heading(page, 'Overview');
    const { email } = tenant.account;
    dataOf(
      await stage.panel.world.graphql(
        'mutation ($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) }',
        {
          input: { email },
        },
      ),
    );
    const token = await mailbox.token(email, /new password/);
    dataOf(
      await stage.panel.world.graphql(
        'mutation ($input: ResetPasswordInput!) { resetPassword(input: $input) }',
        {
          input: { token, newPassword: 'another horse battery' },
        },
      ),
    );
    await heading(page, 'Sign in');
    await expect.poll(async () => cookieOf(dana)).toBeUndefined();
    await page.reload();
    await heading(page, 'Sign in');
    expect(dana.complaints).toEqual([]);
  },
);

test.skipIf(!isChromiumThere)(
  'whoever is removed from the organization is signed out, with the cookie',
  async () => {
    const scene = await Scene.make(stage.panel);
    const { userId } = await scene.member('viewer', false);
    const [user] = await stage.panel.sql<{ email: string }>(
      'select email from identity."user" where id = $1',
      [userId],
    );
    await using dana = await person();
    const page = await dana.signIn({ account: { ...scene.tenant.account, email: user!.email } });
    await heading(page, 'Overview');
    dataOf(
      await scene.tenant.graphql(
        'mutation ($id: ID!, $currentPassword: String) { removeMember(id: $id, currentPassword: $currentPassword) { id } }',
        { id: userId, currentPassword: scene.tenant.account.password },
      ),
    );
    await heading(page, 'Sign in');
    await expect.poll(async () => cookieOf(dana)).toBeUndefined();
    expect(dana.complaints).toEqual([]);
  },
);

test.skipIf(!isChromiumThere).for([['with locks'], ['without locks, as on a page without TLS']] as const)(
  'a tab that signs out while another renews ends both, and leaves no token that is good: %s',
  async ([how]) => {
    const tenant = await stage.panel.world.tenant();
    await using dana = await person();
    if (how !== 'with locks') {
      await dana.context.addInitScript(
        "Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })",
      );
    }
    const first = await dana.signIn(tenant);
    await heading(first, 'Overview');
    const second = await dana.open('/alerts');
    await heading(second, 'Alerts');
    const { asked, release } = await holdAnswers(second, 'refresh');
    const reloaded = second.reload();
    await asked;
    const cookies = new Set([await cookieOf(dana)]);
    await pressSignOut(first);
    if (how !== 'with locks') await heading(first, 'Sign in');
    release();
    await reloaded;
    for (const page of [first, second]) await heading(page, 'Sign in');
    cookies.add(await cookieOf(dana));
    const left = [...cookies].filter((cookie) => cookie !== undefined);
    expect(await Promise.all(left.map(renewal))).toEqual(left.map(() => 401));
    expect(dana.complaints).toEqual([]);
  },
);

test.skipIf(!isChromiumThere)('a tab that renews while another signs out is signed out', async () => {
  const tenant = await stage.panel.world.tenant();
  await using dana = await person();
  const first = await dana.signIn(tenant);
  await heading(first, 'Overview');
  const second = await dana.open('/alerts');
  await heading(second, 'Alerts');
  const { asked, release } = await holdAnswers(first, 'logout');
  await pressSignOut(first);
  await asked;
  await second.reload();
  release();
  for (const page of [first, second]) await heading(page, 'Sign in');
  expect(await cookieOf(dana)).toBeUndefined();
  expect(dana.complaints).toEqual([]);
});

test.skipIf(!isChromiumThere)(
  'a session that ended while its browser was offline is over when it is back, and not before',
  async () => {
    const tenant = await stage.panel.world.tenant();
    await using dana = await person();
    const page = await dana.signIn(tenant);
    await heading(page, 'Overview');
    await dana.setOffline(true);
    await page.getByText('You are offline.').waitFor();
    await stage.panel.sql(
      `update identity.refresh_token set expires_at = expires_at - interval '15 days' where tenant_id = $1`,
      [tenant.id],
    );
    await stage.panel.clock.leap(16 * 60_000);
    await heading(page, 'Overview');
    expect(await cookieOf(dana)).toBeDefined();
    await dana.setOffline(false);
    await heading(page, 'Sign in');
    await expect.poll(async () => cookieOf(dana)).toBeUndefined();
    expect(dana.complaints).toEqual([]);
  },
);

test.skipIf(!isChromiumThere)(
  'an organization is copied and closed by its owner, who types its name for that, and is taken back by the mailed link',
  async () => {
    const tenant = await stage.panel.world.tenant('Odd (Co.)');
    const { email } = tenant.account;
    // An area has lost what it was asked for.
    await stage.panel.sql(
      `insert into identity.organization_export (tenant_id, id, started_at, expires_at, report, is_cut)
       values ($1, 'export_lost', now() - interval '2 hours', now() + interval '6 days', '{}', false)`,
      [tenant.id],
    );
    expect(
      await stage.at(tenant, '/members', async (page) => {
        await page.getByText('The last one was not finished in an hour').waitFor();
        await press(page, 'Make a copy of the organization');
        const save = page.getByRole('button', { name: 'Save the copy of the organization' });
        await until(async () => {
          await stage.panel.clock.leap(5_000);
          return save.isVisible();
        }, 'the copy to be made');
        const copy = await savedBy(page, 'Save the copy of the organization', `${tenant.id}.ndjson`);
        expect(copy).toContain(email);
        await open(page, 'Close the organization', 'Close Odd (Co.)?');
        await retype(page, 'Its name, to be sure', 'Odd');
        await retype(page, 'Your password', tenant.account.password);
        await page.keyboard.press('Enter');
        await page.getByRole('dialog').locator('input:invalid').waitFor();
        await retype(page, 'Its name, to be sure', 'Odd (Co.)');
        await page.keyboard.press('Enter');
        await page.getByRole('button', { name: 'Sign in' }).waitFor();
        const token = await mailbox.token(email, /organization was closed/);
        await page.goto(`${stage.panel.panel.url}/account/restore-organization#token=${token}`);
        await press(page, 'Restore the organization');
        await page.getByText('Done. The organization is restored').waitFor();
        expect(await faultsOf(page)).toEqual([]);
      }),
    ).toEqual(nothingWrong);
  },
);
