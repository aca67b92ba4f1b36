import { newId } from '#platform/ids.js';

import { dataOf } from '../support/answers.js';
import { until } from '../support/world.js';
import { gitOps } from './rich-gitops.js';
import type { RichScene } from './rich-scene.js';

/** A policy with a result and a remediation, an exemption, a day of scores, and a canary. */
export async function governance({ panel, tenant, node, word }: RichScene): Promise<void> {
  await until(async () => {
    const rows = await panel.sql(
      `select 1 from governance.node n join governance.entitlement e on e.tenant_id = n.tenant_id
       join governance.instance_group_member m on m.tenant_id = n.tenant_id where n.id = $1`,
      [node.id],
    );
    return rows.length > 0;
  }, 'governance to know of the tenant, its node and its group');
  const policy = async (name: string, remediation?: Record<string, unknown>) => {
    const input = {
      name: `${word} ${name}`,
      enforcement: 'ADVISORY',
      rule: { condition: 'instance.status', operator: 'equals', value: `${word}-status` },
      appliesTo: { instance_ids: [node.id] },
      ...(remediation ? { remediation } : {}),
    };
    const answer = await tenant.graphql<{ createPolicy: { id: string } }>(
      'mutation ($input: CreatePolicyInput!) { createPolicy(input: $input) { id } }',
      { input },
    );
    return dataOf(answer).createPolicy.id;
  };
  await changeScores({ panel, tenant, word });
  await gitOps({ panel, tenant, word });
  await policy('policy');
  const exempted = await policy('exempted');
  dataOf(
    await tenant.graphql(
      'mutation ($input: CreatePolicyExemptionInput!) { createPolicyExemption(input: $input) { id } }',
      {
        input: { policyId: exempted, instanceId: node.id, owner: `${word} owner`, reason: `${word} reason` },
      },
    ),
  );
  await canary({ panel, tenant, word });
  const mended = await policy('mended', { command: 'RUN_DIAGNOSTICS' });
  // It is not known yet whether it fails, and so it is not mended by the mutation.
  await panel.sql(
    `insert into governance.remediation (tenant_id, id, policy_id, instance_id, command, params, is_automatic, status,
       message, requested_by, created_at, finished_at)
     values ($1, $2, $3, $4, 'RUN_DIAGNOSTICS', '{}', false, 'FAILED', $5, $6, now(), now())`,
    [tenant.id, newId('remediation'), mended, node.id, `${word} remediation`, tenant.user.id],
  );
  await panel.sql(
    `insert into governance.score_day (tenant_id, day, passed, known, applicable, violations, instances)
     values ($1, $2, 0, 2, 2, 1, 1) on conflict do nothing`,
    [tenant.id, panel.clock.now().toISOString().slice(0, 10)],
  );
}

/** One that begins long after the test. */
async function canary({ panel, tenant, word }: Pick<RichScene, 'panel' | 'tenant' | 'word'>): Promise<void> {
  const input = {
    name: `${word} canary`,
    command: 'RESTART',
    steps: [{ percent: 50, bakeSeconds: 60 }],
    startAt: '2100-01-01T00:00:00Z',
    idempotencyKey: `${word}-canary-key`,
  };
  const answer = await tenant.graphql<{ createCanary: { id: string } }>(
    'mutation ($input: CreateCanaryInput!) { createCanary(input: $input) { id } }',
    { input },
  );
  await panel.sql(
    `insert into governance.canary_dispatch (tenant_id, canary_id, number, is_rollback, params, command, instance_ids)
     values ($1, $2, 1, false, '{}', 'RESTART', '[]')`,
    [tenant.id, dataOf(answer).createCanary.id],
  );
  // In everybody's trail.
  await changeCanary({ tenant, word });
}

/** Makes its canary tell of itself. */
export async function changeCanary({ tenant, word }: Pick<RichScene, 'tenant' | 'word'>): Promise<void> {
  const listed = await tenant.graphql<{ canaries: { nodes: { id: string }[] } }>(
    '{ canaries(first: 1) { nodes { id } } }',
  );
  const variables = {
    id: dataOf(listed).canaries.nodes[0]?.id,
    input: { name: `${word} canary ${Math.random()}` },
  };
  dataOf(
    await tenant.graphql(
      'mutation ($id: ID!, $input: UpdateCanaryInput!) { updateCanary(id: $id, input: $input) { id } }',
      variables,
    ),
  );
}

/** Makes a policy that changes scores. */
export async function changeScores({
  panel,
  tenant,
  word,
}: Pick<RichScene, 'panel' | 'tenant' | 'word'>): Promise<void> {
  const name = `${word} ${panel.clock.now().getTime()} ${Math.random()}`;
  const rule = { condition: 'cloud_os.version', operator: 'equals', value: '0.0.1' };
  dataOf(
    await tenant.graphql('mutation ($input: CreatePolicyInput!) { createPolicy(input: $input) { id } }', {
      input: { name, rule },
    }),
  );
}

/** As whoever sends its command does. */
export async function tellRemediation({ panel, tenant }: Pick<RichScene, 'panel' | 'tenant'>): Promise<void> {
  await panel.sql(
    `insert into governance.outbox (event_id, tenant_id, topic, entity_id, payload, caused_by, occurred_at)
     select 'evt_' || gen_random_uuid(), tenant_id, 'governance.remediation.changed', id,
       jsonb_build_object('policyId', policy_id, 'instanceId', instance_id, 'status', status), 'test', now()
     from governance.remediation where tenant_id = $1`,
    [tenant.id],
  );
}
