import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf, refusal } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { until, type Tenant } from '../support/world.js';
import { create, encrypted, judged, nodeWith, useScene } from './support/tenant.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
  useScene(panel);
});
afterAll(async () => panel.stop());

describe('a mandatory policy', () => {
  const send = async (tenant: Tenant, input: Record<string, unknown>) =>
    tenant.graphql<{ sendCommand: { id: string } }>(
      'mutation ($input: SendCommandInput!) { sendCommand(input: $input) { id } }',
      { input },
    );

  test('that does not hold refuses an update over GraphQL and REST with its id and evidence, unless exempt', async () => {
    const tenant = await panel.world.tenant();
    const [node, good] = [
      await nodeWith(tenant, { 'backup.encryption': false }),
      await nodeWith(tenant, { 'backup.encryption': true }),
    ];
    const update = { command: 'UPDATE', params: { version: '0.3.0' } };
    const policyId = await create(tenant, {
      name: 'Encrypted',
      rule: encrypted,
      enforcement: 'MANDATORY',
      resolution: 'Set a passphrase.',
    });
    const details = {
      policy: policyId,
      name: 'Encrypted',
      resolution: 'Set a passphrase.',
      instance: node.id,
      condition: 'backup.encryption',
      operator: 'equals',
      expected: true,
      actual: false,
      others: [],
    };
    const sentence =
      `The mandatory policy ${policyId} (Encrypted) does not let this be done on ${node.id}: ` +
      'backup.encryption is false, and has to be equals true';
    const refused = await send(tenant, { ...update, instanceIds: [good.id, node.id] });
    expect(refusal(refused)).toEqual({ code: 'CONFLICT', reason: 'POLICY_VIOLATION', details });
    expect(refused.errors?.[0]?.message).toBe(sentence);
    const rest = await tenant.rest('/api/fleet/commands', {
      body: { instance_ids: [node.id], command: 'update', params: { version: '0.3.0' } },
    });
    expect([rest.status, rest.body]).toEqual([409, { error: sentence, details }]);
    expect((await tenant.rest('/api/fleet/commands')).body).toEqual([]);
    // What changes nothing there goes on, as does what mends it.
    dataOf(await send(tenant, { command: 'BACKUP', instanceIds: [node.id] }));
    dataOf(await send(tenant, { ...update, instanceIds: [good.id] }));
    dataOf(
      await tenant.graphql(
        'mutation ($input: CreatePolicyExemptionInput!) { createPolicyExemption(input: $input) { id } }',
        { input: { policyId, instanceId: node.id, owner: 'ops', reason: 'test' } },
      ),
    );
    dataOf(await send(tenant, { ...update, instanceIds: [node.id] }));
  });

  test('is asked anew where a command is sent again', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, { 'backup.encryption': false });
    const update = { command: 'UPDATE', params: { version: '0.3.0' }, instanceIds: [node.id] };
    const { id } = dataOf(await send(tenant, update)).sendCommand;
    dataOf(await tenant.graphql('mutation ($id: ID!) { cancelCommand(id: $id) { status } }', { id }));
    await create(tenant, { name: 'Encrypted', rule: encrypted, enforcement: 'MANDATORY' });
    const again = await tenant.graphql(
      'mutation ($id: ID!) { retryCommand(id: $id, input: { statuses: [CANCELLED] }) { id } }',
      { id },
    );
    expect(refusal(again)).toMatchObject({ code: 'CONFLICT', reason: 'POLICY_VIOLATION' });
  });

  test('is asked about what will be so: a version that it forbids, and one that mends it', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, {});
    await create(tenant, {
      name: 'Versions',
      enforcement: 'MANDATORY',
      rule: { condition: 'cloud_os.version', operator: 'semver', value: '>=0.3.0 <0.4.0 || 0.3.9-rc.1' },
    });
    await create(tenant, {
      name: 'No restarts of these',
      enforcement: 'MANDATORY',
      appliesTo: { instance_ids: [node.id] },
      rule: { condition: 'action.kind', operator: 'not_equals', value: 'command.restart' },
    });
    const to = (version: string) =>
      send(tenant, { command: 'UPDATE', params: { version }, instanceIds: [node.id] });
    expect(refusal(await to('0.4.0'))).toMatchObject({
      reason: 'POLICY_VIOLATION',
      details: { condition: 'cloud_os.version', actual: '0.4.0' },
    });
    dataOf(await to('0.3.1'));
    expect(refusal(await send(tenant, { command: 'RESTART', instanceIds: [node.id] }))).toMatchObject({
      reason: 'POLICY_VIOLATION',
      details: { name: 'No restarts of these', actual: 'command.restart' },
    });
    // Policies about actions have no results.
    expect((await judged(tenant, node)).policyResults).toHaveLength(1);
  });

  test('does not take back what was sent: the same call again answers the same', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, { 'backup.encryption': false });
    const input = {
      command: 'UPDATE',
      params: { version: '0.3.0' },
      instanceIds: [node.id],
      idempotencyKey: 'once',
    };
    const first = dataOf(await send(tenant, input));
    await create(tenant, { name: 'P', rule: encrypted, enforcement: 'MANDATORY' });
    expect(dataOf(await send(tenant, input))).toEqual(first);
    expect(refusal(await send(tenant, { ...input, idempotencyKey: 'again' }))).toMatchObject({
      reason: 'POLICY_VIOLATION',
    });
  });

  test('that fails raises an alert, which is over when it holds, is advisory, or is removed', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, { 'backup.encryption': false });
    const alerts = async () =>
      dataOf(
        await tenant.graphql<{ alerts: { nodes: Record<string, unknown>[] } }>(
          `{ alerts(filter: { rule: POLICY_VIOLATION, status: FIRING }) { nodes { severity message component instanceId } } }`,
        ),
      ).alerts.nodes;
    const policyId = await create(tenant, {
      name: 'Encrypted',
      rule: encrypted,
      severity: 'CRITICAL',
      enforcement: 'MANDATORY',
    });
    const fires = async () => until(async () => (await alerts()).length === 1, 'the alert');
    const isOver = async () => {
      await until(async () => {
        await panel.clock.advance(15_000);
        return (await alerts()).length === 0;
      }, 'the alert to be over');
    };
    const change = async (body: Record<string, unknown>) => {
      const answer = await tenant.rest(`/api/governance/policies/${policyId}`, { method: 'PUT', body });
      expect(answer.status).toBe(200);
    };
    await fires();
    expect(await alerts()).toEqual([
      {
        severity: 'CRITICAL',
        message: 'The policy Encrypted does not hold',
        component: policyId,
        instanceId: node.id,
      },
    ]);
    await node.beat({ facts: { 'backup.encryption': true } });
    await isOver();
    await node.beat({ facts: { 'backup.encryption': false } });
    await fires();
    await change({ enforcement: 'advisory' });
    await isOver();
    await change({ enforcement: 'mandatory' });
    await fires();
    expect((await tenant.rest(`/api/governance/policies/${policyId}`, { method: 'DELETE' })).status).toBe(
      204,
    );
    await isOver();
  });
});
