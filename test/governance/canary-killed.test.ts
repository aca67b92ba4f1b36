import { expect, test } from 'vitest';

import { canaryMoves } from '#subgraphs/governance/canary/canary.status.js';
import { advanceKind } from '#subgraphs/governance/canary/kinds.js';

import { createTestDatabase, testAdministrator, testSecretsKey } from '../support/panel.js';
import { freePort, PanelProcess } from '../support/process.js';
import { hasRedis, TestRedis } from '../support/redis.js';
import { until } from '../support/world.js';
import { expectKnown, expectLegal } from './support/canaries.js';
import {
  actions,
  both,
  edgeOf,
  expectOnce,
  forbid,
  half,
  jobEdges,
  longMs,
  Stage,
  type Scene,
} from './support/canary-stage.js';
import { Edges } from './support/edges.js';

/** How many jobs of canaries a process is at. */
const { atOnce: hands = 0 } = advanceKind;

test('every move of the table is among those at which a process dies', () => {
  const tried = new Set([
    ...jobEdges.map(([at]) => at).filter((at) => at.includes(' to ')),
    ...actions.map(edgeOf),
  ]);
  const table = Object.entries(canaryMoves).flatMap(([from, moves]) =>
    Object.values(moves).map((to) => `${from} to ${to === 'where it was' ? 'BAKING' : to}`),
  );
  expect(table.filter((each) => !tried.has(each))).toEqual([]);
});

// Debian's redis-server; .ci/run installs it.
test.skipIf(!hasRedis)(
  'canaries whose process is killed, or passed over, at any write go on with the next one, and send each command once',
  { timeout: 1_200_000 },
  async () => {
    const database = await createTestDatabase();
    await using redis = await TestRedis.start();
    const settings = {
      DATABASE_URL: database.url,
      DATABASE_CONNECTIONS: '36',
      SECRETS_KEY: testSecretsKey,
      PUBLIC_URL: 'http://panel.test',
      REDIS_URL: redis.url,
      COMMAND_LEASE_SECONDS: '3',
      ADMIN_EMAIL: testAdministrator.email,
      ADMIN_PASSWORD: testAdministrator.password,
    };
    const port = await freePort();
    const start = async (at = port) => {
      const started = new PanelProcess(at, settings);
      running.push(started);
      return started.ready();
    };
    const running: PanelProcess[] = [];
    const edges = await Edges.in(database.ownerUrl);
    try {
      const first = await start();
      await using stage = new Stage(first.url, edges);
      stage.tenant = await stage.world.tenant();
      await stage.tenant.grantPlan('ENTERPRISE');
      await until(
        async () =>
          (await edges.sql(`select 1 from governance.entitlement where plan = 'ENTERPRISE'`)).length > 0,
        'the plan',
        longMs,
      );
      /** Of the edges of jobs, in their order. */
      const numberOf: number[] = [];
      const placed = jobEdges.map(async ([at, steps, end, more = {}], index) => {
        const { kind = 'good', isAborted = false } = more;
        const isForbidden = kind === 'forbidden';
        const scene = await stage.canary([half, both].includes(steps) ? 2 : 1, steps, {
          kind,
          ...(isForbidden ? { startsInMs: 20_000 } : {}),
        });
        if (isForbidden) await forbid(stage.tenant, scene.version);
        scene.end = end;
        numberOf[index] = await edges.stop(scene.id, at);
        if (isAborted) {
          await stage.reaches(scene.id, 'baking');
          await stage.act(scene.id, 'abort');
        }
        return scene;
      });
      const acted = await Promise.all(actions.map(async (action) => stage.at(action)));
      const jobs = await Promise.all(placed);
      await until(
        async () => {
          const reached = await edges.reached();
          await edges.rest(reached);
          return reached.length === jobEdges.length;
        },
        'all edges',
        longMs,
      );

      // Killed in the middle of as many writes as it has hands for, and of what people ask.
      const asked: number[] = [];
      for (const { id, action } of acted) asked.push(await edges.stop(id, edgeOf(action!), true));
      const holding = async (from: number, count: number): Promise<number[]> => {
        const wanted = numberOf.slice(from, from + count);
        await edges.hold(wanted);
        await until(
          async () => {
            const held = await edges.held();
            return wanted.every((number) => held.includes(number));
          },
          'writes of jobs to be held',
          longMs,
        );
        return wanted;
      };
      const begun = await holding(0, hands);
      const unanswered = acted.map(async ({ id, action }) => {
        let answer = await stage.act(id, action![1]);
        // Requests lose their patience after seconds, and on a crowded machine before all are there.
        while (answer.status >= 500) answer = await stage.act(id, action![1]);
      });
      const lost = Promise.allSettled(unanswered);
      await until(async () => (await edges.held()).length === hands + acted.length, 'people to wait', longMs);
      await first.kill('SIGKILL');
      expect((await lost).map(({ status }) => status)).toEqual(acted.map(() => 'rejected'));
      await edges.pass([...begun, ...asked]);

      // Killed right after what people ask is done, while it has no hand free to go on with that.
      const second = await start();
      const more = await holding(hands, hands);
      for (const { id, action } of acted) {
        const { status, body } = await stage.act(id, action![1]);
        expect([status, body.status]).toEqual([200, action![2]]);
      }
      await second.kill('SIGKILL');
      await edges.pass(more);

      // Frozen in the middle of the others, passed over by another process, and woken.
      const third = await start();
      const frozen = await holding(2 * hands, jobEdges.length);
      const holderOf = async () =>
        (
          await edges.sql<{ holder: string }>(`select holder from platform.lease where name = 'governance'`)
        )[0];
      const [holder, revisions] = [await holderOf(), await revisionsOf(edges, jobs)];
      third.signal('SIGSTOP');
      await edges.pass(frozen, true);
      const fourth = await start(await freePort());
      stage.moveTo(fourth.url);
      for (const { all } of acted) for (const worker of all) worker.isAway = false;
      await until(async () => (await holderOf())?.holder !== holder?.holder, 'the lease to be taken', longMs);
      await until(
        async () => {
          const now = await revisionsOf(edges, jobs);
          return jobs.every((_, at) => !frozen.includes(numberOf[at]!) || now[at]! > revisions[at]!);
        },
        'another process to go on',
        longMs,
      );
      third.signal('SIGCONT');

      await until(
        async () => {
          const statuses = await stage.statuses();
          for (const { id, kind, action } of stage.scenes) {
            const status = statuses.get(id);
            if (status === 'paused') await stage.act(id, kind === 'forbidden' ? 'abort' : 'resume');
            if (status === 'baking' && action) await stage.act(id, 'promote');
          }
          return stage.scenes.every(({ id, end }) => statuses.get(id) === end);
        },
        'all to come to their ends',
        longMs,
      ).catch(async (error: unknown) => {
        const statuses = await stage.statuses();
        const wrong = stage.scenes.filter(({ id, end }) => statuses.get(id) !== end);
        const told = wrong.map(({ id, version, end }) => `${version} ${statuses.get(id)}, not ${end}`);
        throw new Error(`${String(error)}: ${told.join('; ')}`);
      });
      for (const scene of stage.scenes) {
        expectOnce(scene);
        expect((await expectLegal(edges, scene.id)).toLowerCase()).toBe(scene.end);
      }
      await expectKnown(edges, stage.tenant.id);
    } finally {
      for (const each of running) await each.kill('SIGKILL');
      await edges[Symbol.asyncDispose]();
      await database.drop();
    }
  },
);

/** Of each canary that is stopped, in the order of their edges. */
async function revisionsOf(edges: Edges, scenes: readonly Scene[]): Promise<number[]> {
  const rows = await edges.sql<{ id: string; revision: number }>(
    'select id, revision from governance.canary',
  );
  const byId = new Map(rows.map(({ id, revision }) => [id, revision]));
  return scenes.map(({ id }) => byId.get(id)!);
}
