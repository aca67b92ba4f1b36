import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import { OperatorError } from '../errors.js';

export interface LoginRole {
  name: 'panel_app';
  password?: string;
}

/** The names of an area's two roles: `app` sees one tenant's rows, `jobs` those of all tenants. */
export function areaRoles(area: string): { app: string; jobs: string } {
  return { app: `${area}_app`, jobs: `${area}_jobs` };
}

const quoted = (name: string) => pg.escapeIdentifier(name);

/**
 * Makes the application's login role, each area's two roles and its schema, and changes nothing where all is in place.
 * An owner that may not do so gets an error with the SQL for someone who may. `owner` must not be in a transaction.
 */
export async function ensureRoles(
  owner: pg.Client,
  { areas, login }: { areas: readonly string[]; login: LoginRole },
): Promise<void> {
  // Roles belong to the whole cluster, but advisory locks and transactions see one database each: two databases that
  // are set up at once collide on the catalogue's rows, and the loser has to look again.
  const attempts = 20;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await bringIntoPlace(owner, areas, login);
    } catch (error) {
      if (attempt === attempts || !isCollision(error)) throw error;
      await sleep(10 * attempt * Math.random());
    }
  }
}

async function bringIntoPlace(owner: pg.Client, areas: readonly string[], login: LoginRole): Promise<void> {
  let missing: string[] = [];
  let ownerName = '';
  await owner.query('begin');
  try {
    await owner.query(`select pg_advisory_xact_lock(hashtext('panel roles'))`);
    const { rows } = await owner.query<{ name: string }>('select current_user as name');
    ownerName = rows[0]!.name;
    missing = [
      ...(await missingRoles(owner, areas, login)),
      ...(await missingMemberships(owner, areas, login)),
      ...(await missingSchemas(owner, areas, ownerName)),
    ];
    for (const statement of missing) await owner.query(statement);
    await owner.query('commit');
  } catch (error) {
    await owner.query('rollback');
    if (codeOf(error) !== '42501') throw error;
    throw new OperatorError(notAllowed(ownerName, missing), { cause: error });
  }
}

async function missingRoles(owner: pg.Client, areas: readonly string[], login: LoginRole): Promise<string[]> {
  const groups = areas.flatMap((area) => Object.values(areaRoles(area)));
  const { rows } = await owner.query<{
    name: string;
    login: boolean;
    inherit: boolean;
    unsafe: boolean;
    hasJit: boolean;
  }>(
    `select rolname as name, rolcanlogin as login, rolinherit as inherit,
       rolsuper or rolbypassrls or rolcreatedb or rolcreaterole as unsafe,
       exists (select from unnest(rolconfig) setting where setting like 'jit=%') as "hasJit"
     from pg_roles where rolname = any($1)`,
    [[login.name, ...groups]],
  );
  const found = new Map(rows.map((row) => [row.name, row]));
  const powerless = 'nosuperuser nobypassrls nocreatedb nocreaterole';
  const statements: string[] = [];

  const app = found.get(login.name);
  const loginName = quoted(login.name);
  if (!app) statements.push(`create role ${loginName} login noinherit ${powerless}`);
  else {
    if (!app.login || app.inherit) statements.push(`alter role ${loginName} login noinherit`);
    if (app.unsafe) statements.push(`alter role ${loginName} ${powerless}`);
  }
  // What an owner may not set is left to whoever made the role.
  if (!app || (await mayAlter(owner, login.name))) {
    // Statements are short, and estimates of tables with policies high: to compile one takes longer than to run it.
    if (!app?.hasJit) statements.push(`alter role ${loginName} set jit to off`);
    // Nobody can read a password to compare it.
    if (login.password !== undefined)
      statements.push(`alter role ${loginName} password ${pg.escapeLiteral(login.password)}`);
  }

  for (const group of groups) {
    const role = found.get(group);
    const name = quoted(group);
    if (!role) statements.push(`create role ${name} nologin ${powerless}`);
    else {
      if (role.login) statements.push(`alter role ${name} nologin`);
      if (role.unsafe) statements.push(`alter role ${name} ${powerless}`);
    }
  }
  return statements;
}

async function mayAlter(owner: pg.Client, role: string): Promise<boolean> {
  const { rows } = await owner.query<{ may: boolean }>(
    `select rolsuper or (rolcreaterole and pg_has_role($1, 'member with admin option')) as may
     from pg_roles where rolname = current_user`,
    [role],
  );
  return rows[0]?.may ?? false;
}

async function missingMemberships(
  owner: pg.Client,
  areas: readonly string[],
  login: LoginRole,
): Promise<string[]> {
  // From 16 on a grant itself says whether it is inherited; before, the login's NOINHERIT does for all of them.
  const hasOptions = (await serverVersion(owner)) >= 160_000;
  const { rows } = await owner.query<{ name: string }>(
    `select g.rolname as name from pg_auth_members m
     join pg_roles g on g.oid = m.roleid join pg_roles r on r.oid = m.member
     where r.rolname = $1
     group by g.rolname ${hasOptions ? 'having bool_or(m.set_option) and not bool_or(m.inherit_option)' : ''}`,
    [login.name],
  );
  const granted = new Set(rows.map((row) => row.name));
  return areas
    .flatMap((area) => Object.values(areaRoles(area)))
    .filter((group) => !granted.has(group))
    .map(
      (group) =>
        `grant ${quoted(group)} to ${quoted(login.name)}${hasOptions ? ' with inherit false, set true' : ''}`,
    );
}

async function serverVersion(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ version: number }>(
    `select current_setting('server_version_num')::int as version`,
  );
  return rows[0]?.version ?? 0;
}

async function missingSchemas(
  owner: pg.Client,
  areas: readonly string[],
  ownerName: string,
): Promise<string[]> {
  const { rows } = await owner.query<{ name: string; grantees: string[] }>(
    `select n.nspname as name,
       coalesce(array_agg(g.rolname::text) filter (where g.rolname is not null), '{}') as grantees
     from pg_namespace n
     left join lateral aclexplode(n.nspacl) a on a.privilege_type = 'USAGE'
     left join pg_roles g on g.oid = a.grantee
     where n.nspname = any($1) group by n.nspname`,
    [areas],
  );
  const grantees = new Map(rows.map((row) => [row.name, row.grantees]));
  return areas.flatMap((area) => {
    const users = Object.values(areaRoles(area));
    const present = grantees.get(area);
    const hasUsage = users.every((user) => present?.includes(user));
    return [
      // Named in full, for a superuser may have to run it on the owner's behalf.
      ...(present ? [] : [`create schema ${quoted(area)} authorization ${quoted(ownerName)}`]),
      ...(hasUsage ? [] : [`grant usage on schema ${quoted(area)} to ${users.map(quoted).join(', ')}`]),
    ];
  });
}

/**
 * Refuses to serve with a login that row-level security would not hold. `areas` narrows the search for tables that the
 * login owns; without it every schema is searched.
 */
export async function assertSafeLogin(client: pg.Client, areas?: readonly string[]): Promise<void> {
  // session_user, as SET ROLE can always be undone. "member" holds for every role that SET ROLE may reach.
  const { rows } = await client.query<{ login: string; problem: string }>(
    `with me as (select * from pg_roles where rolname = session_user)
     select rolname as login, problem from (
       select 'is a superuser' as problem from me where rolsuper
       union all select 'has BYPASSRLS' from me where rolbypassrls
       union all
       select format('is a member of %s, which may bypass row-level security', r.rolname)
       from pg_roles r, me
       where (r.rolsuper or r.rolbypassrls) and r.oid <> me.oid and pg_has_role(me.oid, r.oid, 'member')
       union all
       select format('owns %s %s.%s', case c.relkind when 'v' then 'view' else 'table' end, n.nspname, c.relname)
       from pg_class c join pg_namespace n on n.oid = c.relnamespace, me
       where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
         and ($1::text[] is null or n.nspname = any($1)) and pg_has_role(me.oid, c.relowner, 'member')
       union all
       select format('has the rights of %s without SET ROLE', r.rolname)
       from pg_roles r, me
       where r.oid <> me.oid and pg_has_role(me.oid, r.oid, 'usage')
         and exists (select from pg_policy p where r.oid = any(p.polroles))
     ) problems, me`,
    [areas ?? null],
  );
  const first = rows[0];
  if (first === undefined) return;
  // A superuser is a member of all and owner of all; a few examples tell enough.
  const problems = rows.slice(0, 5).map((row) => row.problem);
  throw new OperatorError(
    `The panel refuses to log in to PostgreSQL as ${first.login}, whose rights reach past row-level security: ` +
      `it ${problems.join('; it ')}. Use the role panel_app.`,
  );
}

function notAllowed(ownerName: string, statements: readonly string[]): string {
  // The error ends up in logs, so the password stays out of it.
  const sql = statements.map((line) => `  ${line.replace(/ password .*$/, ` password :'password'`)};`);
  const hint = sql.some((line) => line.includes(`:'password'`)) ? ' (psql -v password=...)' : '';
  return `The database's owner ${ownerName} may not prepare its roles. Run this as a superuser${hint} and start again:\n${sql.join('\n')}`;
}

function isCollision(error: unknown): boolean {
  const duplicateObject = '42710';
  const duplicateSchema = '42P06';
  const uniqueViolation = '23505';
  const deadlock = '40P01';
  const code = codeOf(error);
  if (code === 'XX000')
    return error instanceof Error && /^tuple concurrently (updated|deleted)/.test(error.message);
  return code !== undefined && [duplicateObject, duplicateSchema, uniqueViolation, deadlock].includes(code);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}
