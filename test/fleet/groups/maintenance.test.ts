import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import type { Tenant } from '../../support/world.js';
import { nodesOf, report, sent, statuses, take, takeOne } from '../commands/support/commands.js';

const minute = 60_000;

describe('on a panel', () => {
  let panel: TestPanel;
  beforeAll(async () => {
    panel = await startTestPanel();
  });
  afterAll(async () => panel.stop());

  const create = async (tenant: Tenant, input: Record<string, unknown>) =>
    tenant.graphql<{ createMaintenanceWindow: { id: string; isOpen: boolean } }>(
      'mutation($input: CreateMaintenanceWindowInput!) { createMaintenanceWindow(input: $input) { id isOpen } }',
      {
        input: {
          name: 'Window',
          startsAt: panel.clock.now().toISOString(),
          durationMinutes: 10,
          ...input,
        },
      },
    );

  test('a command waits for the window and then goes out; an urgent one does not wait', async () => {
    const tenant = await panel.world.tenant();
    const [node] = await nodesOf(tenant, 1);
    const startsAt = new Date(panel.clock.now().getTime() + 5 * minute).toISOString();
    const { id } = dataOf(await create(tenant, { effect: 'ALLOW', startsAt })).createMaintenanceWindow;
    const window = await tenant.graphql(
      'query ($id: ID!) { maintenanceWindow(id: $id) { startsAt isOpen createdBy createdAt } }',
      { id },
    );
    const createdAt = panel.clock.now().toISOString();
    expect(dataOf(window)).toEqual({
      maintenanceWindow: { startsAt, isOpen: false, createdBy: tenant.user.id, createdAt },
    });
    const waiting = await sent(tenant, [node!]);
    const urgent = await sent(tenant, [node!], { command: 'run_diagnostics', ignores_windows: true });
    const handed = await takeOne(node!);
    expect(handed.id).toBe(urgent);
    await report(node!, handed, 'success');
    await panel.clock.leap(5 * minute);
    expect((await take(node!)).map(({ id }) => id)).toEqual([waiting]);
  });

  test.for([
    [
      'the window that let it out has closed',
      'ALLOW',
      0,
      10 * minute - 1_000,
      24 * 60 * minute - 10 * minute,
    ],
    ['a freeze began meanwhile', 'DENY', 1_000, 0, 10 * minute],
  ] as const)(
    'a node that took a command does not begin with it when %s, and gets it again later',
    async ([, effect, startsIn, takesIn, comesAgainIn]) => {
      const tenant = await panel.world.tenant();
      const [node] = await nodesOf(tenant, 1);
      const startsAt = new Date(panel.clock.now().getTime() + startsIn).toISOString();
      dataOf(await create(tenant, { effect, repeats: 'DAILY', startsAt }));
      const id = await sent(tenant, [node!], { delivery_timeout_seconds: 172_800 });
      const urgent = await sent(tenant, [node!], { command: 'run_diagnostics', ignores_windows: true });
      if (takesIn > 0) await panel.clock.leap(takesIn);
      const handed = await take(node!);
      const [first, second] = [id, urgent].map((of) => handed.find((each) => each.id === of)!);
      await panel.clock.advance(1_000);
      const answers = [
        await report(node!, first!, 'in_progress'),
        await report(node!, second!, 'in_progress'),
      ];
      expect(answers).toEqual([409, 204]);
      expect([(await statuses(tenant, id, [node!])).nodes, await take(node!)]).toEqual([['delayed'], []]);
      await panel.clock.leap(comesAgainIn);
      const again = await takeOne(node!);
      expect([again.id, await report(node!, again, 'in_progress')]).toEqual([id, 204]);
    },
  );

  test('a freeze of a group holds its members back and nobody else', async () => {
    const tenant = await panel.world.tenant();
    const [frozen, free] = await nodesOf(tenant, 2);
    const { createInstanceGroup } = dataOf(
      await tenant.graphql<{ createInstanceGroup: { id: string } }>(
        'mutation($input: CreateInstanceGroupInput!) { createInstanceGroup(input: $input) { id } }',
        { input: { name: 'Frozen', kind: 'STATIC', instanceIds: [frozen!.id] } },
      ),
    );
    await create(tenant, { effect: 'ALLOW' });
    const freeze = dataOf(await create(tenant, { effect: 'DENY', groupId: createInstanceGroup.id }));
    await sent(tenant, [frozen!, free!]);
    expect([(await take(frozen!)).length, (await take(free!)).length]).toEqual([0, 1]);
    const removed = await tenant.graphql(
      'mutation($id: ID!) { deleteMaintenanceWindow(id: $id) { effect groupId } }',
      { id: freeze.createMaintenanceWindow.id },
    );
    expect(dataOf(removed)).toEqual({
      deleteMaintenanceWindow: { effect: 'DENY', groupId: createInstanceGroup.id },
    });
    expect(await take(frozen!)).toHaveLength(1);
  });

  test('a window that is changed holds from then on as it was changed to', async () => {
    const tenant = await panel.world.tenant();
    const [node] = await nodesOf(tenant, 1);
    const { createInstanceGroup } = dataOf(
      await tenant.graphql<{ createInstanceGroup: { id: string } }>(
        'mutation($input: CreateInstanceGroupInput!) { createInstanceGroup(input: $input) { id } }',
        { input: { name: 'Nobody', kind: 'STATIC', instanceIds: [] } },
      ),
    );
    const { createMaintenanceWindow: made } = dataOf(
      await create(tenant, { effect: 'DENY', repeats: 'DAILY', groupId: createInstanceGroup.id }),
    );
    const update = async (input: Record<string, unknown>) =>
      tenant.graphql<{ updateMaintenanceWindow: unknown }>(
        `mutation($input: UpdateMaintenanceWindowInput!) { updateMaintenanceWindow(input: $input) {
           name effect groupId durationMinutes repeats } }`,
        { input: { id: made.id, ...input } },
      );
    const everyone = dataOf(await update({ name: 'Freeze', groupId: null }));
    expect(everyone.updateMaintenanceWindow).toEqual({
      name: 'Freeze',
      effect: 'DENY',
      groupId: null,
      durationMinutes: 10,
      repeats: 'DAILY',
    });
    await sent(tenant, [node!]);
    expect(await take(node!)).toEqual([]);
    dataOf(await update({ effect: 'ALLOW' }));
    expect(await take(node!)).toHaveLength(1);
    const other = await panel.world.tenant();
    const foreign = await other.graphql(
      'mutation($input: UpdateMaintenanceWindowInput!) { updateMaintenanceWindow(input: $input) { id } }',
      { input: { id: made.id, name: 'Mine' } },
    );
    expect([
      refusal(await update({ durationMinutes: 24 * 60 })),
      refusal(await update({ groupId: 'grp_none' })),
      refusal(foreign),
    ]).toEqual([
      {
        code: 'VALIDATION_FAILED',
        details: { 'input.durationMinutes': 'It must be over before it comes again' },
      },
      { code: 'VALIDATION_FAILED', details: { 'input.groupId': 'There is no group grp_none' } },
      { code: 'NOT_FOUND' },
    ]);
  });

  test('there may be 100 in a tenant, also when several are made at once', async () => {
    const tenant = await panel.world.tenant();
    await panel.sql(
      `insert into fleet.maintenance_window
         (tenant_id, id, name, effect, starts_at, duration_minutes, repeats, created_by, created_at)
       select $1, 'mwn_' || n, 'Window', 'DENY', '2020-01-01', 5, 'NEVER', 'usr_x', now()
       from generate_series(1, 97) n`,
      [tenant.id],
    );
    const answers = await Promise.all(
      Array.from({ length: 8 }, async () => create(tenant, { effect: 'DENY' })),
    );
    expect(answers.filter(({ errors }) => !errors)).toHaveLength(3);
    expect(refusal(answers.find(({ errors }) => errors)!)).toEqual({
      code: 'LIMIT_REACHED',
      reason: 'WINDOWS_LIMIT',
      details: { limit: 100, used: 100 },
    });
  });

  test('a window is by the clocks of its zone, UTC unless told; what is no zone is refused by its field', async () => {
    const tenant = await panel.world.tenant();
    const startsAt = panel.clock.now().toISOString();
    dataOf(await create(tenant, { effect: 'DENY', repeats: 'DAILY', durationMinutes: 60 }));
    const { createMaintenanceWindow: local } = dataOf(
      await create(tenant, { effect: 'DENY', repeats: 'WEEKLY', timeZone: 'Asia/Kathmandu' }),
    );
    const list = await tenant.graphql<{ maintenanceWindows: { nodes: unknown[] } }>(
      '{ maintenanceWindows { nodes { timeZone isOpen closesAt nextOpensAt } } }',
    );
    const after = (ms: number) => new Date(Date.parse(startsAt) + ms).toISOString();
    expect(dataOf(list).maintenanceWindows.nodes).toEqual([
      { timeZone: 'UTC', isOpen: true, closesAt: after(60 * minute), nextOpensAt: after(24 * 60 * minute) },
      {
        timeZone: 'Asia/Kathmandu',
        isOpen: true,
        closesAt: after(10 * minute),
        nextOpensAt: after(7 * 24 * 60 * minute),
      },
    ]);
    const update = async (timeZone: string) =>
      tenant.graphql<{ updateMaintenanceWindow: unknown }>(
        `mutation($input: UpdateMaintenanceWindowInput!) { updateMaintenanceWindow(input: $input) { timeZone repeats } }`,
        { input: { id: local.id, timeZone } },
      );
    expect(dataOf(await update('Europe/Berlin')).updateMaintenanceWindow).toEqual({
      timeZone: 'Europe/Berlin',
      repeats: 'WEEKLY',
    });
    const message = 'Time zone must be a name of the IANA database, such as Europe/Berlin or UTC';
    const bad = { code: 'VALIDATION_FAILED', details: { 'input.timeZone': message } };
    expect([
      refusal(await create(tenant, { effect: 'DENY', timeZone: 'Europe/Nowhere' })),
      refusal(await update('+01:00')),
    ]).toEqual([bad, bad]);
  });

  test('a window comes again on several days of a week, or on a weekday of each month, until it ends', async () => {
    const tenant = await panel.world.tenant();
    const fields = 'id repeats days weekOfMonth endsAt nextOpensAt';
    const made = async (input: Record<string, unknown>) =>
      tenant.graphql<{ createMaintenanceWindow: { id: string } }>(
        `mutation($input: CreateMaintenanceWindowInput!) { createMaintenanceWindow(input: $input) { ${fields} } }`,
        { input: { name: 'W', effect: 'DENY', durationMinutes: 60, timeZone: 'Europe/Berlin', ...input } },
      );
    const changed = async (id: string, input: Record<string, unknown>) =>
      tenant.graphql<{ updateMaintenanceWindow: unknown }>(
        `mutation($input: UpdateMaintenanceWindowInput!) { updateMaintenanceWindow(input: $input) { ${fields} } }`,
        { input: { id, ...input } },
      );
    // A Tuesday in Berlin, the second one; a Monday by UTC.
    const startsAt = '2040-03-12T23:30:00.000Z';
    const weekly = dataOf(
      await made({
        startsAt,
        repeats: 'WEEKLY',
        days: ['FRIDAY', 'TUESDAY'],
        endsAt: '2040-06-01T00:00:00Z',
      }),
    ).createMaintenanceWindow;
    const days = ['TUESDAY', 'FRIDAY'];
    const endsAt = '2040-06-01T00:00:00.000Z';
    const id = weekly.id;
    expect(weekly).toEqual({ id, repeats: 'WEEKLY', days, weekOfMonth: null, endsAt, nextOpensAt: startsAt });
    const monthly = dataOf(await changed(id, { repeats: 'MONTHLY' })).updateMaintenanceWindow;
    expect(monthly).toEqual({
      id,
      repeats: 'MONTHLY',
      days: null,
      weekOfMonth: 2,
      endsAt,
      nextOpensAt: startsAt,
    });
    const once = dataOf(await changed(id, { repeats: 'NEVER' })).updateMaintenanceWindow;
    expect(once).toMatchObject({ repeats: 'NEVER', days: null, weekOfMonth: null, endsAt: null });
    const faults = async (input: Record<string, unknown>) =>
      refusal(await made({ startsAt, ...input })) as { details: Record<string, string> };
    expect(
      await Promise.all([
        faults({ repeats: 'WEEKLY', days: ['MONDAY'] }),
        faults({ repeats: 'WEEKLY', days: ['TUESDAY', 'WEDNESDAY'], durationMinutes: 24 * 60 }),
        faults({ repeats: 'DAILY', days: ['TUESDAY'], weekOfMonth: 2 }),
        faults({ repeats: 'MONTHLY', weekOfMonth: 3 }),
        faults({ endsAt }),
        faults({ repeats: 'DAILY', endsAt: startsAt }),
      ]),
    ).toEqual(
      [
        { days: 'Days must have the one on which it begins for the first time' },
        { durationMinutes: 'It must be over before it comes again' },
        {
          days: 'Days are for one that comes again weekly',
          weekOfMonth: 'Week of month is for one that comes again monthly',
        },
        { weekOfMonth: 'Week of month must be the one in which it begins for the first time' },
        { endsAt: 'Ends at is for one that comes again' },
        { endsAt: 'Ends at must be after starts at' },
      ].map((details) => ({
        code: 'VALIDATION_FAILED',
        details: Object.fromEntries(
          Object.entries(details).map(([field, message]) => [`input.${field}`, message]),
        ),
      })),
    );
  });

  test('windows are listed; bad ones and those of others are refused', async () => {
    const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
    const { createMaintenanceWindow: made } = dataOf(
      await create(tenant, { effect: 'DENY', repeats: 'DAILY' }),
    );
    const list = await tenant.graphql(
      '{ maintenanceWindows { nodes { id name isOpen repeats } totalCount } }',
    );
    expect(dataOf(list)).toEqual({
      maintenanceWindows: {
        nodes: [{ id: made.id, name: 'Window', isOpen: true, repeats: 'DAILY' }],
        totalCount: 1,
      },
    });
    const long = await create(tenant, { effect: 'DENY', repeats: 'DAILY', durationMinutes: 24 * 60 });
    const nowhere = await create(tenant, { effect: 'DENY', groupId: 'grp_none' });
    const foreign = await other.graphql('mutation($id: ID!) { deleteMaintenanceWindow(id: $id) { id } }', {
      id: made.id,
    });
    expect([refusal(long), refusal(nowhere), refusal(foreign)]).toEqual([
      {
        code: 'VALIDATION_FAILED',
        details: { 'input.durationMinutes': 'It must be over before it comes again' },
      },
      { code: 'VALIDATION_FAILED', details: { 'input.groupId': 'There is no group grp_none' } },
      { code: 'NOT_FOUND' },
    ]);
  });
});
