import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { schemas } from '#panel/areas.js';
import { Database } from '#platform/database/database.js';
import { silentLogger } from '#platform/logger.js';
import { assetPath } from '#platform/package-root.js';
import { Keyring } from '#platform/secrets/keyring.js';
import { reseal } from '#platform/secrets/reseal.job.js';

import { startTestPanel, type TestPanel } from '../support/panel.js';
import { World, type Tenant } from '../support/world.js';

const [oldKey, newKey] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
let panel: TestPanel;
let tenant: Tenant;

interface Sealed {
  id: string;
  sealed: string;
}

beforeAll(async () => {
  panel = await startTestPanel({ SECRETS_KEY: oldKey });
  tenant = await panel.world.tenant();
  const { password } = tenant.account;
  await tenant.graphql(`mutation { enableTotp(input: { currentPassword: "${password}" }) { secret } }`);
});

afterAll(async () => {
  await panel.stop();
});

const signingKeys = async () =>
  panel.sql<Sealed>('select kid as id, sealed_private_key as sealed from identity.signing_key');
const totpSecrets = async () =>
  panel.sql<Sealed>('select user_id as id, sealed_secret as sealed from identity.totp_secret');

function opened(keys: string, rows: readonly Sealed[]): string[] {
  const keyring = Keyring.parse(keys);
  return rows.map(({ id, sealed }) => keyring.open(sealed, id));
}

async function rotateSecrets(secretsKey: string): Promise<{ code: number; output: string }> {
  const script = assetPath('dist', 'panel', 'rotate-secrets.js');
  const env = {
    PATH: process.env['PATH'],
    DATABASE_URL: panel.database.url,
    SECRETS_KEY: secretsKey,
    LOG_LEVEL: 'silent',
  };
  return promisify(execFile)(process.execPath, [script], { env }).then(
    ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      output: error.stdout + error.stderr,
    }),
  );
}

describe('rotating SECRETS_KEY', () => {
  test('lets the new key alone open everything, and can be repeated', async () => {
    const plain = [opened(oldKey, await signingKeys()), opened(oldKey, await totpSecrets())];
    expect(plain.map(({ length }) => length)).toEqual([1, 1]);

    const id = Keyring.parse(newKey).currentKeyId;
    const first = await rotateSecrets(`${newKey},${oldKey}`);
    expect([first.code, first.output.split('\n')]).toEqual([
      0,
      expect.arrayContaining([
        expect.stringMatching(
          `^Warning: .+ does not hold the key ${id}, and cannot open what is sealed with it`,
        ),
        'identity.signing_key.sealed_private_key: 1 sealed anew',
        'identity.totp_secret.sealed_secret: 1 sealed anew',
        `All stored secrets are sealed with the key ${id}.`,
      ]),
    ]);
    expect([opened(newKey, await signingKeys()), opened(newKey, await totpSecrets())]).toEqual(plain);
    const [stored] = await signingKeys();
    expect(() => opened(oldKey, [stored!])).toThrow('which SECRETS_KEY does not hold');

    const again = await rotateSecrets(newKey);
    expect(again).toMatchObject({
      code: 0,
      output: expect.stringContaining('totp_secret.sealed_secret: 0 sealed anew'),
    });
    expect(await signingKeys()).toEqual([stored]);
  }, 120_000);

  test('leaves a panel that starts with the new key alone able to go on', async () => {
    await panel.panel.stop();
    const restarted = await panel.another({ SECRETS_KEY: newKey });
    const world = new World(restarted.url, panel.clock);
    expect((await world.login(tenant.account.email, tenant.account.password)).status).toBe(200);
    // Signed before the rotation, with the very key that was sealed anew.
    const answer = await world.graphql('{ me { email } }', {}, tenant.token);
    expect(answer).toEqual({ data: { me: { email: tenant.account.email } } });
  });

  test('names what it cannot open, and fails', async () => {
    const stranger = randomBytes(32).toString('base64');
    const answer = await rotateSecrets(stranger);
    expect(answer.code).toBe(1);
    const [key] = await signingKeys();
    expect(answer.output).toContain(
      `identity.signing_key.sealed_private_key: 0 sealed anew, 1 not readable: ${key?.id}`,
    );
    expect(answer.output).toContain('could not be opened: put the key that they name back on SECRETS_KEY');
    expect(await signingKeys()).toEqual([key]);
  }, 120_000);
});

describe('sealing anew', () => {
  test('goes through in batches, and past what it cannot open', async () => {
    const [from, to] = [Keyring.parse(oldKey), Keyring.parse(`${newKey},${oldKey}`)];
    const database = await Database.open({
      area: 'identity',
      url: panel.database.url,
      entities: [],
      poolSize: 2,
      logger: silentLogger,
    });
    const totp = schemas
      .flatMap(({ sealedColumns = [] }) => sealedColumns)
      .find(({ table }) => table === 'totp_secret');
    await panel.sql('delete from identity.totp_secret');
    const users = Array.from({ length: 12 }, (_, n) => `usr_${String(n).padStart(2, '0')}`);
    await panel.sql(
      `insert into identity."user" (tenant_id, id, email, name, role, password_hash, created_at, updated_at)
       select $1, id, id || '@example.com', id, 'VIEWER', 'x', now(), now() from unnest($2::text[]) id`,
      [tenant.id, users],
    );
    const unreadable = ['usr_02', 'usr_07'];
    const sealed = users.map((id) => {
      if (unreadable.includes(id)) return from.seal(id, 'another');
      return id === 'usr_08' ? to.seal(id, id) : from.seal(id, id);
    });
    await panel.sql(
      `insert into identity.totp_secret (tenant_id, user_id, sealed_secret, created_at)
       select $1, u, s, now() from unnest($2::text[], $3::text[]) as x(u, s)`,
      [tenant.id, users, sealed],
    );
    const result = await reseal(database, to, totp!, 3);
    await database.close();
    expect(result).toEqual({
      name: 'identity.totp_secret.sealed_secret',
      resealed: 9,
      unreadable: unreadable.map((id) => `${tenant.id}/${id}`),
    });
    const readable = (await totpSecrets()).filter(({ id }) => !unreadable.includes(id));
    expect(opened(newKey, readable)).toEqual(readable.map(({ id }) => id));
  });
});

test('every column that holds something sealed is known to the rotation', async () => {
  const found = await panel.sql<{ name: string }>(
    `select table_schema || '.' || table_name || '.' || column_name as name from information_schema.columns
     where table_schema = any($1) and column_name like 'sealed%'`,
    [schemas.map(({ name }) => name)],
  );
  const declared = schemas.flatMap(({ name, sealedColumns = [] }) =>
    sealedColumns.map(({ table, column }) => `${name}.${table}.${column}`),
  );
  expect(found.map(({ name }) => name).toSorted()).toEqual(declared.toSorted());
});
