import { dataOf } from '../support/answers.js';
import { until } from '../support/world.js';
import { gitOps } from './rich-gitops.js';
import type { RichScene } from './rich-scene.js';

/** A policy with a result, an exemption, and a day of scores. */
export async function governance({ panel, tenant, node, word }: RichScene): Promise<void> {
  await until(async () => {
    const rows = await panel.sql(
      `select 1 from governance.node n join governance.entitlement e on e.tenant_id = n.tenant_id where n.id = $1`,
      [node.id],
    );
    return rows.length > 0;
  }, 'governance to know of the tenant and its node');
  const policy = async (name: string) => {
    const input = {
      name: `${word} ${name}`,
      enforcement: 'ADVISORY',
      rule: { condition: 'instance.status', operator: 'equals', value: `${word}-status` },
      appliesTo: { instance_ids: [node.id] },
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
  await panel.sql(
    `insert into governance.score_day (tenant_id, day, passed, known, applicable, violations, instances)
     values ($1, $2, 0, 2, 2, 1, 1) on conflict do nothing`,
    [tenant.id, panel.clock.now().toISOString().slice(0, 10)],
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
