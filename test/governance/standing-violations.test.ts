import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { until, type Tenant } from '../support/world.js';
import { create, encrypted, nodeWith, signedIn, useScene } from './support/tenant.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
  useScene(panel);
});
afterAll(async () => panel.stop());

interface Alert {
  severity: string;
  message: string;
}

async function alerts(tenant: Tenant): Promise<Alert[]> {
  const answer = await tenant.graphql<{ alerts: { nodes: Alert[] } }>(
    '{ alerts(filter: { rule: POLICY_VIOLATION, status: FIRING }) { nodes { severity message } } }',
  );
  return dataOf(answer).alerts.nodes;
}

async function switched(tenant: Tenant, isEnabled: boolean): Promise<void> {
  dataOf(
    await tenant.graphql(
      'mutation ($input: UpdateAlertRuleInput!) { updateAlertRule(input: $input) { kind } }',
      {
        input: { kind: 'POLICY_VIOLATION', isEnabled },
      },
    ),
  );
}

describe('a violation of a mandatory policy that goes on', { timeout: 240_000 }, () => {
  test('has its alert say what the policy is called, and how severe it is, from now on', async () => {
    const tenant = await panel.world.tenant();
    await nodeWith(tenant, { 'backup.encryption': false });
    const id = await create(tenant, {
      name: 'Encrypted',
      rule: encrypted,
      severity: 'CRITICAL',
      enforcement: 'MANDATORY',
    });
    await until(async () => (await alerts(tenant)).length === 1, 'the alert');
    await panel.clock.advance(1_000);
    const answer = await tenant.rest(`/api/governance/policies/${id}`, {
      method: 'PUT',
      body: { severity: 'low', name: 'Backups are encrypted' },
    });
    expect(answer.status).toBe(200);
    await until(async () => (await alerts(tenant))[0]?.severity === 'WARNING', 'the alert to say so');
    expect(await alerts(tenant)).toEqual([
      { severity: 'WARNING', message: 'The policy Backups are encrypted does not hold' },
    ]);
  });

  test('has an alert within the hour where alerts of it were off when it began', async () => {
    const tenant = await panel.world.tenant();
    await nodeWith(tenant, { 'backup.encryption': false });
    await switched(tenant, false);
    await create(tenant, { name: 'Encrypted', rule: encrypted, enforcement: 'MANDATORY' });
    // Told, and taken.
    await until(
      async () =>
        (
          await panel.sql(
            `select 1 from governance.result where tenant_id = $1 and status = 'FAIL' and is_enforced`,
            [tenant.id],
          )
        ).length === 1,
      'the violation',
    );
    expect(await alerts(tenant)).toEqual([]);
    await panel.clock.advance(60_000);
    await switched(tenant, true);
    await panel.clock.advance(3_600_000);
    let by = await signedIn(tenant);
    let looks = 0;
    await until(
      async () => {
        looks += 1;
        // Tokens last for fifteen minutes.
        if (looks % 50 === 0) by = await signedIn(tenant);
        await panel.clock.advance(15_000);
        return (await alerts(by)).length === 1;
      },
      'the alert',
      90_000,
    );
    expect((await alerts(by)).map(({ message }) => message)).toEqual(['The policy Encrypted does not hold']);
  });
});
