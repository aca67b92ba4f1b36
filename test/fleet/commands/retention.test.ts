import { expect, test } from 'vitest';

import { startTestPanel } from '../../support/panel.js';
import { until } from '../../support/world.js';

test('commands are forgotten after 90 days, some thousand invocations at a time', async () => {
  const panel = await startTestPanel();
  try {
    const tenant = await panel.world.tenant();
    const old = new Date(panel.clock.now().getTime() - 91 * 24 * 3_600_000);
    const insert = async (id: string, total: number, finishedAt: Date) => {
      await panel.sql(
        `insert into fleet.command (tenant_id, id, kind, params, status, counts, total, max_concurrency, max_errors,
           execution_timeout_seconds, created_by, created_at, expires_at, finished_at)
         values ($1, $2, 'RESTART', '{}', 'SUCCESS', jsonb_build_object('SUCCESS', $3::integer), $3, 1, 0, 60, 'usr_x',
           $4, $4, $4)`,
        [tenant.id, id, total, finishedAt],
      );
      await panel.sql(
        `insert into fleet.command_invocation
           (tenant_id, command_id, instance_id, position, status, lease_stem, updated_at)
         select $1, $2, 'inst_' || n, n, 'SUCCESS', 'x', $4 from generate_series(1, $3::integer) n`,
        [tenant.id, id, total, finishedAt],
      );
    };
    await panel.sql('create table removal (transaction bigint)');
    await panel.sql(`create function note_removal() returns trigger language plpgsql security definer as
      $$ begin insert into public.removal values (txid_current()); return null; end $$`);
    await panel.sql(
      'create trigger note after delete on fleet.command_invocation for each row execute function note_removal()',
    );
    for (const at of [1, 2, 3, 4]) await insert(`cmd_${at}`, 4_000, old);
    await insert('cmd_new', 3, panel.clock.now());
    await until(async () => {
      await panel.clock.advance(60_000);
      const left = await panel.sql<{ id: string }>('select id from fleet.command');
      return left.length === 1;
    }, 'the old ones to be gone');
    const batches = await panel.sql(
      'select count(*)::integer as removed from removal group by transaction order by transaction',
    );
    const left = await panel.sql('select command_id from fleet.command_invocation');
    expect({ batches, left: left.length }).toEqual({
      batches: [{ removed: 8_000 }, { removed: 8_000 }],
      left: 3,
    });
  } finally {
    await panel.stop();
  }
});
