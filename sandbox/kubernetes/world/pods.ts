import { timeOf, type Json, type JsonObject, type KubeObject } from '../wire.js';
import { partsOf } from './deployments.js';
import type { Pod, Rollout } from './rollout.js';

/** What keeps pods of an image from being available. */
export type Breakage = 'ImagePullBackOff' | 'CrashLoopBackOff' | 'Unschedulable' | 'InitError';

export interface PodsOf {
  object: KubeObject;
  rollout: Rollout;
  revision: number;
  breakageOf: (image: string) => Breakage | undefined;
}

/** The pods that a deployment has, as a kubelet tells of them. Nothing of them is kept: they follow from the rollout. */
export function podsOf({ object, rollout, revision, breakageOf }: PodsOf): KubeObject[] {
  const { podSpec, labels } = partsOf(object);
  return rollout.pods.map((pod) => {
    const { hash, suffix, image, createdAt } = pod;
    const name = `${object.metadata.name}-${hash}-${suffix}`;
    const container = podSpec.containers?.[0]?.name ?? 'main';
    const breakage = breakageOf(image);
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        namespace: object.metadata.namespace ?? 'default',
        uid: `${object.metadata.uid}-${suffix}`,
        resourceVersion: String(revision),
        creationTimestamp: timeOf(new Date(createdAt)),
        labels: { ...labels, 'pod-template-hash': hash },
      },
      spec: {
        containers: [{ name: container, image }],
        ...(breakage === 'Unschedulable' ? {} : { nodeName: 'worker-1' }),
      },
      status: statusOf(pod, container, breakage),
    } as unknown as KubeObject;
  });
}

function statusOf(pod: Pod, name: string, breakage: Breakage | undefined): JsonObject {
  const { image, isAvailable, createdAt } = pod;
  const since = timeOf(new Date(createdAt));
  const base = { name, image, imageID: '', ready: false, restartCount: 0, started: false };
  const waits = (reason: string, message?: string): Json => ({
    waiting: { reason, ...(message === undefined ? {} : { message }) },
  });
  const died = (reason: string, exitCode: number): Json => ({
    terminated: { reason, exitCode, startedAt: since, finishedAt: since },
  });
  const tells = (phase: string, container: JsonObject, more: JsonObject = {}): JsonObject => ({
    phase,
    startTime: since,
    conditions: [
      { type: 'PodScheduled', status: 'True' },
      isAvailable
        ? { type: 'Ready', status: 'True' }
        : {
            type: 'Ready',
            status: 'False',
            reason: 'ContainersNotReady',
            message: `containers with unready status: [${name}]`,
          },
    ],
    containerStatuses: [{ ...base, ...container }],
    ...more,
  });
  if (isAvailable)
    return tells('Running', { ready: true, started: true, state: { running: { startedAt: since } } });
  switch (breakage) {
    case 'ImagePullBackOff':
      return tells('Pending', { state: waits('ImagePullBackOff', `Back-off pulling image "${image}"`) });
    case 'CrashLoopBackOff':
      return tells('Running', {
        restartCount: 4,
        state: waits('CrashLoopBackOff', `back-off 1m20s restarting failed container=${name}`),
        lastState: died('OOMKilled', 137),
      });
    case 'InitError':
      return tells(
        'Pending',
        { state: waits('PodInitializing') },
        { initContainerStatuses: [{ ...base, name: 'migrate', restartCount: 2, state: died('Error', 3) }] },
      );
    case 'Unschedulable':
      return {
        phase: 'Pending',
        conditions: [
          {
            type: 'PodScheduled',
            status: 'False',
            reason: 'Unschedulable',
            message: '0/3 nodes are available: 3 Insufficient memory.',
          },
        ],
      };
    case undefined:
      return tells('Pending', { state: waits('ContainerCreating') });
  }
}
