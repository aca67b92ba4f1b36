import { dataOf } from '../../../support/answers.js';
import type { Tenant } from '../../../support/world.js';

export const fields = 'priority isEnabled severity threshold forSeconds keepFiringForSeconds';
export const override = `mutation($input: OverrideAlertRuleInput!) {
  overrideAlertRule(input: $input) { kind groupId group { name } ${fields} updatedBy }
}`;
export const remove = `mutation($kind: AlertRuleKind!, $groupId: ID!) {
  removeAlertRuleOverride(kind: $kind, groupId: $groupId) { kind overrides { groupId } }
}`;
const inForce = `{ instances { nodes { name effectiveAlertRules {
  kind isEnabled severity threshold forSeconds keepFiringForSeconds rule { threshold } override { groupId priority }
} } } }`;

interface InForce {
  name: string;
  effectiveAlertRules: { kind: string; override: { groupId: string } | null }[];
}

export async function group(tenant: Tenant, name: string, more: object): Promise<string> {
  const answer = await tenant.graphql<{ createInstanceGroup: { id: string } }>(
    'mutation($input: CreateInstanceGroupInput!) { createInstanceGroup(input: $input) { id } }',
    { input: { name, ...more } },
  );
  return dataOf(answer).createInstanceGroup.id;
}

export const set = async (tenant: Tenant, input: object) =>
  dataOf(await tenant.graphql<{ overrideAlertRule: { priority: number } }>(override, { input }))
    .overrideAlertRule;

export async function overridesOf(
  tenant: Tenant,
  kind: string,
): Promise<{ groupId: string; priority: number }[]> {
  const { alertRules } = dataOf(
    await tenant.graphql<{
      alertRules: { kind: string; overrides: { groupId: string; priority: number }[] }[];
    }>('{ alertRules { kind overrides { groupId priority } } }'),
  );
  return alertRules.find((rule) => rule.kind === kind)!.overrides;
}

export async function rulesInForce(tenant: Tenant): Promise<Map<string, InForce['effectiveAlertRules']>> {
  const answer = await tenant.graphql<{ instances: { nodes: InForce[] } }>(inForce);
  return new Map(
    dataOf(answer).instances.nodes.map(({ name, effectiveAlertRules }) => [name, effectiveAlertRules]),
  );
}
