import { parse } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { ServiceClient } from '#platform/auth/service-client.js';
import { ServiceTokens } from '#platform/auth/service-token.js';
import { Keyring } from '#platform/secrets/keyring.js';

import { preview } from '../fleet/commands/support/preview.js';
import { dataOf, refusal } from '../support/answers.js';
import { startTestPanel, testSecretsKey, type TestPanel } from '../support/panel.js';
import { until, type Tenant } from '../support/world.js';
import { create, encrypted, nodeWith, useScene } from './support/tenant.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel({}, 'split');
  useScene(panel);
});
afterAll(async () => panel.stop());

interface Answer {
  isAdmitted: boolean;
  refusals: { policyName: string; instanceId: string | null; evidence: { actual: unknown } }[];
}

const question = parse(`query ($input: AdmissionInput!) {
  admission(input: $input) { isAdmitted refusals { policyName instanceId evidence { actual } } }
}`);

/** As another area asks, through the gateway. */
async function ask(tenant: Tenant, input: Record<string, unknown>): Promise<Answer> {
  const tokens = new ServiceTokens(Keyring.parse(testSecretsKey), 'http://panel.test', panel.clock);
  const client = new ServiceClient('hosting', ['governance.admission.ask'], tokens, async (operation) =>
    panel.panel.gateway.execute(operation),
  );
  const answer = await client.call<{ admission: Answer }>({
    document: question,
    variables: { input },
    tenantId: tenant.id,
    causedBy: 'test',
  });
  return answer.admission;
}

async function policies(tenant: Tenant): Promise<void> {
  const drafts = [
    {
      name: 'In Germany',
      appliesTo: { tags: ['prod'] },
      rule: { condition: 'server.country', operator: 'equals', value: 'DE' },
    },
    { name: 'Never free', rule: { condition: 'plan.name', operator: 'not_equals', value: 'FREE' } },
    { name: 'Own images', rule: { condition: 'deployment.image', operator: 'matches', value: '^ours/' } },
  ];
  for (const draft of drafts) await create(tenant, { ...draft, enforcement: 'MANDATORY' });
}

test('refuses a server, a plan or a workload that a mandatory policy forbids, and each for its own reasons only', async () => {
  const tenant = await panel.world.tenant();
  await policies(tenant);
  const server = { subject: 'PROVISION', action: 'server.provision', isChange: true };
  const plan = { subject: 'PLAN_CHANGE', action: 'plan.change', isChange: false };
  const workload = { subject: 'DEPLOYMENT', action: 'deployment.create', isChange: false };
  const cases: [Record<string, unknown>, unknown][] = [
    [{ ...server, tags: ['prod'], facts: { 'server.country': 'US' } }, ['In Germany', 'US']],
    [{ ...server, tags: ['prod'], facts: { 'server.country': 'DE' } }, undefined],
    [{ ...server, tags: ['test'], facts: { 'server.country': 'US' } }, undefined],
    [{ ...plan, facts: { 'plan.name': 'FREE' } }, ['Never free', 'FREE']],
    [{ ...plan, facts: { 'plan.name': 'PRO', 'no.such.fact': 1 } }, undefined],
    [{ ...workload, facts: { 'deployment.image': 'theirs/app:1' } }, ['Own images', 'theirs/app:1']],
    [{ ...workload, facts: { 'deployment.image': 'ours/app:1' } }, undefined],
  ];
  for (const [input, refused] of cases) {
    const { isAdmitted, refusals } = await ask(tenant, input);
    const [first] = refusals.map(({ policyName, evidence }) => [policyName, evidence.actual]);
    expect([isAdmitted, first, refusals.length]).toEqual([!refused, refused, refused ? 1 : 0]);
  }
  expect(await ask(tenant, { action: 'command.update', isChange: true })).toEqual({
    isAdmitted: true,
    refusals: [],
  });
  // Whoever asks badly is told where.
  const bad: [Record<string, unknown>, string][] = [
    [{ ...plan, instanceIds: ['inst_1'] }, 'input.instanceIds'],
    [{ ...plan, tags: ['prod'] }, 'input.tags'],
    [{ ...server, action: 'Buy one!' }, 'input.action'],
  ];
  for (const [input, place] of bad) {
    const call = ask(tenant, input);
    await expect(call).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      extensions: { details: { [place]: expect.any(String) } },
    });
  }
});

test('refuses commands where areas are processes of their own, and lets them pass without governance only for tenants without mandatory policies', async () => {
  const [strict, free] = [await panel.world.tenant(), await panel.world.tenant()];
  const node = await nodeWith(strict, { 'backup.encryption': false });
  const other = await nodeWith(free, {});
  await create(strict, { name: 'Encrypted', rule: encrypted, enforcement: 'MANDATORY' });
  const update = async (tenant: Tenant, instanceId: string) =>
    tenant.graphql('mutation ($input: SendCommandInput!) { sendCommand(input: $input) { id } }', {
      input: { command: 'UPDATE', params: { version: '9.0.0' }, instanceIds: [instanceId] },
    });
  const foreseen = async (tenant: Tenant, instanceId: string) => {
    const input = { command: 'UPDATE', params: { version: '9.0.0' }, instanceIds: [instanceId] };
    const { admission, refused, canaries, instances } = dataOf(await preview(tenant, input)).previewCommand;
    return [admission, refused, canaries, instances.nodes[0]!.isRefused];
  };
  expect(refusal(await update(strict, node.id))).toMatchObject({ reason: 'POLICY_VIOLATION' });
  expect(await foreseen(strict, node.id)).toEqual(['REFUSED', 1, [], true]);
  await until(
    async () => (await panel.sql('select 1 from fleet.mandatory_policies where count > 0')).length > 0,
    'fleet to know of the policy',
  );
  await panel.panel.subgraphs!.governance.stop();
  expect(await foreseen(strict, node.id)).toEqual(['UNKNOWN', null, null, null]);
  expect(refusal(await update(strict, node.id))).toMatchObject({ code: 'UNAVAILABLE' });
  expect(await foreseen(free, other.id)).toEqual(['ADMITTED', 0, null, false]);
  dataOf(await update(free, other.id));
});
