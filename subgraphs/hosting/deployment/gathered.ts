import type { WatchEvent } from '../cluster/api/client.js';
import type { Gone } from './keep-seen.job.js';
import { readDeployment, type KubeDeployment } from './kube-deployment.js';

/** Events of a watch until they are written: of several of one deployment the last counts, and only what is looked at is kept. */
export class Gathered {
  private readonly there = new Map<string, KubeDeployment>();
  private readonly ended = new Map<string, Gone>();
  private odd = 0;
  /** How far the watch has come. */
  private reached: string | undefined;

  add({ type, object }: WatchEvent): void {
    const version = versionOf(object);
    if (type === 'BOOKMARK') {
      this.reached = version ?? this.reached;
      return;
    }
    const seen = readDeployment(object);
    if (!seen) this.odd += 1;
    else {
      const { namespace, name, uid, resourceVersion } = seen.metadata;
      const place = `${namespace}/${name}`;
      if (type !== 'DELETED') this.there.set(place, seen);
      else {
        if (this.there.get(place)?.metadata.uid === uid) this.there.delete(place);
        this.ended.set(uid, { namespace, name, uid, resourceVersion });
      }
    }
    this.reached = version ?? this.reached;
  }

  get size(): number {
    return this.there.size + this.ended.size;
  }

  /** All of it, and how many objects were none that can be kept. */
  take(): {
    there: KubeDeployment[];
    gone: Gone[];
    version: string | undefined;
    odd: number;
  } {
    const taken = {
      there: [...this.there.values()],
      gone: [...this.ended.values()],
      version: this.reached,
      odd: this.odd,
    };
    this.there.clear();
    this.ended.clear();
    this.reached = undefined;
    this.odd = 0;
    return taken;
  }
}

function versionOf(object: unknown): string | undefined {
  const { metadata } = (object ?? {}) as { metadata?: { resourceVersion?: unknown } | null };
  const version = metadata?.resourceVersion;
  return typeof version === 'string' && version !== '' && version.length <= 128 ? version : undefined;
}
