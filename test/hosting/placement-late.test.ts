import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import type { KubernetesSandbox } from '#sandbox/kubernetes/start.js';

import { dataOf } from '../support/answers.js';
import type { Tenant } from '../support/world.js';
import {
  byAdministrator,
  cluster,
  signedIn,
  startKubernetesPanel,
  type KubernetesPanel,
} from './support/kubernetes-panel.js';

interface Placement {
  id: string;
  status: string;
  reason: string | null;
  targets: {
    status: string;
    reason: string | null;
    cluster: { name: string } | null;
    deployment: { status: string; reason: string | null } | null;
  }[];
}

const timeout = 180_000;
const namespace = 'default';
const placementFields = `id status reason
  targets { status reason cluster { name } deployment { status reason } }`;

let panel: KubernetesPanel;
let tenant: Tenant;
let by: Tenant;
beforeAll(async () => {
  panel = await startKubernetesPanel();
});
afterAll(async () => panel.stop());
beforeEach(async () => {
  tenant = await panel.world.tenant();
  by = tenant;
});

const watched = async (of: KubernetesSandbox) => panel.pass(() => of.openWatches === 1, 'a watch');
const imageIn = (of: KubernetesSandbox, name: string) => {
  const spec = of.deployment(namespace, name)?.spec as
    | { template: { spec: { containers: { image: string }[] } } }
    | undefined;
  return spec?.template.spec.containers[0]?.image;
};

const another = async (name: string) => {
  const of = await panel.kubernetes();
  const id = await cluster(tenant, of, { name, tags: ['web'], access: { by: 'token' } });
  await watched(of);
  return Object.assign(of, { id });
};
const place = async (name: string, partitionPercent = 100) =>
  dataOf(
    await by.graphql<{ placeDeployment: Placement }>(
      `mutation($input: PlaceDeploymentInput!) { placeDeployment(input: $input) { ${placementFields} } }`,
      { input: { name, image: 'nginx:1', tag: 'web', partitionPercent } },
    ),
  ).placeDeployment.id;
const act = async (mutation: 'resumePlacement' | 'removePlacement', id: string) =>
  dataOf(await by.graphql(`mutation($id: ID!) { ${mutation}(id: $id) { id } }`, { id }));
const change = async (id: string, image: string) =>
  dataOf(
    await by.graphql(
      'mutation($id: ID!, $image: String!) { updatePlacement(id: $id, input: { image: $image }) { id } }',
      { id, image },
    ),
  );
const viewOf = async (id: string) =>
  dataOf(
    await by.graphql<{ placement: Placement }>(
      `query($id: ID!) { placement(id: $id) { ${placementFields} } }`,
      { id },
    ),
  ).placement;
const becomes = async (id: string, status: string) =>
  panel.pass(async () => (await viewOf(id)).status === status, status);
const forget = async (id: string) =>
  dataOf(
    await by.graphql('mutation($id: ID!) { removeCluster(id: $id, abandonsDeployments: true) { id } }', {
      id,
    }),
  );
const told = async (id: string) =>
  (await viewOf(id)).targets.map(({ cluster: of, status }) => `${of?.name} ${status}`);

test(
  'a placement applies nothing later that was not applied in time, and does not fail in a cluster that was removed',
  { timeout },
  async () => {
    const [near, far, gone] = [await another('near'), await another('far'), await another('gone')];
    far.setAway(true);
    gone.setAway(true);
    const id = await place('wide');
    await panel.pass(async () => (await told(id)).includes('near DONE'), 'the one that is there');
    await panel.clock.leap(15 * 60_000 + 1_000);
    by = await signedIn(tenant);
    await becomes(id, 'STOPPED');
    const late = {
      status: 'FAILED',
      reason: 'TOO_LATE',
      deployment: { status: 'FAILED', reason: 'TOO_LATE' },
    };
    expect((await viewOf(id)).targets).toEqual([
      expect.objectContaining({ status: 'DONE' }),
      expect.objectContaining(late),
      expect.objectContaining(late),
    ]);
    const due = await panel.sql(
      'select 1 from hosting.deployment where placement_id = $1 and due_at is not null',
      [id],
    );
    expect(due).toEqual([]);
    far.setAway(false);
    await panel.clock.leap(400_000);
    await watched(far);
    await panel.seconds(20);
    expect(far.deployment(namespace, 'wide')).toBeUndefined();

    by = await signedIn(tenant);
    await forget(gone.id);
    await act('resumePlacement', id);
    await becomes(id, 'PLACED');
    expect(await told(id)).toEqual(['near DONE', 'far DONE']);
    expect(imageIn(far, 'wide')).toBe('nginx:1');

    far.setAway(true);
    await change(id, 'nginx:2');
    await panel.pass(() => imageIn(near, 'wide') === 'nginx:2', 'the change');
    await forget(far.id);
    await becomes(id, 'PLACED');
    expect(await told(id)).toEqual(['near DONE']);
  },
);

test(
  'a change that was called off before a cluster could be asked is not applied there when it is back',
  { timeout },
  async () => {
    const [first, second] = [await another('first'), await another('second')];
    const id = await place('called-off', 50);
    await becomes(id, 'PLACED');
    second.setAway(true);
    await change(id, 'nginx:bad');
    await panel.pass(async () => (await told(id)).join() === 'first DONE,second DEPLOYING', 'its turn');
    first.setAway(true);
    await change(id, 'nginx:1');
    second.setAway(false);
    await watched(second);
    await panel.seconds(60);
    expect(imageIn(second, 'called-off')).toBe('nginx:1');
    expect(await told(id)).toEqual(['first DEPLOYING', 'second WAITING']);
    first.setAway(false);
    await becomes(id, 'PLACED');
    expect([first, second].map((of) => imageIn(of, 'called-off'))).toEqual(['nginx:1', 'nginx:1']);
  },
);

test(
  'whose apply was refused is removed at once, and one that may not be deleted says so',
  { timeout },
  async () => {
    const only = await another('only');
    const refuse = (method: 'PATCH' | 'DELETE') =>
      only.addFault({ kind: 'error', reason: 'Forbidden', message: 'no', method, dryRun: false });
    refuse('PATCH');
    const id = await place('unwelcome');
    await becomes(id, 'STOPPED');
    expect((await viewOf(id)).targets).toMatchObject([{ reason: 'REFUSED' }]);
    await act('removePlacement', id);
    const reasons = new Set<string | null>();
    await panel.pass(async () => {
      const { status, reason } = await viewOf(id);
      reasons.add(reason);
      return status === 'REMOVED';
    }, 'its end');
    expect(reasons).toEqual(new Set([null]));

    const second = await place('staying');
    await becomes(second, 'PLACED');
    refuse('DELETE');
    await act('removePlacement', second);
    await panel.pass(async () => (await viewOf(second)).reason === 'DELETION_DELAYED', 'the delay');
    await becomes(second, 'REMOVED');
    expect(only.deployment(namespace, 'staying')).toBeUndefined();
  },
);

test(
  'a placement goes on where it was when its tenant is restored, however long that was suspended',
  { timeout },
  async () => {
    const away = await another('away');
    away.setAway(true);
    const id = await place('kept');
    await panel.pass(async () => (await told(id)).includes('away DEPLOYING'), 'its beginning');
    await byAdministrator(tenant, 'suspendTenant');
    // For an hour; whoever takes it up has it for a minute.
    const isPutOff = async () => {
      const [row] = await panel.sql<{ at: Date }>(
        'select due_at as at from hosting.placement where id = $1',
        [id],
      );
      const leftMs = row!.at.getTime() - panel.clock.now().getTime();
      return leftMs > 60_000 && leftMs <= 3_600_000;
    };
    await panel.pass(isPutOff, 'it to be put off');
    await panel.clock.leap(100 * 60_000);
    await panel.pass(isPutOff, 'it to be put off again');
    away.setAway(false);
    await byAdministrator(tenant, 'restoreTenant');
    const restoredAt = panel.clock.now().getTime();
    by = await signedIn(tenant);
    await becomes(id, 'PLACED');
    expect(await told(id)).toEqual(['away DONE']);
    // Not by having waited.
    expect(panel.clock.now().getTime() - restoredAt).toBeLessThan(20 * 60_000);
  },
);
