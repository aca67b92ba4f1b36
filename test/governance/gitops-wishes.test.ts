import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { until, type Tenant } from '../support/world.js';
import {
  connected,
  forgetRepository,
  git,
  inForce,
  names,
  newRepository,
  panel,
  paying,
  policy,
  refresh,
  seen,
  start,
  sync,
} from './support/gitops.js';

beforeAll(async () => start());
afterAll(async () => panel.stop());
beforeEach(newRepository);
afterEach(forgetRepository);

const listed = (instanceId: string) => `apiVersion: v1
kind: InstanceGroup
metadata: {name: Web}
spec: {instance_ids: [${instanceId}]}
`;
const grouped = policy('Grouped', '  applies_to: {groups: [web]}');
/** A group whose instance is not there any more, and what is for it. */
const refused = `${listed('inst_of_yesterday')}---\n${grouped}`;

const isWished = async (id: string) =>
  (await panel.sql('select 1 from governance.gitops_config where id = $1 and wanted_sync is not null', [id]))
    .length > 0;

/** Has the time of the next look come, and waits for it: time must not run away from a look that is under way. */
async function nextLook(id: string): Promise<void> {
  const look = async () => {
    const [row] = await panel.sql<{ at: Date; next: Date }>(
      `select last_checked_at as at, next_check_at as next from governance.gitops_config
       where id = $1 and looking_by is null`,
      [id],
    );
    return row;
  };
  let before: { at: Date; next: Date } | undefined;
  await until(async () => (before = await look()) !== undefined, 'the look to end', 60_000);
  await panel.clock.advance(Math.max(0, before!.next.getTime() - panel.clock.now().getTime()) + 6_000);
  await until(
    async () => {
      const now = await look();
      return now !== undefined && now.at > before!.at;
    },
    'the next look',
    60_000,
  );
}

describe('a sync by hand', { timeout: 300_000 }, () => {
  /** Synced by hand with `prune`, and something of it refused. */
  const synced = async (): Promise<{ tenant: Tenant; id: string }> => {
    const tenant = await paying();
    await git.commit({ 'a.yaml': refused, 'b.yaml': policy('Kept') });
    const id = await connected(tenant, { autoSync: false });
    await seen(tenant, id, ({ changes }) => changes.length === 3, 'what would be done');
    await sync(tenant, id, true);
    const config = await seen(tenant, id, ({ problems }) => problems.length === 2, 'the refusals');
    expect(config.problems.map(({ message }) => message)).toEqual([
      expect.stringContaining('InstanceGroup Web: '),
      expect.stringContaining('There is no group web'),
    ]);
    expect(await names(tenant)).toEqual(['Kept']);
    return { tenant, id };
  };

  test('is for its commit: a later one is neither put into force nor pruned by it, though something was refused', async () => {
    const { tenant, id } = await synced();
    const next = await git.commit({ 'a.yaml': refused, 'b.yaml': policy('Another') });
    await refresh(tenant, id);
    await seen(tenant, id, ({ lastSeenCommit }) => lastSeenCommit === next, 'the next commit');
    expect(await isWished(id)).toBe(false);
    expect(await names(tenant)).toEqual(['Kept']);
  });

  test('ends after five tries, whatever is refused, and its repository is asked no oftener than any other then', async () => {
    const { id } = await synced();
    for (let tries = 1; tries < 5; tries += 1) {
      expect([tries, await isWished(id)]).toEqual([tries, true]);
      await nextLook(id);
    }
    expect(await isWished(id)).toBe(false);
    const [row] = await panel.sql<{ seconds: number }>(
      `select extract(epoch from next_check_at - last_checked_at)::integer as seconds
       from governance.gitops_config where id = $1`,
      [id],
    );
    expect(row?.seconds).toBeGreaterThanOrEqual(120);
  });

  test('is over when it was carried out, though the repository was to be looked at again meanwhile', async () => {
    const tenant = await paying();
    await git.commit({ 'a.yaml': policy('Encrypted') });
    const id = await connected(tenant, { autoSync: false });
    await seen(tenant, id, ({ changes }) => changes.length === 1, 'what would be done');
    // As a webhook that comes while it is put into force; and what every look leaves of what was asked for.
    await panel.sql('create table public.test_left (wish jsonb)');
    await panel.sql(`create function public.test_ask() returns trigger security definer language plpgsql as $$ begin
      update governance.gitops_config set requests = requests + 1 where tenant_id = new.tenant_id; return new; end $$`);
    await panel.sql(`create function public.test_keep() returns trigger security definer language plpgsql as $$ begin
      insert into public.test_left values (new.wanted_sync); return new; end $$`);
    await panel.sql(
      'create trigger test_ask after insert on governance.policy for each row execute function public.test_ask()',
    );
    await panel.sql(`create trigger test_keep after update on governance.gitops_config for each row
      when (old.looking_by is not null and new.looking_by is null) execute function public.test_keep()`);
    try {
      await sync(tenant, id, true);
      await inForce(tenant, id, await git.head());
      const left = await panel.sql<{ wish: unknown }>('select wish from public.test_left');
      expect(left.length).toBeGreaterThan(0);
      expect(left.map(({ wish }) => wish)).toEqual(left.map(() => null));
    } finally {
      for (const what of [
        'function public.test_ask()',
        'function public.test_keep()',
        'table public.test_left',
      ])
        await panel.sql(`drop ${what} cascade`);
    }
  });
});
