import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, expect, test } from 'vitest';

import type { KubernetesSandbox } from '#sandbox/kubernetes/start.js';

import { dataOf, refusal } from '../support/answers.js';
import { Live } from '../support/live.js';
import { until, type Tenant } from '../support/world.js';
import { cluster, signedIn, startKubernetesPanel, type KubernetesPanel } from './support/kubernetes-panel.js';

interface View {
  id: string;
  status: string;
  reason: string | null;
  message: string | null;
  partition: number;
  partitions: number;
  targets: {
    partition: number;
    status: string;
    reason: string | null;
    cluster: { name: string } | null;
    deployment: { status: string; image: string } | null;
  }[];
}

const timeout = 180_000;
const fields = `id status reason message partition partitions
  targets { partition status reason cluster { name } deployment { status image } }`;

let panel: KubernetesPanel;
let sandboxes: KubernetesSandbox[];
/** With the five clusters, c-0 to c-4: two, two and one make three partitions of a quarter. */
let owner: Tenant;
beforeAll(async () => {
  panel = await startKubernetesPanel();
  sandboxes = [];
  for (let made = 0; made < 5; made += 1) sandboxes.push(await panel.kubernetes());
  owner = await panel.world.tenant();
  for (const [at, sandbox] of sandboxes.entries())
    await cluster(owner, sandbox, { name: `c-${at}`, tags: ['web'], access: { by: 'token' } });
});
afterAll(async () => panel.stop());

const nameOf = (word: string) => `${word}-${randomUUID().slice(0, 8)}`;
const place = async (tenant: Tenant, input: Record<string, unknown>) =>
  tenant.graphql<{ placeDeployment: View }>(
    `mutation($input: PlaceDeploymentInput!) { placeDeployment(input: $input) { ${fields} } }`,
    { input: { image: 'nginx:1', tag: 'web', ...input } },
  );
const update = async (tenant: Tenant, id: string, input: Record<string, unknown>) =>
  tenant.graphql<{ updatePlacement: View }>(
    `mutation($id: ID!, $input: UpdatePlacementInput!) { updatePlacement(id: $id, input: $input) { ${fields} } }`,
    { id, input },
  );
const act = async (tenant: Tenant, mutation: 'resumePlacement' | 'removePlacement', id: string) =>
  tenant.graphql<Record<string, View>>(`mutation($id: ID!) { ${mutation}(id: $id) { ${fields} } }`, { id });
const viewOf = async (tenant: Tenant, id: string) =>
  dataOf(
    await tenant.graphql<{ placement: View }>(`query($id: ID!) { placement(id: $id) { ${fields} } }`, { id }),
  ).placement;
const reaches = async (tenant: Tenant, id: string, status: string) =>
  panel.pass(async () => (await viewOf(tenant, id)).status === status, status);
const told = ({ targets }: View) =>
  targets.map(({ partition, status, cluster: of }) => `${partition} ${of?.name} ${status}`);
const imagesOf = (name: string) =>
  sandboxes.map((sandbox) => {
    const spec = sandbox.deployment('default', name)?.spec as
      | { template: { spec: { containers: { image: string }[] } } }
      | undefined;
    return spec?.template.spec.containers[0]?.image ?? null;
  });

const variablesOf = (name: string) =>
  sandboxes.map((sandbox) => {
    const spec = sandbox.deployment('default', name)?.spec as
      | { template: { spec: { containers: { env: { name: string }[] }[] } } }
      | undefined;
    return spec?.template.spec.containers[0]?.env.map((variable) => variable.name);
  });

test(
  'one deployment comes to all clusters with a tag, a quarter at a time, and goes from them',
  { timeout },
  async () => {
    const [tenant, stranger] = [await signedIn(owner), await panel.world.tenant()];
    const name = nameOf('wide');
    await using live = new Live<{ placementChanged: { partition: number; status: string } }>(
      panel.panel.url,
      tenant.token,
      'subscription { placementChanged { partition status } }',
    );
    await live.opened();
    const made = dataOf(await place(tenant, { name, replicas: 2, env: { A: 'a-secret-word' } }));
    const { id, partitions, status } = made.placeDeployment;
    expect({ partitions, status, told: told(made.placeDeployment) }).toEqual({
      partitions: 3,
      status: 'PLACING',
      told: ['1 c-0 WAITING', '1 c-1 WAITING', '2 c-2 WAITING', '2 c-3 WAITING', '3 c-4 WAITING'],
    });
    await reaches(tenant, id, 'PLACED');
    expect(imagesOf(name)).toEqual(Array(5).fill('nginx:1'));
    expect(new Set((await viewOf(tenant, id)).targets.map(({ deployment }) => deployment?.status))).toEqual(
      new Set(['RUNNING']),
    );
    await until(
      async () =>
        [1, 2, 3].every((partition) =>
          live.results.some(({ data }) => data?.placementChanged.partition === partition),
        ),
      'each partition to be told',
    );
    const rows = await panel.sql<{ row: string }>(
      'select p::text as row from hosting.placement p where id = $1',
      [id],
    );
    expect(rows[0]?.row).not.toContain('a-secret-word');
    const given = await tenant.graphql<{ placement: object }>(
      'query($id: ID!) { placement(id: $id) { envNames ports createdBy } }',
      { id },
    );
    expect(dataOf(given).placement).toEqual({ envNames: ['A'], ports: [], createdBy: tenant.user.id });
    dataOf(await update(tenant, id, { setEnv: { B: 'another-secret-word' } }));
    expect(await panel.toldOf('placeDeployment', 'updatePlacement')).not.toContain('secret-word');
    await reaches(tenant, id, 'PLACED');
    expect(variablesOf(name)).toEqual(Array(5).fill(['A', 'B']));
    // Its deployments are its own.
    const { body } = await tenant.rest<{ id: string; name: string }[]>('/api/k8s/deployments');
    const one = body.find((each) => each.name === name)!;
    expect((await tenant.rest(`/api/k8s/deployments/${one.id}`, { method: 'DELETE' })).status).toBe(409);

    expect(refusal(await place(tenant, { name }))).toMatchObject({ reason: 'NAME_TAKEN' });
    expect(refusal(await update(stranger, id, { replicas: 1 }))).toMatchObject({ code: 'NOT_FOUND' });
    expect(refusal(await act(stranger, 'resumePlacement', id))).toMatchObject({ code: 'NOT_FOUND' });
    expect(refusal(await act(stranger, 'removePlacement', id))).toMatchObject({ code: 'NOT_FOUND' });
    expect(refusal(await place(stranger, { name }))).toMatchObject({
      code: 'VALIDATION_FAILED',
      details: { 'input.tag': 'There is no cluster of that' },
    });
    const bad = { name: 'Bad Name', image: ' ', tag: null, partitionPercent: 0, mostFailures: 200 };
    expect(Object.keys(refusal(await place(tenant, bad))?.details ?? {}).toSorted()).toEqual(
      ['image', 'mostFailures', 'name', 'partitionPercent', 'region'].map((field) => `input.${field}`),
    );
    // Of one that was not stopped nothing changes.
    expect(dataOf(await act(tenant, 'resumePlacement', id))['resumePlacement']).toMatchObject({
      status: 'PLACED',
    });

    expect(dataOf(await act(tenant, 'removePlacement', id))['removePlacement']).toMatchObject({
      status: 'REMOVING',
    });
    expect(dataOf(await act(tenant, 'removePlacement', id))['removePlacement']).toMatchObject({
      status: 'REMOVING',
    });
    expect(refusal(await update(tenant, id, { replicas: 1 }))).toMatchObject({ reason: 'PLACEMENT_REMOVED' });
    await reaches(tenant, id, 'REMOVED');
    expect(imagesOf(name)).toEqual(Array(5).fill(null));
  },
);

test(
  'a bad partition stops it: those after it stay as they were, until it is mended or tried again',
  { timeout },
  async () => {
    let tenant = await signedIn(owner);
    const name = nameOf('careful');
    const { id } = dataOf(await place(tenant, { name })).placeDeployment;
    await reaches(tenant, id, 'PLACED');
    sandboxes[2]!.breakImage('nginx:2');
    dataOf(await update(tenant, id, { image: 'nginx:2' }));
    await panel.pass(async () => (await viewOf(tenant, id)).partition === 2, 'the second partition');
    await panel.pass(async () => imagesOf(name)[2] === 'nginx:2', 'it to be applied');
    await panel.clock.leap(605_000);
    tenant = await signedIn(owner);
    await reaches(tenant, id, 'STOPPED');
    const stopped = await viewOf(tenant, id);
    expect(stopped).toMatchObject({
      reason: 'PARTITION_FAILED',
      message: 'Stopped at partition 2 of 3: it failed in c-2 (PROGRESS_DEADLINE_EXCEEDED)',
    });
    expect(told(stopped)).toEqual([
      '1 c-0 DONE',
      '1 c-1 DONE',
      '2 c-2 FAILED',
      '2 c-3 DONE',
      '3 c-4 WAITING',
    ]);
    expect(imagesOf(name)).toEqual(['nginx:2', 'nginx:2', 'nginx:2', 'nginx:2', 'nginx:1']);
    await panel.seconds(30);
    expect(imagesOf(name)[4]).toBe('nginx:1');
    sandboxes[2]!.mendImage('nginx:2');
    dataOf(await act(tenant, 'resumePlacement', id));
    await reaches(tenant, id, 'PLACED');
    expect(imagesOf(name)).toEqual(Array(5).fill('nginx:2'));
  },
);

test(
  'as many clusters as may fail are passed over, and one whose policies refuse it is such a one',
  { timeout },
  async () => {
    const tenant = await signedIn(owner);
    const name = nameOf('kept');
    const { id: policyId } = (
      await tenant.rest<{ id: string }>('/api/governance/policies', {
        body: {
          name: 'Own images',
          type: 'images',
          rule: { condition: 'deployment.image', operator: 'matches', value: '^nginx' },
          enforcement: 'mandatory',
          applies_to: 'all_instances',
        },
      })
    ).body;
    expect(refusal(await place(tenant, { name, image: 'theirs:1' }))).toMatchObject({
      reason: 'POLICY_VIOLATION',
      details: { policy: policyId, actual: 'theirs:1' },
    });
    // A name that is taken in one cluster.
    const config = await tenant.rest<{ id: string; name: string }[]>('/api/k8s/clusters');
    const taken = config.body.find((each) => each.name === 'c-0')!;
    await tenant.rest('/api/k8s/deployments', {
      body: { cluster_id: taken.id, name, image: 'nginx:9' },
    });
    const { id } = dataOf(
      await place(tenant, { name, mostFailures: 1, partitionPercent: 100 }),
    ).placeDeployment;
    await reaches(tenant, id, 'PLACED');
    const { targets } = await viewOf(tenant, id);
    expect(targets.map(({ status, reason }) => `${status} ${reason}`)).toEqual([
      'FAILED NAME_TAKEN',
      ...Array<string>(4).fill('DONE null'),
    ]);
    expect(imagesOf(name)).toEqual(['nginx:9', ...Array<string>(4).fill('nginx:1')]);
  },
);

test('another process goes on where one stopped in the middle', { timeout }, async () => {
  const tenant = await signedIn(owner);
  const name = nameOf('lasting');
  const { id } = dataOf(await place(tenant, { name })).placeDeployment;
  await panel.pass(async () => imagesOf(name)[0] === 'nginx:1', 'the first partition');

  await panel.panel.stop();
  const [row] = await panel.sql<{ status: string }>('select status from hosting.placement where id = $1', [
    id,
  ]);
  expect(row?.status).toBe('PLACING');
  const next = await panel.another();
  await panel.pass(
    async () =>
      (await panel.sql<{ status: string }>('select status from hosting.placement where id = $1', [id]))[0]
        ?.status === 'PLACED',
    'its end at the other',
  );
  expect(imagesOf(name)).toEqual(Array(5).fill('nginx:1'));
  await next.stop();
});
