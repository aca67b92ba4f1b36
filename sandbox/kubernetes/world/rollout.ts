import { createHash, randomBytes } from 'node:crypto';

import { isSame, timeOf, word, type Json, type JsonObject, type KubeObject } from '../wire.js';
import { partsOf } from './deployments.js';

export interface Pod {
  /** Of five letters and digits, as names of pods end. */
  suffix: string;
  hash: string;
  image: string;
  createdAt: number;
  isAvailable: boolean;
}

/** How far a deployment's controller and its pods are. */
export interface Rollout {
  hash: string;
  revision: number;
  pods: Pod[];
  lastProgressAt: number;
  /** When the controller looks again; absent when nothing is to be expected. */
  nextAt?: number;
}

export interface Pace {
  /** Between two looks of the controller, and until a pod that was started is available. */
  stepMs: number;
  /** Whether pods of this image never become available. */
  isBroken: (image: string) => boolean;
}

/** The controller's next look at a deployment: starts and stops pods as its strategy lets it, and says how it is. */
export function step(object: KubeObject, rollout: Rollout, now: number, pace: Pace): JsonObject {
  const { spec, podSpec, template } = partsOf(object);
  const desired = Number(spec['replicas']);
  const hash = hashOf(template);
  const image = String(podSpec.containers?.[0]?.image);
  let hasProgress = false;
  if (hash !== rollout.hash) {
    Object.assign(rollout, { hash, revision: rollout.revision + 1 });
    hasProgress = true;
  }
  for (const pod of rollout.pods) {
    const isUp = !pod.isAvailable && now - pod.createdAt >= pace.stepMs && !pace.isBroken(pod.image);
    if (isUp) pod.isAvailable = true;
    hasProgress ||= isUp;
  }
  const before = rollout.pods.length;
  const surged = scale(rollout, { spec, desired, hash, image }, now);
  hasProgress ||= surged || rollout.pods.length !== before;
  if (hasProgress) rollout.lastProgressAt = now;
  const status = statusOf(object, rollout, desired, now);
  const { isDone, deadlineAt } = outlook(object, rollout, desired);
  if (isDone) delete rollout.nextAt;
  else {
    const waits = rollout.pods.some(({ isAvailable, image: of }) => !isAvailable && !pace.isBroken(of));
    const stuckUntil = now >= deadlineAt ? undefined : deadlineAt;
    const next = waits || hasProgress ? now + pace.stepMs : stuckUntil;
    if (next === undefined) delete rollout.nextAt;
    else rollout.nextAt = next;
  }
  return status;
}

interface Wanted {
  spec: JsonObject;
  desired: number;
  hash: string;
  image: string;
}

function scale(rollout: Rollout, { spec, desired, hash, image }: Wanted, now: number): boolean {
  const strategy = (spec['strategy'] ?? {}) as JsonObject;
  const rolling = (strategy['rollingUpdate'] ?? {}) as JsonObject;
  const isRecreate = strategy['type'] === 'Recreate';
  const surge = isRecreate ? 0 : part(rolling['maxSurge'], desired, Math.ceil);
  const down = isRecreate ? desired : part(rolling['maxUnavailable'], desired, Math.floor);
  const maxUnavailable = surge === 0 && down === 0 ? 1 : down;
  const ofNew = () => rollout.pods.filter((pod) => pod.hash === hash);
  const ofOld = () => rollout.pods.filter((pod) => pod.hash !== hash);
  const drop = (pods: readonly Pod[]) => {
    rollout.pods = rollout.pods.filter((pod) => !pods.includes(pod));
  };
  const isPaused = spec['paused'] === true && ofNew().length === 0 && ofOld().length > 0;
  if (isPaused) return false;
  const surplus = ofNew().length - desired;
  if (surplus > 0)
    drop(
      ofNew()
        .toSorted((a, b) => Number(a.isAvailable) - Number(b.isAvailable))
        .slice(0, surplus),
    );
  // Old ones that are of no use go first, then as many as may be missing.
  drop(ofOld().filter(({ isAvailable }) => !isAvailable));
  const available = rollout.pods.filter(({ isAvailable }) => isAvailable).length;
  const spare = Math.max(0, available - Math.max(0, desired - maxUnavailable));
  drop(ofOld().slice(0, spare));
  if (isRecreate && ofOld().length > 0) return false;
  const room = Math.max(0, desired + surge - rollout.pods.length);
  const missing = Math.min(room, desired - ofNew().length);
  for (let made = 0; made < missing; made += 1)
    rollout.pods.push({ suffix: suffix(), hash, image, createdAt: now, isAvailable: false });
  return missing > 0;
}

function part(value: Json | undefined, of: number, round: (share: number) => number): number {
  if (typeof value === 'number') return value;
  const [, percent] = /^(\d+)%$/.exec(word(value ?? '25%')) ?? [];
  return round((of * Number(percent ?? 25)) / 100);
}

function outlook(object: KubeObject, rollout: Rollout, desired: number) {
  const mine = rollout.pods.filter(({ hash }) => hash === rollout.hash);
  const isDone =
    rollout.pods.length === desired &&
    mine.length === desired &&
    mine.every(({ isAvailable }) => isAvailable);
  const deadlineAt = rollout.lastProgressAt + Number(partsOf(object).spec['progressDeadlineSeconds']) * 1000;
  return { isDone, deadlineAt };
}

function statusOf(object: KubeObject, rollout: Rollout, desired: number, now: number): JsonObject {
  const { pods, hash } = rollout;
  const updated = pods.filter((pod) => pod.hash === hash).length;
  const available = pods.filter(({ isAvailable }) => isAvailable).length;
  const { isDone, deadlineAt } = outlook(object, rollout, desired);
  const set = `${object.metadata.name}-${hash}`;
  const strategy = (partsOf(object).spec['strategy'] as JsonObject)['rollingUpdate'] as
    | JsonObject
    | undefined;
  const mayMiss = part(strategy?.['maxUnavailable'], desired, Math.floor);
  const isAvailable = available >= desired - mayMiss;
  const conditions = [
    condition(
      object,
      now,
      'Available',
      isAvailable,
      isAvailable ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
      isAvailable ? 'Deployment has minimum availability.' : 'Deployment does not have minimum availability.',
    ),
    isDone
      ? condition(
          object,
          now,
          'Progressing',
          true,
          'NewReplicaSetAvailable',
          `ReplicaSet "${set}" has successfully progressed.`,
        )
      : now >= deadlineAt
        ? condition(
            object,
            now,
            'Progressing',
            false,
            'ProgressDeadlineExceeded',
            `ReplicaSet "${set}" has timed out progressing.`,
          )
        : condition(
            object,
            now,
            'Progressing',
            true,
            'ReplicaSetUpdated',
            `ReplicaSet "${set}" is progressing.`,
          ),
  ];
  const counts = {
    replicas: pods.length,
    updatedReplicas: updated,
    readyReplicas: available,
    availableReplicas: available,
    unavailableReplicas: Math.max(0, Math.max(desired, pods.length) - available),
  };
  // What is 0 is left out, as the API does.
  const told = Object.entries(counts).filter(([, count]) => count > 0);
  return { observedGeneration: object.metadata.generation ?? 1, ...Object.fromEntries(told), conditions };
}

function condition(
  object: KubeObject,
  now: number,
  type: string,
  isTrue: boolean,
  reason: string,
  message: string,
): JsonObject {
  const before = ((object.status?.['conditions'] ?? []) as JsonObject[]).find(
    (each) => each['type'] === type,
  );
  const status = isTrue ? 'True' : 'False';
  const at = timeOf(new Date(now));
  if (
    before &&
    isSame(
      { ...before, lastUpdateTime: '', lastTransitionTime: '' },
      { type, status, reason, message, lastUpdateTime: '', lastTransitionTime: '' },
    )
  )
    return before;
  const turnedAt = before?.['status'] === status ? before['lastTransitionTime']! : at;
  return { type, status, lastUpdateTime: at, lastTransitionTime: turnedAt, reason, message };
}

const suffix = (): string => randomBytes(3).toString('hex').slice(1);

/** Of a template, as replica sets are named by. */
function hashOf(template: JsonObject): string {
  const ordered = JSON.stringify(template, (_key, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  return createHash('sha256').update(ordered).digest('hex').slice(0, 10);
}
