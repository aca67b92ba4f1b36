import { afterAll, beforeAll, expect, test } from 'vitest';

import { areaNames, schemaNames } from '#panel/areas.js';

import { RichScene } from '../../security/rich-scene.js';
import { dataOf } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { until, type Tenant } from '../../support/world.js';
import { Mailbox } from '../support/mailbox.js';
import { client, provider, signedInAgain } from './support.js';

const kibibyte = 1024;

let mailbox: Mailbox;
let panel: TestPanel;
beforeAll(async () => {
  mailbox = await Mailbox.start();
  panel = await startTestPanel({ SMTP_URL: mailbox.url });
});
afterAll(async () => {
  await panel.stop();
  await mailbox[Symbol.asyncDispose]();
});

async function due(id: string): Promise<void> {
  await panel.sql(`update identity.msp_client set erase_at = now() - interval '1 day' where id = $1`, [id]);
  await panel.clock.leap(61_000);
}

/** Has a provider delete a client, whose erasure is due then. */
async function erase(parent: Tenant, customer: Tenant): Promise<void> {
  const answer = await parent.rest(`/api/msp/clients/${customer.id}`, { method: 'DELETE' });
  expect(answer.status).toBe(204);
  await until(async () => (await customer.rest('/api/fleet/instances')).status === 401, 'the suspension');
  await due(customer.id);
}

async function complete(id: string): Promise<{ id: string; report: Record<string, Record<string, number>> }> {
  let erasure;
  await until(
    async () => {
      await panel.clock.leap(1_000);
      // What was woken does real work meanwhile.
      await new Promise((resolve) => setTimeout(resolve, 100));
      [erasure] = await panel.sql(
        'select id, report from identity.tenant_erasure where client_id = $1 and completed_at is not null',
        [id],
      );
      return erasure !== undefined;
    },
    'the erasure to be complete',
    60_000,
  );
  return erasure!;
}

/** The tables that hold something of a tenant, with how many rows. */
async function held(id: string): Promise<Record<string, number>> {
  const tables = await panel.sql<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and not c.relispartition and c.relname <> 'outbox'
       and n.nspname = any($1)
       and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id')`,
    [schemaNames],
  );
  const counts = await Promise.all(
    tables.map(async ({ name }) => {
      const [row] = await panel.sql<{ count: number }>(
        `select count(*)::int as count from ${name} where tenant_id = $1`,
        [id],
      );
      return [name, row!.count] as const;
    }),
  );
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

/** The copy that its owner has made of a tenant that lives. Asked for again it is the same one. */
async function exportOf(tenant: Tenant): Promise<string> {
  const ask = async () =>
    dataOf(
      await tenant.graphql<{ exportOrganization: { id: string } }>('mutation { exportOrganization { id } }'),
    ).exportOrganization.id;
  const id = await ask();
  expect([await ask(), (await tenant.rest(`/account/exports/${id}`)).status]).toEqual([id, 404]);
  await until(async () => {
    await panel.clock.leap(1_000);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const { organizationExport: found } = dataOf(
      await tenant.graphql<{ organizationExport: { completedAt: string | null; isCut: boolean } }>(
        '{ organizationExport { completedAt isCut } }',
      ),
    );
    expect(found.isCut).toBe(false);
    return found.completedAt !== null;
  }, 'the export to be complete');
  const stranger = await panel.world.tenant();
  expect((await stranger.rest(`/account/exports/${id}`)).status).toBe(404);
  return (await tenant.rest(`/account/exports/${id}`)).text;
}

test('an export that is forgotten while it is fetched does not look whole', async () => {
  const tenant = await panel.world.tenant();
  const now = panel.clock.now();
  await panel.sql(
    `insert into identity.organization_export (tenant_id, id, started_at, completed_at, expires_at)
     values ($1, 'exp_long', $2, $2, $3)`,
    [tenant.id, now, new Date(now.getTime() + 3_600_000)],
  );
  // More than lies between a panel and somebody who does not read.
  await panel.sql(
    `insert into identity.organization_export_part
     select $1, 'exp_long', 'fleet', 'instance', n, jsonb_build_array(jsonb_build_object('text', repeat('x', 1000000)))
     from generate_series(0, 29) n`,
    [tenant.id],
  );
  const asked = async () =>
    fetch(`${panel.panel.url}/account/exports/exp_long`, {
      headers: { authorization: `Bearer ${tenant.token}` },
    });
  const lines = (text: string) => text.trimEnd().split('\n').length;
  expect(lines(await (await asked()).text())).toBe(30);
  const cut = await asked();
  expect(cut.status).toBe(200);
  await panel.sql(
    `delete from identity.organization_export_part where tenant_id = $1 and part between 20 and 29`,
    [tenant.id],
  );
  await expect(cut.text()).rejects.toThrow('terminated');
});

test('of a tenant that has something of everything nothing is left, and the export has all of it', async () => {
  const parent = await provider(panel);
  const scene = await RichScene.rich(panel);
  // No provider can take over a tenant that exists, and no client of one becomes as rich as this.
  await panel.sql('update identity.tenant set parent_tenant_id = $2, client_version = 1 where id = $1', [
    scene.tenant.id,
    parent.id,
  ]);
  await panel.sql(
    `insert into identity.msp_client (tenant_id, id, name, contact_email, instance_limit, plan, version, created_at)
     values ($2, $1, 'Rich', 'rich@example.com', 10, 'ENTERPRISE', 1, now())`,
    [scene.tenant.id, parent.id],
  );
  // What it was handed of a client of its own that was erased, which ends as was promised for that one.
  await panel.sql(
    `with erased as (
       insert into identity.tenant_erasure (tenant_id, id, client_id, client_name, started_at)
       values ($1, 'era_before', 'org_before', 'Gone', now()) returning *)
     insert into identity.tenant_export_part (tenant_id, erasure_id, area, source_table, part, rows)
     select tenant_id, id, 'fleet', 'instance', 0, '[{"name": "of-the-erased-client"}]' from erased`,
    [scene.tenant.id],
  );
  const had = Object.keys(await held(scene.tenant.id)).map((name) => name.replaceAll('"', ''));
  const copied = await exportOf(scene.tenant);
  await panel.sql(
    `insert into platform.parked_event values ('fleet', 'identity', 'evt_parked', 'identity.x.done', $1, 'a problem')`,
    [scene.tenant.id],
  );
  expect((await parent.rest(`/api/msp/clients/${scene.tenant.id}`, { method: 'DELETE' })).status).toBe(204);
  await until(async () => (await scene.tenant.rest('/api/fleet/instances')).status === 401, 'the suspension');
  const before = await held(scene.tenant.id);
  expect(Object.keys(before).length).toBeGreaterThan(35);
  await due(scene.tenant.id);
  const { id, report } = await complete(scene.tenant.id);
  expect(await held(scene.tenant.id)).toEqual({});

  const owner = await signedInAgain(panel, parent);
  const { text } = await owner.rest(`/msp/exports/${id}`);
  const exported: Record<string, number> = {};
  for (const line of text.trimEnd().split('\n')) {
    const { area, table, row } = JSON.parse(line) as Record<string, string>;
    expect((row as unknown as { tenant_id: string }).tenant_id).toBe(scene.tenant.id);
    exported[`${area}.${table}`] = (exported[`${area}.${table}`] ?? 0) + 1;
  }
  const erased = Object.entries(report).flatMap(([area, tables]) =>
    Object.entries(tables).map(([table, count]) => [`${area}.${table}`, count] as const),
  );
  const isExported = (name: string) =>
    !/\.metrics_|\.(organization|tenant)_export_part$|_(count|mark|told)$/.test(name);
  const counted = Object.fromEntries(erased.filter(([name, count]) => count > 0 && isExported(name)));
  expect(exported).toEqual(counted);
  const tables = Object.keys(before).filter((name) => !name.startsWith('platform.'));
  expect(Object.keys(report).toSorted()).toEqual(areaNames.toSorted());
  expect(
    tables.map((name) => name.replaceAll('"', '')).filter((name) => !erased.some(([each]) => each === name)),
  ).toEqual([]);
  // What its owner had copied of it while it lived has something of each table too.
  const inCopy = new Set(
    copied
      .trimEnd()
      .split('\n')
      .map((line) => {
        const { area, table, row } = JSON.parse(line) as Record<string, string>;
        expect((row as unknown as { tenant_id: string }).tenant_id).toBe(scene.tenant.id);
        return `${area}.${table}`;
      }),
  );
  const wanted = had.filter((name) => isExported(name) && !name.startsWith('platform.'));
  expect(wanted.filter((name) => !inCopy.has(name))).toEqual([]);
  expect([text, copied].filter((each) => each.includes('of-the-erased-client'))).toEqual([]);
  const secrets = Object.values(scene.secrets).map(String);
  for (const secret of secrets.filter((each) => each.length > 30 && !each.includes('@')))
    expect([text.includes(secret), copied.includes(secret)]).toEqual([false, false]);
}, 120_000);

test('samples of a tenant of any size go some thousand at a time', async () => {
  const parent = await provider(panel);
  const big = await client(panel, mailbox, parent, { name: 'Big' });
  // Of many days, so that at any hour most of them are in one partition: what is deleted at once is counted by partition.
  const rows = 40_000;
  await panel.sql(
    `insert into fleet.metrics_sample select $1, 'inst_' || (g % 5), $2::timestamptz - g * interval '10 s', 1, 1, 1
     from generate_series(1, $3::int) g`,
    [big.id, panel.clock.now(), rows],
  );
  await panel.sql('create table fleet.gone_at_once (count bigint)', []);
  await panel.sql(
    `create function fleet.count_gone() returns trigger language plpgsql security definer as $$
       begin insert into fleet.gone_at_once select count(*) from gone; return null; end $$`,
    [],
  );
  await panel.sql(
    `create trigger count_gone after delete on fleet.metrics_sample referencing old table as gone
       for each statement execute function fleet.count_gone()`,
    [],
  );
  await erase(parent, big);
  const { report } = await complete(big.id);
  expect([(await held(big.id))['fleet.metrics_sample'], report['fleet']?.['metrics_sample']]).toEqual([
    undefined,
    rows,
  ]);
  const [most] = await panel.sql<{ count: string }>('select max(count) as count from fleet.gone_at_once', []);
  expect(Number(most!.count)).toBeLessThan(rows);
}, 120_000);

// The last: the panel of the others ends in it.
test('a tenant of any size is erased a little at a time, and by another process after the death of the first', async () => {
  const parent = await provider(panel);
  const big = await client(panel, mailbox, parent, { name: 'Big' });
  const rows = 150;
  await panel.sql(
    `insert into fleet.command_invocation (tenant_id, command_id, instance_id, position, status, output, lease_stem, updated_at)
     select $1, 'cmd_' || g, 'inst_1', 1, 'SUCCEEDED', repeat('x', 65536), 's', now() from generate_series(1, $2::int) g`,
    [big.id, rows],
  );
  await erase(parent, big);
  const left = async () => {
    const [row] = await panel.sql<{ count: number }>(
      'select count(*)::int as count from fleet.command_invocation where tenant_id = $1',
      [big.id],
    );
    return row!.count;
  };
  await until(async () => {
    await panel.clock.leap(1_000);
    return (await left()) < rows;
  }, 'the erasure to begin');
  await panel.panel.stop();
  await panel.another();
  const { id, report } = await complete(big.id);
  expect([await left(), report['fleet']?.['command_invocation']]).toEqual([0, rows]);

  const [most] = await panel.sql<{ event: number; turn: number }>(
    `select max(bytes)::int as event, max(turn)::int as turn from (
       select octet_length(payload::text) as bytes, sum(octet_length(payload::text)) over (partition by xid) as turn
       from fleet.outbox where topic = 'erasure.rows.exported') e`,
  );
  expect(most!.event).toBeLessThan(80 * kibibyte);
  expect(most!.turn).toBeLessThan(6 * 1024 * kibibyte);
  const exported = await panel.sql<{ count: string; distinct: string }>(
    `select count(*), count(distinct r ->> 'command_id') as distinct
     from identity.tenant_export_part p, jsonb_array_elements(p.rows) r
     where p.erasure_id = $1 and p.source_table = 'command_invocation'`,
    [id],
  );
  expect(exported).toEqual([{ count: String(rows), distinct: String(rows) }]);
}, 120_000);
