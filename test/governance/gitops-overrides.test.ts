import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { dataOf } from '../support/answers.js';
import { until, type Tenant } from '../support/world.js';
import {
  call,
  connected,
  forgetRepository,
  git,
  group,
  inForce,
  newRepository,
  panel,
  paying,
  refresh,
  seen,
  start,
  sync,
} from './support/gitops.js';

beforeAll(async () => start());
afterAll(async () => panel.stop());
beforeEach(newRepository);
afterEach(forgetRepository);

describe('overrides of an alert rule', () => {
  const declared = (...listed: string[]) => `apiVersion: v1
kind: AlertRuleOverrides
metadata: {name: cpu}
spec:
  overrides: [${listed.map((one) => `{${one}}`).join(', ')}]
`;
  const made =
    'apiVersion: v1\nkind: InstanceGroup\nmetadata: {name: Builders}\nspec: {filter: {tags: [b]}}\n';
  const [web, builders] = ['group: web SERVERS, threshold: 60', 'group: Builders, enabled: false'];
  const overridesOf = async (tenant: Tenant) => {
    const { alertRules } = dataOf(
      await tenant.graphql<{
        alertRules: {
          kind: string;
          overrides: { priority: number; group: { id: string; name: string } }[];
        }[];
      }>('{ alertRules { kind overrides { group { id name } priority threshold isEnabled } } }'),
    );
    return alertRules.find(({ kind }) => kind === 'CPU')!.overrides;
  };
  const shownAs = async (tenant: Tenant) =>
    (await overridesOf(tenant)).map(({ group: { name }, priority }) => `${priority} ${name}`);

  test('are as declared and no others, for groups of the same commit too; two change places, what is done by hand is healed, and they go with pruning', async () => {
    const tenant = await paying();
    const answer = await tenant.graphql<{ createInstanceGroup: { id: string } }>(
      'mutation { createInstanceGroup(input: { name: "By hand", kind: LIVE, filter: { tags: ["x"] } }) { id } }',
    );
    await call(
      tenant,
      'mutation ($id: ID!) { overrideAlertRule(input: { kind: CPU, groupId: $id, threshold: 5 }) { kind } }',
      {
        id: dataOf(answer).createInstanceGroup.id,
      },
    );
    const groups = `${group}---\n${made}`;
    const first = await git.commit({ 'a.yaml': `${declared(web, builders)}---\n${groups}` });
    const id = await connected(tenant, { selfHeal: true, prune: true });
    await inForce(tenant, id, first);
    expect(await overridesOf(tenant)).toEqual([
      {
        group: expect.objectContaining({ name: 'Web servers' }),
        priority: 10,
        threshold: 60,
        isEnabled: null,
      },
      {
        group: expect.objectContaining({ name: 'Builders' }),
        priority: 20,
        threshold: null,
        isEnabled: false,
      },
    ]);
    const second = await git.commit({ 'a.yaml': `${declared(builders, web)}---\n${groups}` });
    await refresh(tenant, id);
    await inForce(tenant, id, second);
    expect(await shownAs(tenant)).toEqual(['10 Builders', '20 Web servers']);
    await call(tenant, 'mutation ($id: ID!) { removeAlertRuleOverride(kind: CPU, groupId: $id) { kind } }', {
      id: (await overridesOf(tenant))[1]!.group.id,
    });
    await refresh(tenant, id);
    await until(async () => (await overridesOf(tenant)).length === 2, 'the override to be set again');
    const third = await git.commit({ 'a.yaml': groups });
    await refresh(tenant, id);
    await inForce(tenant, id, third);
    expect(await overridesOf(tenant)).toEqual([]);
  });

  test('are shown as they differ; of a group that there is not, and of what the rule has no use for, it is told at its place', async () => {
    const tenant = await paying();
    await git.commit({ 'a.yaml': declared('group: Nobody, enabled: false') });
    const id = await connected(tenant, { autoSync: false });
    const { changes } = await seen(tenant, id, ({ syncStatus }) => syncStatus === 'OUT_OF_SYNC', 'a plan');
    expect(changes).toEqual([
      {
        action: 'UPDATE',
        kind: 'AlertRuleOverrides',
        name: 'CPU',
        heldBack: null,
        differences: [
          {
            field: 'overrides',
            actual: [],
            declared: [expect.objectContaining({ group: 'nobody', priority: 10, isEnabled: false })],
          },
        ],
      },
    ]);
    await sync(tenant, id);
    const refused = await seen(tenant, id, ({ health }) => health === 'DEGRADED', 'the refusal');
    expect(refused.lastError).toBe(
      'a.yaml:1: AlertRuleOverrides CPU: spec.overrides.0.group: There is no group nobody',
    );
    const measured = declared(web).replace('cpu', 'offline');
    await git.commit({ 'a.yaml': `${measured}---\n${group}` });
    await refresh(tenant, id);
    await sync(tenant, id);
    const wrong = await seen(
      tenant,
      id,
      ({ lastError }) => lastError?.includes('OFFLINE') === true,
      'the other one',
    );
    expect(wrong.lastError).toBe(
      'a.yaml:1: AlertRuleOverrides OFFLINE: spec.overrides.0.threshold: OFFLINE measures nothing',
    );
    expect(await overridesOf(tenant)).toEqual([]);
  });
});
