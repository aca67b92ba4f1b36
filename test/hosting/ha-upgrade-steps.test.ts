import { afterAll, beforeAll, expect, test } from 'vitest';

import { startTestPanel, type TestPanel } from '../support/panel.js';
import { until } from '../support/world.js';
import { StandInProcess } from './support/stand-in-process.js';

interface Upgrade {
  id: string;
  status: string;
  reason: string | null;
  steps: { node: string; status: string }[];
}

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel({ NODE_NAME: 'self', PANEL_VERSION: '2.0.0' });
});
afterAll(async () => {
  await panel.stop();
});

async function graphql<Data>(query: string): Promise<Data> {
  const { data, errors } = await panel.world.graphql<Data>(query, {}, await panel.world.administrator());
  if (errors) throw new Error(JSON.stringify(errors));
  return data!;
}

async function latest(): Promise<Upgrade> {
  const query = '{ haUpgrades(first: 1) { id status reason steps { node status } } }';
  return (await graphql<{ haUpgrades: Upgrade[] }>(query)).haUpgrades[0]!;
}
const shown = async () => {
  const { status, steps } = await latest();
  return [status, ...steps.map((step) => `${step.node} ${step.status}`)];
};

/** Sweeps run as the panel's clock moves. */
async function untilShown(...wanted: string[]): Promise<void> {
  await until(
    async () => {
      await panel.clock.advance(1_000);
      return JSON.stringify(await shown()) === JSON.stringify(wanted);
    },
    `${wanted.join(', ')}`,
    60_000,
  );
}

const resume = async (id: string) => graphql(`mutation { resumeUpgrade(input: { id: "${id}" }) { status } }`);

test('nobody is told to end while another is away, or before the one that came back has stayed; one that crashes again pauses the upgrade', async () => {
  await until(async () => {
    const { haNodes } = await graphql<{ haNodes: { epoch: number | null }[] }>('{ haNodes { epoch } }');
    return haNodes[0]?.epoch != null;
  }, 'the leases');
  const upgraded = { version: '2.0.0' };
  const young = { ...upgraded, startedAt: `now() + interval '1 hour'` };
  await panel.sql(`update platform.process set started_at = now() - interval '1 hour'`);
  const a1 = await StandInProcess.comes(panel, 'a/1');
  const b1 = await StandInProcess.comes(panel, 'b/1');
  await graphql('mutation { startUpgrade(input: { version: "2.0.0" }) { id } }');
  await b1.dies();
  await untilShown('PAUSED', 'a PENDING', 'b PENDING', 'self HEALTHY');
  const { id, reason } = await latest();
  expect([reason, await a1.told()]).toEqual(['b is not there', null]);

  const b2 = await StandInProcess.comes(panel, 'b/2');
  await resume(id);
  await untilShown('RUNNING', 'a DRAINING', 'b PENDING', 'self HEALTHY');
  expect([await a1.told(), await b2.told()]).toEqual(['restart', null]);

  await a1.dies();
  const a2 = await StandInProcess.comes(panel, 'a/2', young);
  await untilShown('RUNNING', 'a HEALTHY', 'b PENDING', 'self HEALTHY');
  for (let second = 0; second < 5; second += 1) {
    await panel.clock.advance(1_000);
    expect((await shown())[2]).toBe('b PENDING');
  }
  await a2.dies();
  // Who supervises it has started it anew meanwhile, and it will crash again.
  const a3 = await StandInProcess.comes(panel, 'a/3', young);
  await untilShown('PAUSED', 'a FAILED', 'b PENDING', 'self HEALTHY');
  expect([(await latest()).reason, await b2.told()]).toEqual(['a ended again after it had come back', null]);

  // It has the wanted version already, and is waited for rather than told to end.
  await resume(id);
  await untilShown('RUNNING', 'a HEALTHY', 'b PENDING', 'self HEALTHY');
  await moments(3);
  expect([await a3.told(), await b2.told()]).toEqual([null, null]);
  await a3.dies();
  await untilShown('PAUSED', 'a FAILED', 'b PENDING', 'self HEALTHY');
  const a4 = await StandInProcess.comes(panel, 'a/4', upgraded);
  await resume(id);
  await untilShown('RUNNING', 'a HEALTHY', 'b DRAINING', 'self HEALTHY');
  expect([await a4.told(), await b2.told()]).toEqual([null, 'restart']);
  await b2.dies();
  const b3 = await StandInProcess.comes(panel, 'b/3', young);
  await untilShown('RUNNING', 'a HEALTHY', 'b HEALTHY', 'self HEALTHY');
  await b3.dies();
  await untilShown('PAUSED', 'a HEALTHY', 'b FAILED', 'self HEALTHY');
  const b4 = await StandInProcess.comes(panel, 'b/4', upgraded);
  await resume(id);
  await untilShown('SUCCEEDED', 'a HEALTHY', 'b HEALTHY', 'self HEALTHY');
  expect(await b4.told()).toBe(null);
  for (const each of [a4, b4]) await each[Symbol.asyncDispose]();
}, 300_000);

test('an upgrade is paused when a process comes back as another version, and goes on when it is resumed, until it has ended', async () => {
  await panel.sql(`delete from platform.process where node_name <> 'self'`);
  await panel.sql(`update platform.process set started_at = now() - interval '1 hour'`);
  const upgraded = { version: '2.0.0' };
  const a1 = await StandInProcess.comes(panel, 'a/1');
  const b1 = await StandInProcess.comes(panel, 'b/1');
  await graphql('mutation { startUpgrade(input: { version: "2.0.0" }) { id } }');
  await untilShown('RUNNING', 'a DRAINING', 'b PENDING', 'self HEALTHY');
  await a1.dies();
  const a2 = await StandInProcess.comes(panel, 'a/2', { version: '1.9.0' });
  await untilShown('PAUSED', 'a FAILED', 'b PENDING', 'self HEALTHY');
  const { id, reason } = await latest();
  expect([reason, await a2.told(), await b1.told()]).toEqual(['a came back as version 1.9.0', null, null]);
  expect(await graphql('{ haStatus { upgrade { status } } }')).toEqual({
    haStatus: { upgrade: { status: 'PAUSED' } },
  });

  // Asked for twice it is the same.
  for (const answer of [await resume(id), await resume(id)])
    expect(answer).toEqual({ resumeUpgrade: { status: 'RUNNING' } });
  await untilShown('RUNNING', 'a DRAINING', 'b PENDING', 'self HEALTHY');
  expect([await a2.told(), await b1.told()]).toEqual(['restart', null]);
  await a2.dies();
  const a3 = await StandInProcess.comes(panel, 'a/3', upgraded);
  await untilShown('RUNNING', 'a HEALTHY', 'b DRAINING', 'self HEALTHY');
  await b1.dies();
  const b2 = await StandInProcess.comes(panel, 'b/2', upgraded);
  await untilShown('SUCCEEDED', 'a HEALTHY', 'b HEALTHY', 'self HEALTHY');

  const refusalOf = async (mutation: string) => {
    const { errors } = await panel.world.graphql(mutation, {}, await panel.world.administrator());
    return errors?.[0]?.extensions;
  };
  const cancel = (which: string) => `mutation { cancelUpgrade(input: { id: "${which}" }) { status } }`;
  const ended = { code: 'CONFLICT', reason: 'UPGRADE_ENDED' };
  expect(await refusalOf(`mutation { resumeUpgrade(input: { id: "${id}" }) { status } }`)).toMatchObject(
    ended,
  );
  expect(await refusalOf(cancel(id))).toMatchObject(ended);
  expect(await refusalOf(cancel('upg_none'))).toMatchObject({ code: 'NOT_FOUND' });
  const same = await panel.world.rest<{ status: string }>('/api/cc/ha/upgrade', {
    token: await panel.world.administrator(),
    body: upgraded,
  });
  expect([same.status, same.body.status]).toEqual([201, 'succeeded']);
  await moments(3);
  expect([await a3.told(), await b2.told(), await toldToSelf()]).toEqual([null, null, null]);
  for (const each of [a3, b2]) await each[Symbol.asyncDispose]();
}, 300_000);

/** The database's clock rules an upgrade: what began so long ago is what so much time has passed since. */
const passed = async (seconds: number) =>
  panel.sql(
    `update platform.upgrade_step set started_at = started_at - make_interval(secs => $1) where status = 'draining'`,
    [seconds],
  );
const moments = async (count: number) => {
  for (let moment = 0; moment < count; moment += 1) await panel.clock.advance(1_000);
};

test('one that does not come back is waited for 180 seconds, and then the upgrade is paused with its reason, to be resumed; the leader is last', async () => {
  await panel.sql(`delete from platform.process where node_name <> 'self'`);
  await panel.sql(`update platform.process set started_at = now() - interval '1 hour'`);
  const a1 = await StandInProcess.comes(panel, 'a/1');
  const b1 = await StandInProcess.comes(panel, 'b/1');
  await graphql('mutation { startUpgrade(input: { version: "3.0.0" }) { id } }');
  await untilShown('RUNNING', 'a DRAINING', 'b PENDING', 'self PENDING');
  await a1.dies();
  await passed(175);
  await moments(5);
  expect(await shown()).toEqual(['RUNNING', 'a DRAINING', 'b PENDING', 'self PENDING']);

  await passed(10);
  await untilShown('PAUSED', 'a FAILED', 'b PENDING', 'self PENDING');
  const { id, reason } = await latest();
  expect(reason).toBe('a did not come back within 180 seconds');
  await moments(5);
  expect([await b1.told(), await toldToSelf()]).toEqual([null, null]);

  // Whoever looks after it has started it by hand meanwhile, as it was; its time begins anew.
  const a2 = await StandInProcess.comes(panel, 'a/2');
  await resume(id);
  await untilShown('RUNNING', 'a DRAINING', 'b PENDING', 'self PENDING');
  expect(await a2.told()).toBe('restart');
  await a2.dies();
  await passed(100);
  await moments(3);
  expect((await latest()).status).toBe('RUNNING');
  const a3 = await StandInProcess.comes(panel, 'a/3', { version: '3.0.0' });
  await untilShown('RUNNING', 'a HEALTHY', 'b DRAINING', 'self PENDING');
  expect([await b1.told(), await toldToSelf()]).toEqual(['restart', null]);

  await b1.dies();
  const b2 = await StandInProcess.comes(panel, 'b/2', { version: '3.0.0' });
  await untilShown('RUNNING', 'a HEALTHY', 'b HEALTHY', 'self DRAINING');
  expect(await toldToSelf()).toBe('restart');
  await graphql(`mutation { cancelUpgrade(input: { id: "${id}" }) { status } }`);
  for (const each of [a3, b2]) await each[Symbol.asyncDispose]();
}, 300_000);

test('while one is paused no other is asked for, whatever its version, and it is the one that is shown', async () => {
  await panel.sql(`delete from platform.process where node_name <> 'self'`);
  await panel.sql(`update platform.process set started_at = now() - interval '1 hour'`);
  const b1 = await StandInProcess.comes(panel, 'b/1');
  await graphql('mutation { startUpgrade(input: { version: "2.0.0" }) { id } }');
  await untilShown('RUNNING', 'b DRAINING', 'self HEALTHY');
  await b1.dies();
  await passed(185);
  await untilShown('PAUSED', 'b FAILED', 'self HEALTHY');
  const { id } = await latest();
  // It comes late: now all have the version.
  await using _b2 = await StandInProcess.comes(panel, 'b/2', { version: '2.0.0' });
  const again = await panel.world.rest('/api/cc/ha/upgrade', {
    token: await panel.world.administrator(),
    body: { version: '2.0.0' },
  });
  expect(again.status).toBe(409);
  expect(await graphql('{ haStatus { upgrade { id status } } }')).toEqual({
    haStatus: { upgrade: { id, status: 'PAUSED' } },
  });
  await graphql(`mutation { cancelUpgrade(input: { id: "${id}" }) { status } }`);
}, 300_000);

test('where two processes share a name, one that came back counts for one of them only', async () => {
  await panel.sql(`delete from platform.process where node_name <> 'self'`);
  const both = [await StandInProcess.comes(panel, 'a/1'), await StandInProcess.comes(panel, 'a/2')];
  await graphql('mutation { startUpgrade(input: { version: "4.0.0" }) { id } }');
  await untilShown('RUNNING', 'a DRAINING', 'a PENDING', 'self PENDING');
  for (const each of both) await each.dies();
  await passed(185);
  await untilShown('PAUSED', 'a FAILED', 'a PENDING', 'self PENDING');
  const upgraded = { version: '4.0.0' };
  const a3 = await StandInProcess.comes(panel, 'a/3', upgraded);
  const { id } = await latest();
  await resume(id);
  await untilShown('RUNNING', 'a HEALTHY', 'a DRAINING', 'self PENDING');
  await moments(3);
  expect([await shown(), await a3.told()]).toEqual([
    ['RUNNING', 'a HEALTHY', 'a DRAINING', 'self PENDING'],
    null,
  ]);
  const a4 = await StandInProcess.comes(panel, 'a/4', upgraded);
  await untilShown('RUNNING', 'a HEALTHY', 'a HEALTHY', 'self DRAINING');
  await graphql(`mutation { cancelUpgrade(input: { id: "${id}" }) { status } }`);
  for (const each of [a3, a4]) await each[Symbol.asyncDispose]();
}, 300_000);

async function toldToSelf(): Promise<string | null | undefined> {
  const [row] = await panel.sql<{ told: string | null }>(
    `select told from platform.process where node_name = 'self'`,
  );
  return row?.told;
}
