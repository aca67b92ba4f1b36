import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { until, type Tenant } from '../../support/world.js';
import { rename, settled, tenantWithTrailIn, verify } from './support.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

const tenantWithTrail = async (count?: number) => tenantWithTrailIn(panel, count);

/** As if nothing had ever happened. */
async function wipe({ id }: Tenant): Promise<void> {
  await panel.sql('delete from identity.audit_event where tenant_id = $1', [id]);
  await panel.sql(
    `update identity.audit_head set first_after = 0, first_after_hash = '', last_sequence = 0, last_hash = '',
       sealed_head = null, restored_at = null where tenant_id = $1`,
    [id],
  );
}

describe('tampering by SQL is found, with its place', () => {
  const at = (tenant: Tenant) => [tenant.id];
  const cases: [string, (tenant: Tenant) => Promise<unknown>, Record<string, unknown>][] = [
    [
      'an altered actor',
      (t) =>
        panel.sql(
          `update identity.audit_event set actor = 'usr_other' where tenant_id = $1 and sequence = 4`,
          at(t),
        ),
      { brokenAt: 4, checked: 3, problem: 'ROW_ALTERED' },
    ],
    [
      'an altered detail',
      (t) =>
        panel.sql(
          `update identity.audit_event set details = details || '{"changes": {"name": "Innocent"}}'
           where tenant_id = $1 and sequence = 5`,
          at(t),
        ),
      { brokenAt: 5, checked: 4, problem: 'ROW_ALTERED' },
    ],
    [
      'an altered time',
      (t) =>
        panel.sql(
          `update identity.audit_event set occurred_at = occurred_at - interval '1 hour' where tenant_id = $1 and sequence = 1`,
          at(t),
        ),
      { brokenAt: 1, checked: 0, problem: 'ROW_ALTERED' },
    ],
    [
      'a removed entry',
      (t) => panel.sql(`delete from identity.audit_event where tenant_id = $1 and sequence = 3`, at(t)),
      { brokenAt: 3, checked: 2, problem: 'ROW_MISSING' },
    ],
    [
      'a removed beginning',
      (t) => panel.sql(`delete from identity.audit_event where tenant_id = $1 and sequence <= 2`, at(t)),
      { brokenAt: 1, checked: 0, problem: 'ROW_MISSING' },
    ],
    [
      'two entries that changed places',
      (t) =>
        panel
          .sql(
            `update identity.audit_event set sequence = case sequence when 4 then 1005 else 1004 end
           where tenant_id = $1 and sequence in (4, 5)`,
            at(t),
          )
          .then(() =>
            panel.sql(
              `update identity.audit_event set sequence = sequence - 1000 where tenant_id = $1 and sequence > 1000`,
              at(t),
            ),
          ),
      { brokenAt: 4, checked: 3, problem: 'LINK_BROKEN' },
    ],
    [
      'a removed end',
      (t) =>
        panel.sql(
          `delete from identity.audit_event where tenant_id = $1 and sequence >
             (select last_sequence - 2 from identity.audit_head where tenant_id = $1)`,
          at(t),
        ),
      { brokenAt: 7, checked: 6, problem: 'END_MISSING' },
    ],
    [
      'a removed end whose head was moved along',
      (t) =>
        panel.sql(`delete from identity.audit_event where tenant_id = $1 and sequence > 6`, at(t)).then(() =>
          panel.sql(
            `update identity.audit_head h set last_sequence = 6, last_hash = e.hash from identity.audit_event e
               where h.tenant_id = $1 and e.tenant_id = $1 and e.sequence = 6`,
            at(t),
          ),
        ),
      { brokenAt: 6, checked: 6, problem: 'HEAD_ALTERED' },
    ],
    [
      'a forged entry behind the end',
      (t) =>
        panel.sql(
          `insert into identity.audit_event
           select tenant_id, sequence + 1, event_id, category, 'forged', actor, actor_kind, target, client_address,
             request_id, details, occurred_at, recorded_at, hash, hash
           from identity.audit_event where tenant_id = $1 order by sequence desc limit 1`,
          at(t),
        ),
      { brokenAt: 9, checked: 8, problem: 'ROW_ADDED' },
    ],
    [
      'a removed trail',
      (t) =>
        panel
          .sql(`delete from identity.audit_event where tenant_id = $1`, at(t))
          .then(() => panel.sql(`delete from identity.audit_head where tenant_id = $1`, at(t))),
      { brokenAt: 1, checked: 0, problem: 'HEAD_MISSING' },
    ],
    ['a trail put back to its beginning', wipe, { brokenAt: 0, checked: 0, problem: 'HEAD_ALTERED' }],
  ];
  test.concurrent.for(cases)('%s', async ([, tamper, expected]) => {
    const tenant = await tenantWithTrail(5);
    expect(await verify(tenant)).toMatchObject({ isIntact: true, checked: 8 });
    await tamper(tenant);
    expect(await verify(tenant)).toEqual({ isIntact: false, ...expected });
  });
});

test.concurrent('a head that was lost does not stop the trail, and the loss is told', async () => {
  const tenant = await tenantWithTrail();
  await panel.sql('delete from identity.audit_head where tenant_id = $1', [tenant.id]);
  await tenant.graphql(rename, { input: { name: 'After the loss' } });
  await settled(panel, tenant.id);
  expect(await verify(tenant)).toEqual({ isIntact: false, checked: 9, brokenAt: 9, problem: 'HEAD_MISSING' });
});

test.concurrent('a trail that was put back to its beginning goes on, and the loss can not be taken back', async () => {
  const tenant = await tenantWithTrail();
  await wipe(tenant);
  await tenant.graphql(rename, { input: { name: 'After the wipe' } });
  await until(async () => (await verify(tenant))['checked'] === 1, 'the next entry');
  expect(await verify(tenant)).toMatchObject({ isIntact: false, problem: 'HEAD_MISSING' });
  await panel.sql('update identity.audit_head set restored_at = null where tenant_id = $1', [tenant.id]);
  expect(await verify(tenant)).toMatchObject({ isIntact: false, problem: 'HEAD_ALTERED' });
});

test.concurrent('a trail whose head was moved back to where there are entries goes on behind them', async () => {
  const tenant = await tenantWithTrail();
  await panel.sql('update identity.audit_head set last_sequence = 0 where tenant_id = $1', [tenant.id]);
  await tenant.graphql(rename, { input: { name: 'After the move' } });
  await settled(panel, tenant.id);
  expect(await verify(tenant)).toEqual({ isIntact: false, checked: 9, brokenAt: 9, problem: 'HEAD_MISSING' });
});

test.concurrent('the trail of a tenant is sealed before its first entry', async () => {
  const tenant = await panel.world.tenant();
  expect(await verify(tenant)).toMatchObject({ isIntact: true, problem: null });
});

test.concurrent("the panel's own roles can neither change nor remove an entry", async () => {
  const tenant = await tenantWithTrail();
  for (const role of ['identity_app', 'identity_jobs']) {
    for (const statement of [
      `update identity.audit_event set actor = 'x' where tenant_id = '${tenant.id}'`,
      `delete from identity.audit_event where tenant_id = '${tenant.id}'`,
      `truncate identity.audit_event`,
    ]) {
      const attempt = panel.sql(
        `do $do$ begin set local role ${role}; perform set_config('app.tenant_id', '${tenant.id}', true); ${statement}; end $do$`,
      );
      await expect(attempt).rejects.toThrow(/permission denied/);
    }
  }
});
