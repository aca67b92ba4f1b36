import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { entryOf } from '../identity/audit/support.js';
import { dataOf, refusal } from '../support/answers.js';
import { Live } from '../support/live.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { until, type Node, type Tenant } from '../support/world.js';
import { create, encrypted, judged, nodeWith, signedIn, useScene } from './support/tenant.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
  useScene(panel);
});
afterAll(async () => panel.stop());

interface Remediation {
  id: string;
  instanceId: string;
  status: string;
  isAutomatic: boolean;
  message: string | null;
}

const fields = 'id instanceId status isAutomatic message';

const remediate = async (tenant: Tenant, input: Record<string, unknown>) =>
  tenant.graphql<{ remediatePolicy: Remediation[] }>(
    `mutation ($input: RemediatePolicyInput!) { remediatePolicy(input: $input) { ${fields} } }`,
    { input },
  );

async function listed(tenant: Tenant, policyId: string, status?: string): Promise<Remediation[]> {
  const answer = await tenant.graphql<{ policyRemediations: { nodes: Remediation[] } }>(
    `query ($policyId: ID!, $filter: PolicyRemediationFilter) {
      policyRemediations(policyId: $policyId, filter: $filter) { nodes { ${fields} } }
    }`,
    { policyId, filter: { status: status ?? null } },
  );
  return dataOf(answer).policyRemediations.nodes;
}

/** The whole answer, with what is wrong in it. */
async function namesIn(tenant: Tenant, policyId: string): Promise<object> {
  return tenant.graphql(
    `query ($policyId: ID!) { policyRemediations(policyId: $policyId) {
      nodes { instanceName presentInstance { name } }
    } }`,
    { policyId },
  );
}

interface Handed {
  id: string;
  command: string;
  params: Record<string, unknown>;
  lease: string;
}

/** What commands came of, as the audit trail tells it. */
async function causesOf(tenant: Tenant): Promise<object[]> {
  await entryOf(tenant, 'sendCommand');
  const answer = await tenant.graphql<{ auditEvents: { nodes: object[] } }>(
    `{ auditEvents(filter: { action: "sendCommand" }) {
      nodes { actorKind requestId sameRequest { nodes { action actorKind } } }
    } }`,
  );
  return dataOf(answer).auditEvents.nodes;
}

/** Beats until a command comes. */
async function handed(node: Node): Promise<Handed> {
  let found: Handed | undefined;
  await until(async () => {
    const { body } = await node.beat();
    found = (body['commands'] as Handed[] | undefined)?.[0];
    return found !== undefined;
  }, 'a command to come');
  return found!;
}

const finish = async (node: Node, { id, lease }: Handed, status = 'success') =>
  node.world.rest(`/api/agent/commands/${id}/result`, { token: node.credential, body: { lease, status } });

describe('a policy that says what mends it', { timeout: 120_000 }, () => {
  test('is mended by one click: the command, its result, and that the policy holds again', async () => {
    const tenant = await panel.world.tenant();
    const [node, good] = [
      await nodeWith(tenant, { 'backup.encryption': false }),
      await nodeWith(tenant, { 'backup.encryption': true }),
    ];
    const policyId = await create(tenant, {
      name: 'Encrypted',
      rule: encrypted,
      remediation: { command: 'APPLY_POLICY' },
    });
    const changes = `subscription ($policyId: ID!) {
      policyRemediationChanged(policyId: $policyId) { id status commandId }
    }`;
    await using live = new Live<{ policyRemediationChanged: { id: string; status: string } }>(
      panel.panel.url,
      tenant.token,
      changes,
      { variables: { policyId } },
    );
    await live.opened();
    const bad = await remediate(tenant, { policyId, instanceIds: [node.id, good.id] });
    expect(refusal(bad)).toMatchObject({
      code: 'VALIDATION_FAILED',
      details: { 'input.instanceIds.1': expect.any(String) },
    });
    const first = dataOf(await remediate(tenant, { policyId })).remediatePolicy;
    expect(first).toMatchObject([{ instanceId: node.id, isAutomatic: false, message: null }]);
    // One that is under way is answered again.
    expect(dataOf(await remediate(tenant, { policyId })).remediatePolicy.map(({ id }) => id)).toEqual([
      first[0]!.id,
    ]);
    const command = await handed(node);
    expect(command).toMatchObject({
      command: 'apply_policy',
      params: { policy_id: policyId, rule: encrypted },
    });
    expect(await namesIn(tenant, policyId)).toEqual({
      data: {
        policyRemediations: {
          nodes: [{ instanceName: node.name, presentInstance: { name: node.name } }],
        },
      },
    });
    expect((await finish(node, command)).status).toBe(204);
    await node.beat({ facts: { 'backup.encryption': true } });
    await until(async () => {
      await panel.clock.advance(1_000);
      return (await listed(tenant, policyId))[0]?.status === 'SUCCEEDED';
    }, 'the remediation to have ended');
    await until(
      async () => (await judged(tenant, node)).policyResults?.[0]?.status === 'PASS',
      'the policy to hold',
    );
    expect(await listed(tenant, policyId)).toHaveLength(1);
    const told = () => live.results.flatMap(({ data }) => data?.policyRemediationChanged ?? []);
    await until(async () => told().at(-1)?.status === 'SUCCEEDED', 'its end to be told');
    expect(new Set(told().map(({ id }) => id))).toEqual(new Set([first[0]!.id]));
    const one = 'query ($id: ID!) { policyRemediation(id: $id) { status finishedAt } }';
    expect(dataOf(await tenant.graphql(one, { id: first[0]!.id }))).toEqual({
      policyRemediation: { status: 'SUCCEEDED', finishedAt: expect.any(String) },
    });
    const stranger = await panel.world.tenant();
    expect(refusal(await stranger.graphql(one, { id: first[0]!.id }))).toMatchObject({ code: 'NOT_FOUND' });
    expect(await causesOf(tenant)).toContainEqual({
      actorKind: 'service',
      requestId: expect.not.stringContaining(':'),
      sameRequest: { nodes: [{ action: 'remediatePolicy', actorKind: 'user' }] },
    });
    const without = await create(tenant, { name: 'No way', rule: encrypted });
    expect(refusal(await remediate(tenant, { policyId: without }))).toMatchObject({
      reason: 'NO_REMEDIATION',
    });
    expect(refusal(await remediate(await panel.world.tenant(), { policyId }))).toMatchObject({
      code: 'NOT_FOUND',
    });
    const faulty = await tenant.graphql(
      'mutation ($input: CreatePolicyInput!) { createPolicy(input: $input) { id } }',
      {
        input: { name: 'Faulty', rule: encrypted, remediation: { command: 'UPDATE' } },
      },
    );
    expect(refusal(faulty)).toMatchObject({
      details: { 'input.remediation.params.version': expect.any(String) },
    });
  });

  test('is mended by itself where that is wanted, to one instance once an hour however it ends', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, { 'backup.encryption': false });
    const policyId = await create(tenant, {
      name: 'Encrypted',
      rule: encrypted,
      remediation: { command: 'BACKUP', isAutomatic: true },
    });
    await until(async () => {
      await panel.clock.advance(1_000);
      return (await listed(tenant, policyId)).length === 1;
    }, 'the remediation to begin');
    const command = await handed(node);
    expect(command.command).toBe('backup');
    // What comes by itself is of no request.
    expect(await causesOf(tenant)).toContainEqual({
      actorKind: 'service',
      requestId: 'sweep:remediation.automatic',
      sameRequest: null,
    });
    await finish(node, command, 'failed');
    await until(async () => {
      await panel.clock.advance(1_000);
      return (await listed(tenant, policyId))[0]?.status === 'FAILED';
    }, 'its failure to be known');
    // Whatever is looked at meanwhile begins no second one.
    for (let look = 0; look < 12; look += 1) await panel.clock.advance(30_000);
    const again = await signedIn(tenant);
    expect(await listed(again, policyId)).toMatchObject([{ status: 'FAILED', isAutomatic: true }]);
    for (let look = 0; look < 6; look += 1) await panel.clock.advance(599_000);
    const later = await signedIn(tenant);
    await node.beat();
    await until(async () => {
      await panel.clock.advance(1_000);
      return (await listed(later, policyId)).length === 2;
    }, 'the next one to begin');
  });

  test('is mended by itself on 20 instances at a time, those that were never tried first', async () => {
    const tenant = await panel.world.tenant();
    const nodes: Node[] = [];
    for (let count = 0; count < 25; count += 1)
      nodes.push(await nodeWith(tenant, { 'backup.encryption': false }));
    const policyId = await create(tenant, {
      name: 'Encrypted',
      rule: encrypted,
      remediation: { command: 'BACKUP' },
    });
    const ids = nodes.map(({ id }) => id).toSorted();
    await panel.sql(
      `insert into governance.remediation (tenant_id, id, policy_id, instance_id, command, params, is_automatic, status,
         requested_by, created_at, finished_at)
       select $1, 'rem_' || n.id, $2, n.id, 'BACKUP', '{}', true, 'FAILED', 'svc:governance', $3, $3
       from unnest($4::text[]) as n (id)`,
      [tenant.id, policyId, new Date(panel.clock.now().getTime() - 7_200_000), ids.slice(0, 20)],
    );
    const changed = await tenant.graphql(
      `mutation ($id: ID!, $input: UpdatePolicyInput!) { updatePolicy(id: $id, input: $input) { id } }`,
      { id: policyId, input: { remediation: { command: 'BACKUP', isAutomatic: true } } },
    );
    dataOf(changed);
    const open = async () =>
      panel.sql<{ id: string }>(
        `select instance_id as id from governance.remediation where policy_id = $1 and finished_at is null`,
        [policyId],
      );
    await until(async () => {
      await panel.clock.advance(1_000);
      return (await open()).length >= 20;
    }, 'remediations to begin');
    for (let look = 0; look < 4; look += 1) await panel.clock.advance(30_000);
    const begun = (await open()).map(({ id }) => id);
    expect(begun).toHaveLength(20);
    expect(begun).toEqual(expect.arrayContaining(ids.slice(20)));
  });

  test('reaches nobody who has left the fleet before the command was sent', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, { 'backup.encryption': false });
    const policyId = await create(tenant, {
      name: 'Encrypted',
      rule: encrypted,
      remediation: { command: 'BACKUP' },
    });
    await panel.sql(`create function public.test_waits() returns trigger language plpgsql as $$ begin
      raise exception 'waits'; end $$`);
    await panel.sql(`create trigger test_waits before update of attempted_at on governance.remediation
      for each row execute function public.test_waits()`);
    dataOf(await remediate(tenant, { policyId }));
    dataOf(
      await tenant.graphql('mutation ($id: ID!) { decommissionInstance(id: $id) { id } }', { id: node.id }),
    );
    await panel.sql('drop function public.test_waits() cascade');
    await until(async () => {
      await panel.clock.advance(5_000);
      return (await listed(tenant, policyId))[0]?.status !== 'REQUESTED';
    }, 'the remediation to end');
    expect(await listed(tenant, policyId)).toMatchObject([{ status: 'UNREACHED', message: null }]);
    expect(await listed(tenant, policyId, 'UNREACHED')).toHaveLength(1);
    expect(await listed(tenant, policyId, 'SUCCEEDED')).toEqual([]);
    await until(async () => {
      const rows = await panel.sql('select 1 from governance.node where id = $1', [node.id]);
      return rows.length === 0;
    }, 'governance to know that it has left');
    expect(await namesIn(tenant, policyId)).toEqual({
      data: { policyRemediations: { nodes: [{ instanceName: node.name, presentInstance: null }] } },
    });
  });
});
