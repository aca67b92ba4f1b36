import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { until } from '../support/world.js';
import { drive } from './support/canaries.js';
import {
  connected,
  forgetRepository,
  git,
  newRepository,
  panel,
  paying,
  refresh,
  seen,
  start,
} from './support/gitops.js';
import { nodeWith, signedIn } from './support/tenant.js';

beforeAll(async () => start());
afterAll(async () => panel.stop());
beforeEach(newRepository);
afterEach(forgetRepository);

const version = `apiVersion: v1
kind: DesiredVersion
metadata: {name: All}
spec:
  version: "0.3.0"
  steps: [{percent: 1, bake_seconds: 0}]
  progress_deadline_seconds: 120
`;

describe('a version for more than a thousand instances', { timeout: 300_000 }, () => {
  test('comes to each of them once, by one canary after the other, and then waits for people', async () => {
    const tenant = await paying();
    const node = await nodeWith(tenant, { 'backup.encryption': true });
    for (const table of ['fleet.instance', 'governance.node'])
      await panel.sql(
        `insert into ${table} select (jsonb_populate_record(i, jsonb_build_object('id', i.id || lpad(n::text, 5, '0'),
           'name', i.name || n))).* from ${table} i, generate_series(1, 1099) n where i.id = $1`,
        [node.id],
      );
    await git.commit({ 'a.yaml': version });
    const id = await connected(tenant);
    const sizes = async () =>
      panel.sql<{ id: string; members: number }>(
        `select canary_id as id, count(*)::integer as members from governance.canary_member
         where tenant_id = $1 group by 1 order by 1`,
        [tenant.id],
      );
    for (const [at, expected] of [[1_000], [1_000, 100]].entries()) {
      const by = await signedIn(tenant);
      await refresh(by, id);
      await until(async () => (await sizes()).length === expected.length, `canary ${at + 1}`, 60_000);
      if (at === 0)
        await seen(
          by,
          id,
          ({ changes }) => changes[0]?.heldBack?.includes('is under way') === true,
          'the others to wait',
        );
      const made = await sizes();
      expect(made.map(({ members }) => members)).toEqual(expected);
      const canary = made.at(-1)!.id;
      await drive(panel, by, canary, [], ['paused']);
      const answer = await by.rest(`/api/governance/canary/${canary}`, {
        method: 'PUT',
        body: { action: 'promote' },
      });
      expect(answer.status).toBe(200);
      await drive(panel, by, canary, [], ['succeeded']);
    }
    const by = await signedIn(tenant);
    await refresh(by, id);
    const { problems } = await seen(by, id, ({ health }) => health === 'DEGRADED', 'it to wait for people');
    expect(problems.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^1100 instances run another version still, after the canary can_/),
    ]);
    const [reached] = await panel.sql<{ count: number }>(
      'select count(distinct instance_id)::integer as count from governance.canary_member where tenant_id = $1',
      [tenant.id],
    );
    expect(reached?.count).toBe(1_100);
    expect(await sizes()).toHaveLength(2);
  });
});
