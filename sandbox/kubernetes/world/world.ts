import { randomUUID } from 'node:crypto';

import { managersAfterUpdate, type Manager } from '../apply/managers.js';
import { StatusError } from '../errors.js';
import { copyOf, isSame, timeOf, type JsonObject, type KubeObject } from '../wire.js';
import { check, fillIn } from './deployments.js';
import { podsOf, type Breakage } from './pods.js';
import { apiVersionOf, qualified, resources, type Resource } from './resources.js';
import { step, type Pace, type Rollout } from './rollout.js';
import { Store, type Contents } from './store.js';

const controller: Manager = {
  manager: 'kube-controller-manager',
  operation: 'Update',
  apiVersion: 'apps/v1',
  subresource: 'status',
};
const deployments = resources.find(({ plural }) => plural === 'deployments')!;

/** What one write is about. */
export interface Change {
  resource: Resource;
  before: KubeObject | undefined;
  after: KubeObject;
  isDryRun: boolean;
}

/** A cluster's objects, and the controller that works on its deployments by the clock. */
export class World {
  readonly store = new Store();
  readonly broken = new Map<string, Breakage>();
  /** What pods of an image have written, by whether that was before they were restarted. */
  readonly logs = new Map<string, { now: string; before: string }>();
  /** By uid. Not kept: after a restart they begin from what was available. */
  private readonly rollouts = new Map<string, Rollout>();

  constructor(
    private readonly clock: () => number,
    private readonly stepMs: number,
  ) {}

  now(): number {
    return this.clock();
  }

  time(): string {
    return timeOf(new Date(this.clock()));
  }

  /** Fills in, checks and keeps an object; a dry run only answers what would be kept. Nothing changes where nothing is new. */
  write({ resource, before, after, isDryRun }: Change): KubeObject {
    const isDeployment = resource === deployments;
    const { namespace, name } = after.metadata;
    if (resource.isNamespaced && !this.store.get('namespaces', undefined, namespace ?? ''))
      throw new StatusError('NotFound', `namespaces "${namespace}" not found`, {
        name: namespace ?? '',
        kind: 'namespaces',
      });
    if (isDeployment) {
      fillIn(after);
      check(after, before);
    }
    const metadata = before
      ? {
          ...after.metadata,
          name,
          uid: before.metadata.uid,
          creationTimestamp: before.metadata.creationTimestamp,
          resourceVersion: before.metadata.resourceVersion,
        }
      : {
          ...after.metadata,
          uid: randomUUID(),
          creationTimestamp: this.time(),
          resourceVersion: '',
        };
    if (isDeployment) {
      const isNew = before !== undefined && !isSame(before.spec, after.spec);
      metadata.generation = (before?.metadata.generation ?? 0) + (isNew || !before ? 1 : 0);
    }
    const next: KubeObject = {
      ...after,
      apiVersion: apiVersionOf(resource),
      kind: resource.kind,
      metadata,
      ...(isDeployment ? { status: before?.status ?? {} } : {}),
    };
    if (before && isSame(next, before)) return before;
    if (isDryRun) return next;
    const kept = this.store.put(resource.plural, next);
    if (isDeployment) this.wake(kept);
    return kept;
  }

  /** As `write`, by a manager who changes it outright. */
  update(change: Change, manager: Manager): KubeObject {
    const { resource, before, after } = change;
    if (resource === deployments) fillIn(after);
    const managedFields = managersAfterUpdate(before, after, resource.schema, manager, this.time());
    return this.write({ ...change, after: { ...after, metadata: { ...after.metadata, managedFields } } });
  }

  /** In the foreground an object stays until what belongs to it is gone. */
  remove(resource: Resource, object: KubeObject, isForeground: boolean): KubeObject {
    if (!isForeground || resource !== deployments) {
      this.rollouts.delete(object.metadata.uid);
      return this.store.remove(resource.plural, object);
    }
    if (object.metadata.deletionTimestamp !== undefined) return object;
    const leaving = this.store.put(resource.plural, {
      ...object,
      metadata: {
        ...object.metadata,
        deletionTimestamp: this.time(),
        deletionGracePeriodSeconds: 0,
        finalizers: [...(object.metadata.finalizers ?? []), 'foregroundDeletion'],
      },
    });
    this.wake(leaving);
    return leaving;
  }

  /** Objects of a resource by their keys, in their order. */
  list(resource: Resource, namespace: string | undefined): [string, KubeObject][] {
    if (resource.plural !== 'pods') return this.store.list(resource.plural, namespace);
    const { revision } = this.store;
    const breakageOf = (image: string) => this.broken.get(image);
    return this.store
      .list('deployments', namespace)
      .flatMap(([, object]) => {
        const rollout = this.rollouts.get(object.metadata.uid);
        return rollout ? podsOf({ object, rollout, revision, breakageOf }) : [];
      })
      .map((pod): [string, KubeObject] => [Store.key('pods', pod.metadata.namespace, pod.metadata.name), pod])
      .toSorted(([a], [b]) => (a < b ? -1 : 1));
  }

  get(resource: Resource, namespace: string | undefined, name: string): KubeObject | undefined {
    if (resource.plural !== 'pods') return this.store.get(resource.plural, namespace, name);
    const key = Store.key('pods', namespace, name);
    return this.list(resource, namespace).find(([each]) => each === key)?.[1];
  }

  /** The next moment at which something happens by itself. */
  nextAt(): number {
    return Math.min(Infinity, ...[...this.rollouts.values()].map(({ nextAt }) => nextAt ?? Infinity));
  }

  /** Lets everything happen that is due, in its order. */
  settle(): void {
    for (let at = this.nextAt(); at <= this.clock(); at = this.nextAt())
      for (const [, object] of this.store.list('deployments', undefined)) {
        const rollout = this.rollouts.get(object.metadata.uid);
        if (rollout?.nextAt !== undefined && rollout.nextAt <= at) this.look(object, rollout, at);
      }
  }

  /** As from a backup: what came after it did not happen. */
  restore(contents: Contents): void {
    this.store.load(contents);
    this.store.compact();
    this.rollouts.clear();
    this.wakeAll();
  }

  /** After a restart: all deployments are looked at again. */
  wakeAll(): void {
    for (const [, object] of this.store.list('deployments', undefined)) this.wake(object);
  }

  notFound(resource: Resource, name: string): StatusError {
    return new StatusError('NotFound', `${qualified(resource)} "${name}" not found`, {
      name,
      ...(resource.group === '' ? {} : { group: resource.group }),
      kind: resource.plural,
    });
  }

  private wake(object: KubeObject): void {
    const now = this.clock();
    const { uid } = object.metadata;
    const rollout = this.rollouts.get(uid);
    const nextAt = now + this.stepMs;
    if (rollout) rollout.nextAt = Math.min(rollout.nextAt ?? Infinity, nextAt);
    else this.rollouts.set(uid, { hash: '', revision: 0, pods: [], lastProgressAt: now, nextAt });
  }

  private look(object: KubeObject, rollout: Rollout, at: number): void {
    if (object.metadata.deletionTimestamp !== undefined) {
      this.rollouts.delete(object.metadata.uid);
      this.store.remove('deployments', object);
      return;
    }
    const pace: Pace = { stepMs: this.stepMs, isBroken: (image) => this.broken.has(image) };
    const status = step(object, rollout, at, pace);
    const annotations = {
      ...object.metadata.annotations,
      'deployment.kubernetes.io/revision': String(rollout.revision),
    };
    const after = copyOf({ ...object, status, metadata: { ...object.metadata, annotations } });
    const time = timeOf(new Date(at));
    const managedFields = managersAfterUpdate(object, after, deployments.schema, controller, time);
    after.metadata.managedFields = managedFields;
    if (!isSame(after as unknown as JsonObject, object)) this.store.put('deployments', after);
  }
}
