import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { assertSafeLogin, ensureRoles } from '#platform/database/roles.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';

import { Cluster, login, run } from './support/cluster.js';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start();
});
afterAll(async () => cluster.stop());
afterEach(async () => cluster.disconnect());

describe('the roles', () => {
  test('the login has no power of its own and inherits none', async () => {
    const owner = await cluster.connect(await cluster.newDatabase());
    await ensureRoles(owner, { areas: ['fleet', 'billing'], login });
    const attributes = await owner.query(
      `select rolcanlogin, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolinherit from pg_roles where rolname = 'panel_app'`,
    );
    expect(attributes.rows).toEqual([
      {
        rolcanlogin: true,
        rolsuper: false,
        rolbypassrls: false,
        rolcreatedb: false,
        rolcreaterole: false,
        rolinherit: false,
      },
    ]);
    const memberships = await owner.query(
      `select roleid::regrole::text as role, inherit_option, set_option from pg_auth_members
       where member = 'panel_app'::regrole and roleid::regrole::text like 'billing%' order by 1`,
    );
    expect(memberships.rows).toEqual([
      { role: 'billing_app', inherit_option: false, set_option: true },
      { role: 'billing_jobs', inherit_option: false, set_option: true },
    ]);
  });

  test('what the login asks is not compiled, unless the operator has chosen', async () => {
    const owner = await cluster.connect(await cluster.newDatabase());
    await ensureRoles(owner, { areas: ['fleet'], login });
    const { database } = owner;
    const jit = async () =>
      (await (await cluster.connect(database!, 'panel_app')).query<{ jit: string }>('show jit')).rows[0]!.jit;
    expect(await jit()).toBe('off');
    await run(owner, ['alter role panel_app set jit to on']);
    await ensureRoles(owner, { areas: ['fleet'], login });
    expect(await jit()).toBe('on');
    await run(owner, ['alter role panel_app reset jit']);
    await ensureRoles(owner, { areas: ['fleet'], login });
    expect(await jit()).toBe('off');
  });

  test('a login or group that was given too much is put right', async () => {
    const owner = await cluster.connect(await cluster.newDatabase());
    await ensureRoles(owner, { areas: ['fleet'], login });
    await run(owner, [
      'alter role panel_app createdb bypassrls inherit',
      'alter role fleet_app login bypassrls',
      'grant fleet_jobs to panel_app with inherit true',
    ]);
    await ensureRoles(owner, { areas: ['fleet'], login });
    const { rows } = await owner.query(
      `select from pg_roles where rolname in ('panel_app', 'fleet_app') and (rolbypassrls or rolcreatedb)
       union all select from pg_roles where rolname = 'fleet_app' and rolcanlogin
       union all select from pg_auth_members where member = 'panel_app'::regrole and inherit_option`,
    );
    expect(rows).toEqual([]);
  });

  test('many processes may prepare many databases of one cluster at once', async () => {
    const names = await Promise.all(Array.from({ length: 4 }, () => cluster.newDatabase()));
    const areas = ['one', 'two', 'three'];
    const owners = await Promise.all([...names, ...names].map((name) => cluster.connect(name)));
    await Promise.all(owners.map((owner) => ensureRoles(owner, { areas, login })));
    for (const owner of owners) {
      const { rows } = await owner.query(
        `select nspname, nspowner::regrole::text as owner from pg_namespace where nspname = any($1) order by 1`,
        [areas],
      );
      expect(rows).toEqual(['one', 'three', 'two'].map((nspname) => ({ nspname, owner: 'panel_owner' })));
    }
  });

  test('an owner that may not make roles is told the SQL, and starts once somebody has run it', async () => {
    const superuser = await cluster.connect(await cluster.newDatabase());
    const { database } = superuser;
    await run(superuser, [
      `create role modest_owner login password 'secret'`,
      `grant create on database ${database} to modest_owner`,
    ]);
    const owner = await cluster.connect(database!, 'modest_owner');
    const areas = ['modest'];
    const error: unknown = await ensureRoles(owner, { areas, login }).catch((reason: unknown) => reason);
    const message = (error as Error).message;
    expect(message).toContain('owner modest_owner may not prepare its roles');
    expect(message).toContain('create role "modest_app" nologin');
    expect(message).not.toContain(login.password);
    const sql = message.slice(message.indexOf('\n')).replaceAll(`:'password'`, `'${login.password}'`);
    await superuser.query(sql);

    await ensureRoles(owner, { areas, login });
    const schema = await owner.query(
      `select nspowner::regrole::text as owner from pg_namespace where nspname = 'modest'`,
    );
    expect(schema.rows).toEqual([{ owner: 'modest_owner' }]);
    await assertSafeLogin(await cluster.connect(database!, 'panel_app'));
  });

  test('an owner with CREATEROLE alone prepares everything itself', async () => {
    const superuser = await cluster.connect(await cluster.newDatabase());
    const { database } = superuser;
    // panel_app belongs to the cluster and other tests' owners; this owner is made its administrator.
    await ensureRoles(superuser, { areas: [], login });
    await run(superuser, [
      `create role able_owner login createrole password 'secret'`,
      `grant panel_app to able_owner with admin true, inherit false, set false`,
      `grant create on database ${database} to able_owner`,
    ]);
    const owner = await cluster.connect(database!, 'able_owner');
    await ensureRoles(owner, { areas: ['able'], login });
    await ensureRoles(owner, { areas: ['able'], login });
    const app = await cluster.connect(database!, 'panel_app');
    await app.query('set role able_jobs');
    expect((await app.query('select current_user as role')).rows).toEqual([{ role: 'able_jobs' }]);
  });
});

describe('a login is refused', () => {
  async function loginWith(...statements: string[]): Promise<pg.Client> {
    const database = await cluster.newDatabase();
    const owner = await cluster.connect(database);
    const name = `${database}_login`;
    await ensureRoles(owner, { areas: ['fleet'], login });
    await run(owner, [
      'create table fleet.note (tenant_id text not null, id integer)',
      ...tenantTableSql('fleet', 'note'),
      `create role ${name} login noinherit password 'secret'`,
      ...statements.map((statement) => statement.replaceAll('LOGIN', name)),
    ]);
    return cluster.connect(database, name);
  }

  test('when it is a superuser', async () => {
    await expect(assertSafeLogin(await cluster.connect(await cluster.newDatabase()))).rejects.toThrow(
      /refuses to log in to PostgreSQL as panel_owner.*is a superuser/,
    );
  });

  test('when it has BYPASSRLS', async () => {
    await expect(assertSafeLogin(await loginWith('alter role LOGIN bypassrls'))).rejects.toThrow(
      'has BYPASSRLS',
    );
  });

  test('when it is a member, even of a member, of a role that bypasses row-level security', async () => {
    const client = await loginWith(
      'create role LOGIN_strong bypassrls nologin',
      'create role LOGIN_between nologin',
      'grant LOGIN_strong to LOGIN_between',
      'grant LOGIN_between to LOGIN with inherit false',
    );
    await expect(assertSafeLogin(client)).rejects.toThrow(/is a member of roles_\d+_login_strong/);
  });

  test('when it owns a table, itself or by a role it may take on', async () => {
    const itself = await loginWith('alter table fleet.note owner to LOGIN');
    await expect(assertSafeLogin(itself, ['fleet'])).rejects.toThrow('owns table fleet.note');
    await expect(assertSafeLogin(itself)).rejects.toThrow('owns table fleet.note');
    await assertSafeLogin(itself, ['billing']);
    const byRole = await loginWith(
      'create role LOGIN_keeper nologin',
      'grant LOGIN_keeper to LOGIN',
      'alter table fleet.note owner to LOGIN_keeper',
    );
    await expect(assertSafeLogin(byRole, ['fleet'])).rejects.toThrow('owns table fleet.note');
  });

  test('when it inherits the rights of a role that sees all tenants', async () => {
    const client = await loginWith('grant fleet_jobs to LOGIN with inherit true');
    await expect(assertSafeLogin(client)).rejects.toThrow('has the rights of fleet_jobs without SET ROLE');
  });

  test('not when it is the one that was made for the panel', async () => {
    const client = await loginWith();
    const app = await cluster.connect(client.database!, 'panel_app');
    await expect(assertSafeLogin(app, ['fleet'])).resolves.toBeUndefined();
    await expect(assertSafeLogin(app)).resolves.toBeUndefined();
  });
});
