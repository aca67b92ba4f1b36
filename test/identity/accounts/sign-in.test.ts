import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal, restTime } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

const password = 'correct horse battery';
const register = async (body: Record<string, unknown>) => panel.world.rest('/api/auth/register', { body });

function tokensFor(user: unknown) {
  return {
    user,
    access_token: expect.any(String),
    refresh_token: expect.stringMatching(/^[\w-]{43}$/),
    token_type: 'Bearer',
    expires_in: 900,
  };
}

test.concurrent('registering makes a tenant with its owner, signed in', async () => {
  const email = 'Ada@Register.example';
  const answer = await register({ email, password, name: ' Ada ', company: 'Analytical Engines' });
  const user = {
    id: expect.stringMatching(/^usr_[0-9a-z]{26}$/),
    // A domain is the same in any case.
    email: 'Ada@register.example',
    name: 'Ada',
    role: 'owner',
    totp_enabled: false,
    created_at: restTime(panel.clock.now()),
    tenant: { id: expect.stringMatching(/^org_[0-9a-z]{26}$/), name: 'Analytical Engines', plan: 'free' },
  };
  expect([answer.status, answer.body]).toEqual([201, tokensFor(user)]);
  const token = String(answer.body.access_token);
  const me = await panel.world.rest('/api/auth/me', { token });
  expect([me.status, me.body]).toEqual([200, answer.body.user]);
  const [row] = await panel.sql(
    `select password_hash, is_administrator, to_jsonb(u)::text as whole from identity."user" u where email = $1`,
    [user.email],
  );
  expect(row).toEqual({
    password_hash: expect.stringMatching(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/),
    is_administrator: false,
    whole: expect.not.stringContaining(password),
  });
});

test.concurrent("without a company the tenant has the person's name", async () => {
  const answer = await register({ email: 'solo@register.example', password, name: 'Solo' });
  expect(answer.body.user).toMatchObject({ tenant: { name: 'Solo' } });
});

test.concurrent('an access token says who, where and for how long, and nothing more', async () => {
  const tenant = await panel.world.tenant();
  const issuedAt = panel.clock.now().getTime() / 1000;
  expect(decodeProtectedHeader(tenant.token)).toEqual({
    alg: 'ES256',
    kid: expect.stringMatching(/^key_/),
    typ: 'at+jwt',
  });
  expect(decodeJwt(tenant.token)).toEqual({
    iss: 'http://panel.test',
    aud: 'quazzar-panel',
    sub: tenant.user.id,
    tenant: tenant.id,
    sid: expect.stringMatching(/^ses_/),
    role: 'owner',
    iat: issuedAt,
    exp: issuedAt + 900,
  });
});

test.concurrent('an e-mail address has one account, however it is written, and nothing is left of the second', async () => {
  await register({ email: 'taken@register.example', password, name: 'First' });
  const tenants = async () => panel.sql(`select 1 from identity.tenant where name = 'Second'`);
  for (const email of ['taken@register.example', 'TAKEN@Register.Example']) {
    const answer = await register({ email, password, name: 'Second' });
    expect([answer.status, answer.body]).toEqual([
      409,
      { error: 'An account with this e-mail address exists' },
    ]);
  }
  const again = await panel.world.graphql(
    'mutation($input: RegisterInput!) { register(input: $input) { expiresIn } }',
    { input: { email: 'taken@register.example', password, name: 'Second' } },
  );
  expect(refusal(again)).toEqual({ code: 'CONFLICT', reason: 'EMAIL_TAKEN' });
  expect(await tenants()).toEqual([]);
});

test.concurrent('of many who register one address at once exactly one gets it', async () => {
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => register({ email: 'race@register.example', password, name: 'Racer' })),
  );
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
    201, 409, 409, 409, 409, 409, 409, 409,
  ]);
  expect(await panel.sql(`select 1 from identity.tenant where name = 'Racer'`)).toHaveLength(1);
});

test.concurrent('every field of a registration that breaks a rule is named', async () => {
  const answer = await register({ email: 'nobody', password: 'short', name: '', company: ' ' });
  expect([answer.status, answer.body]).toEqual([
    422,
    {
      error: 'Validation failed',
      details: {
        email: 'Email must be an e-mail address',
        password: 'Password must have at least 12 characters',
        name: 'Name is required',
        company: 'Company is required',
      },
    },
  ]);
  const long = await register({ email: 'long@register.example', password: 'x'.repeat(257), name: 'Long' });
  expect(long.body).toEqual({
    error: 'Validation failed',
    details: { password: 'Password must have at most 256 characters' },
  });
});

test.concurrent('a user signs in with the address in any case', async () => {
  const { account, user } = await panel.world.tenant();
  const answer = await panel.world.login(account.email.toUpperCase(), account.password);
  expect([answer.status, answer.body]).toEqual([200, tokensFor({ ...user, created_at: expect.any(String) })]);
  const me = await panel.world.rest('/api/auth/me', { token: answer.body.access_token });
  expect(me.body).toEqual(answer.body.user);
});

test.concurrent('a wrong password and an unknown user are told the same', async () => {
  const { account } = await panel.world.tenant();
  const wrong = await panel.world.login(account.email, 'not the password');
  const unknown = await panel.world.login('nobody@example.com', 'not the password');
  const visible = ({ status, body, headers }: typeof wrong) => ({
    status,
    body,
    headers: [...headers.keys()],
  });
  expect(visible(wrong)).toEqual(visible(unknown));
  expect([wrong.status, wrong.body]).toEqual([401, { error: 'E-mail address or password is wrong' }]);
  const asked = await panel.world.graphql(
    'mutation($input: LoginInput!) { login(input: $input) { expiresIn } }',
    { input: { email: account.email, password: 'not the password' } },
  );
  expect(refusal(asked)).toEqual({ code: 'UNAUTHENTICATED', reason: 'WRONG_CREDENTIALS' });
});

test.concurrent('signing in needs both fields, as text', async () => {
  const missing = await panel.world.rest('/api/auth/login', { body: { email: 'a@example.com' } });
  expect([missing.status, missing.body]).toEqual([
    422,
    { error: 'Validation failed', details: { password: 'Password is required' } },
  ]);
  const wrong = await panel.world.rest('/api/auth/login', { body: { email: 'a@example.com', password: 5 } });
  expect([wrong.status, wrong.body]).toEqual([400, { error: expect.stringContaining('password') }]);
});

test.concurrent('text that PostgreSQL cannot hold is bad input at sign-in too', async () => {
  const answer = await panel.world.graphql(
    'mutation { login(input: { email: "a\\u0000@b.example", password: "x" }) { expiresIn } }',
  );
  expect(refusal(answer)).toMatchObject({
    code: expect.stringMatching(/^(BAD_REQUEST|VALIDATION_FAILED|UNAUTHENTICATED)$/),
  });
});

test.concurrent('one GraphQL query joins the user, the tenant and its fleet', async () => {
  const tenant = await panel.world.tenant('Joined');
  const node = await tenant.node('production-01');
  await node.beat();
  const answer = await tenant.graphql(
    '{ me { email tenant { name instanceCounts { total healthy } } } instances { nodes { name tenant { name plan } } } }',
  );
  expect(dataOf(answer)).toEqual({
    me: { email: tenant.account.email, tenant: { name: 'Joined', instanceCounts: { total: 1, healthy: 1 } } },
    instances: { nodes: [{ name: 'production-01', tenant: { name: 'Joined', plan: 'FREE' } }] },
  });
});
