import { afterAll, beforeAll, expect, test } from 'vitest';

import { entryOf } from '../../identity/audit/support.js';
import { signedInAgain } from '../../identity/msp/support.js';
import { dataOf, refusal } from '../../support/answers.js';
import { HeldLock } from '../../support/held-lock.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { tokenInRole } from '../../support/roles.js';
import { until, type Tenant } from '../../support/world.js';
import { fields, group, override, overridesOf, remove, rulesInForce, set } from './support/overrides.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

const replace = `mutation($input: ReplaceAlertRuleOverridesInput!) {
    replaceAlertRuleOverrides(input: $input) { kind overrides { groupId ${fields} updatedAt } }
  }`;
const groups = async (tenant: Tenant, ...names: string[]) =>
  Promise.all(names.map(async (name) => group(tenant, name, { kind: 'STATIC', instanceIds: [] })));

test('overrides that are set at the same time for one place take turns: one has it, the other is told who', async () => {
  const tenant = await panel.world.tenant();
  const ids = await groups(tenant, 'one', 'two');
  // Both are held up by their groups, so neither has looked at the places when the other comes.
  await using held = await HeldLock.by(
    panel,
    'select 1 from fleet.instance_group where tenant_id = $1 for update',
    [tenant.id],
  );
  const both = ids.map(async (groupId) =>
    tenant.graphql<{ overrideAlertRule: { groupId: string } }>(override, {
      input: { kind: 'CPU', groupId, threshold: 50, priority: 30 },
    }),
  );
  await held.wanted(2);
  await held.release();
  const answers = await Promise.all(both);
  const won = answers.flatMap(({ data }) => data?.overrideAlertRule.groupId ?? []);
  expect(won).toHaveLength(1);
  expect(refusal(answers.find(({ errors }) => errors)!)).toEqual({
    code: 'CONFLICT',
    reason: 'PRIORITY_TAKEN',
    details: { groupId: won[0] },
  });
  expect(await overridesOf(tenant, 'CPU')).toEqual([{ groupId: won[0], priority: 30 }]);
});

test('overrides are replaced all at once: they change places, what is not listed goes, and what is as it was stays whose it is', async () => {
  const tenant = await panel.world.tenant();
  const [a, b, c] = (await groups(tenant, 'a', 'b', 'c')) as [string, string, string];
  for (const groupId of [a, b, c]) await set(tenant, { kind: 'CPU', groupId, threshold: 50 });
  await set(tenant, { kind: 'DISK', groupId: a, threshold: 50 });
  const input = {
    kind: 'CPU',
    overrides: [
      { groupId: b, threshold: 50 },
      { groupId: a, threshold: 50 },
    ],
  };
  await panel.clock.advance(60_000);
  const wanted = [
    { groupId: b, priority: 10 },
    { groupId: a, priority: 20 },
  ];
  const first = dataOf(await tenant.graphql(replace, { input }));
  expect(await overridesOf(tenant, 'CPU')).toEqual(wanted);
  await panel.clock.advance(60_000);
  expect(dataOf(await tenant.graphql(replace, { input }))).toEqual(first);
  expect(await overridesOf(tenant, 'DISK')).toHaveLength(1);
  const faulty = [
    { groupId: a, threshold: 101, priority: 7 },
    { groupId: a, forSeconds: 1, priority: 7 },
    { groupId: c },
  ];
  expect(refusal(await tenant.graphql(replace, { input: { kind: 'CPU', overrides: faulty } }))).toMatchObject(
    {
      details: { 'input.overrides.0.threshold': 'Threshold must be at most 100' },
    },
  );
  faulty[0]!.threshold = 7;
  expect(refusal(await tenant.graphql(replace, { input: { kind: 'OFFLINE', overrides: faulty } }))).toEqual({
    code: 'VALIDATION_FAILED',
    details: {
      'input.overrides.0.threshold': 'OFFLINE measures nothing',
      'input.overrides.1.groupId': 'There is an override for this group before it',
      'input.overrides.1.priority': 'One before it has the priority 7',
      'input.overrides.2.isEnabled': expect.stringContaining('must set something'),
    },
  });
  const strange = {
    kind: 'CPU',
    overrides: [{ groupId: (await groups(await panel.world.tenant(), 'd'))[0], threshold: 1 }],
  };
  expect(refusal(await tenant.graphql(replace, { input: strange }))).toMatchObject({
    code: 'VALIDATION_FAILED',
    details: { 'input.overrides.0.groupId': expect.stringContaining('There is no group') },
  });
  const viewer = await tokenInRole(panel, tenant, 'VIEWER');
  expect(refusal(await panel.world.graphql(replace, { input }, viewer))).toMatchObject({ code: 'FORBIDDEN' });
  expect(await overridesOf(tenant, 'CPU')).toEqual(wanted);
  expect(await entryOf(tenant, 'replaceAlertRuleOverrides')).toMatchObject({
    target: 'CPU',
    details: {
      changes: {
        overrides: [
          { groupName: 'b', priority: 10 },
          { groupName: 'a', priority: 20 },
        ],
      },
    },
  });
});

test('overrides are set by nobody while the tenant is suspended, and are what they were when it is restored', async () => {
  const tenant = await panel.world.tenant();
  await tenant.node('here');
  const groupId = await group(tenant, 'all', { kind: 'LIVE', filter: { q: 'here' } });
  await set(tenant, { kind: 'CPU', groupId, threshold: 60 });
  const administer = async (what: string) =>
    dataOf(
      await panel.world.graphql(
        `mutation($id: ID!) { ${what}(id: $id) { id } }`,
        { id: tenant.id },
        await panel.world.administrator(),
      ),
    );
  await administer('suspendTenant');
  await until(async () => (await tenant.rest('/api/fleet/alerts')).status === 401, 'the refusal');
  for (const [document, variables] of [
    [override, { input: { kind: 'CPU', groupId, threshold: 1 } }],
    [replace, { input: { kind: 'CPU', overrides: [] } }],
    [remove, { kind: 'CPU', groupId }],
  ] as const)
    expect(refusal(await tenant.graphql(document, variables))).toMatchObject({ code: 'UNAUTHENTICATED' });
  await administer('restoreTenant');
  await until(
    async () => (await panel.world.login(tenant.account.email, tenant.account.password)).status === 200,
    'the owner to be let in again',
  );
  const again = await signedInAgain(panel, tenant);
  await until(async () => !(await again.graphql('{ alertRules { kind } }')).errors, 'fleet to be told again');
  expect((await rulesInForce(again)).get('here')).toContainEqual(
    expect.objectContaining({ kind: 'CPU', threshold: 60, override: { groupId, priority: 10 } }),
  );
});
