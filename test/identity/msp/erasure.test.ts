import { expect, test } from 'vitest';

import { dataOf } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { until } from '../../support/world.js';
import { Mailbox } from '../support/mailbox.js';
import { client, provider, signedInAgain, type ClientBody } from './support.js';

const day = 24 * 60 * 60 * 1000;

/** Gives the sweeps of the minute a few turns. */
async function minutesPass({ clock }: TestPanel): Promise<void> {
  for (let minute = 0; minute < 4; minute += 1) {
    await clock.leap(61_000);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

test('a deleted client and a closed organization are erased after 30 days from every subgraph, and their exports can be read back', async () => {
  await using mailbox = await Mailbox.start();
  await using panel = await startTestPanel({ SMTP_URL: mailbox.url });
  const parent = await provider(panel);
  const acmeCorp = await client(panel, mailbox, parent, { name: 'Erased Inc' });
  const neighbour = await client(panel, mailbox, parent, { name: 'Neighbour Inc' });
  const closed = await panel.world.tenant('Closed Inc');
  for (const tenant of [acmeCorp, neighbour, closed]) {
    const node = await tenant.node(`node-of-${tenant.user.tenant.name.split(' ')[0]}`);
    await node.beat();
  }
  const path = `/api/msp/clients/${acmeCorp.id}`;
  expect((await parent.rest(path, { method: 'DELETE' })).status).toBe(204);
  dataOf(
    await closed.graphql(
      'mutation($input: CloseOrganizationInput!) { closeOrganization(input: $input) { id } }',
      {
        input: { currentPassword: closed.account.password },
      },
    ),
  );
  await panel.clock.leap(29 * day);
  let owner = await signedInAgain(panel, parent);
  expect((await owner.rest<ClientBody>(path)).body.status).toBe('suspended');
  expect((await panel.sql('select 1 from identity."user" where tenant_id = $1', [closed.id])).length).toBe(1);

  await panel.clock.leap(2 * day);
  await minutesPass(panel);
  owner = await signedInAgain(panel, parent);
  await until(async () => (await owner.rest(path)).status === 404, 'the client to be gone');
  interface Erasure {
    id: string;
    clientId: string;
    clientName: string;
    completedAt: string | null;
    report: Record<string, Record<string, number>>;
  }
  const erasures = async () =>
    dataOf(
      await owner.graphql<{ tenantErasures: { nodes: Erasure[] } }>(
        '{ tenantErasures { nodes { id clientId clientName completedAt report } } }',
      ),
    ).tenantErasures.nodes;
  const ofClosed = async () =>
    dataOf(
      await panel.world.graphql<{ closedTenantErasures: { nodes: Erasure[] } }>(
        '{ closedTenantErasures { nodes { id clientId clientName completedAt report } } }',
        {},
        await panel.world.administrator(),
      ),
    ).closedTenantErasures.nodes[0];
  await until(async () => {
    await panel.clock.leap(1_000);
    return (await erasures())[0]?.completedAt != null && (await ofClosed())?.completedAt != null;
  }, 'the erasures to be complete');
  const [erasure] = await erasures();
  const ended = (await ofClosed())!;
  expect(ended).toMatchObject({ clientId: closed.id, clientName: 'Closed Inc' });
  expect(ended.report).toMatchObject({ identity: { user: 1 }, fleet: { instance: 1 } });
  expect(erasure).toMatchObject({ clientId: acmeCorp.id, clientName: 'Erased Inc' });
  expect(erasure!.report).toMatchObject({
    identity: { user: 1, invitation: 1, session: expect.any(Number), audit_event: expect.any(Number) },
    fleet: { instance: 1, enrollment_token: 1, metrics_sample: expect.any(Number) },
  });

  const tables = await panel.sql<{ schema: string; name: string }>(
    `select n.nspname as schema, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and not c.relispartition and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
       and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id')`,
  );
  const holding = async (id: string) => {
    const names: string[] = [];
    for (const { schema, name } of tables) {
      const rows = await panel.sql(`select 1 from "${schema}"."${name}" where tenant_id = $1 limit 1`, [id]);
      if (rows.length > 0) names.push(`${schema}.${name}`);
    }
    return names;
  };
  // Events are kept for 24 hours, and removed by the minute.
  await panel.clock.leap(day);
  await until(async () => {
    await minutesPass(panel);
    return [...(await holding(acmeCorp.id)), ...(await holding(closed.id))].length === 0;
  }, 'the last events to go').catch(() => undefined);
  expect([await holding(acmeCorp.id), await holding(closed.id)]).toEqual([[], []]);
  expect((await holding(neighbour.id)).length).toBeGreaterThan(5);
  expect(tables.length).toBeGreaterThan(20);
  expect(
    await panel.sql('select 1 from identity.tenant where id in ($1, $2)', [acmeCorp.id, closed.id]),
  ).toEqual([]);
  expect((await panel.world.login(acmeCorp.account.email, acmeCorp.account.password)).status).toBe(401);
  const { email, password } = closed.account;
  expect((await panel.world.login(email, password)).status).toBe(401);
  const anew = { email, password, name: 'Owner', company: 'Anew Inc' };
  expect((await panel.world.rest('/api/auth/register', { body: anew })).status).toBe(201);
  owner = await signedInAgain(panel, parent);
  const panels = await panel.world.rest(`/account/erased/${ended.id}`, {
    token: await panel.world.administrator(),
  });
  expect([panels.status, panels.text.includes('node-of-Closed'), panels.text.includes(email)]).toEqual([
    200,
    true,
    true,
  ]);
  for (const at of [`/account/erased/${ended.id}`, `/msp/exports/${ended.id}`])
    expect([at, [403, 404].includes((await owner.rest(at)).status)]).toEqual([at, true]);

  const exported = await owner.rest(`/msp/exports/${erasure!.id}`);
  expect([exported.status, exported.headers.get('content-type')]).toEqual([
    200,
    'application/x-ndjson; charset=utf-8',
  ]);
  const lines = exported.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { area: string; table: string; row: Record<string, unknown> });
  const rowsOf = (area: string, table: string) =>
    lines.filter((line) => line.area === area && line.table === table).map(({ row }) => row);
  expect(rowsOf('identity', 'user')).toEqual([
    expect.objectContaining({ tenant_id: acmeCorp.id, email: acmeCorp.account.email, role: 'OWNER' }),
  ]);
  expect(rowsOf('fleet', 'instance')).toEqual([expect.objectContaining({ name: 'node-of-Erased' })]);
  expect(rowsOf('identity', 'audit_event').length).toBe(erasure!.report['identity']!['audit_event']);
  expect(rowsOf('fleet', 'metrics_sample')).toEqual([]);
  // Nor what the panel counts for itself, which is otherwise with each row that goes.
  expect(lines.filter(({ table }) => /_(count|mark|told)$/.test(table))).toEqual([]);
  expect(exported.text).not.toMatch(/password_hash|token_hash|argon2|node-of-Neighbour/);
  expect((await neighbour.rest(`/msp/exports/${erasure!.id}`)).status).toBe(401);
  const back = await signedInAgain(panel, neighbour);
  expect((await back.rest(`/msp/exports/${erasure!.id}`)).status).toBe(404);
  expect((await back.rest<unknown[]>('/api/fleet/instances')).body.length).toBe(1);

  // It is kept for 30 days.
  await panel.clock.leap(31 * day);
  owner = await signedInAgain(panel, parent);
  await until(async () => {
    await panel.clock.leap(61 * 60_000);
    owner = await signedInAgain(panel, parent);
    return (await owner.rest(`/msp/exports/${erasure!.id}`)).status === 404;
  }, 'the export to expire');
  expect((await erasures())[0]?.report).toEqual(erasure!.report);
});

test('a client that is restored within the 30 days is not erased', async () => {
  await using mailbox = await Mailbox.start();
  await using panel = await startTestPanel({ SMTP_URL: mailbox.url });
  const parent = await provider(panel);
  const acmeCorp = await client(panel, mailbox, parent);
  const path = `/api/msp/clients/${acmeCorp.id}`;
  await parent.rest(path, { method: 'DELETE' });
  await panel.clock.leap(29 * day);
  const owner = await signedInAgain(panel, parent);
  expect((await owner.rest<ClientBody>(`${path}/restore`, { method: 'POST' })).body.status).toBe('active');
  await panel.clock.leap(3 * day);
  await minutesPass(panel);
  expect((await (await signedInAgain(panel, parent)).rest(path)).status).toBe(200);
  await until(
    async () => (await panel.world.login(acmeCorp.account.email, acmeCorp.account.password)).status === 200,
    'the client to be let in',
  );
});
