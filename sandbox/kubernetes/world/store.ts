import type { KubeObject, WatchType } from '../wire.js';

/** What is kept over a restart. */
export interface Contents {
  format: 1;
  revision: number;
  /** By resource, namespace and name. */
  objects: Record<string, KubeObject>;
}

export interface Change {
  revision: number;
  type: WatchType;
  resource: string;
  object: KubeObject;
  before: KubeObject | undefined;
}

const mostChanges = 5_000;

/** Objects, and the changes by which they came to be as they are; older changes are forgotten. */
export class Store {
  contents: Contents = { format: 1, revision: 100, objects: {} };
  private changes: Change[] = [];
  /** Watches from this revision on can be served. */
  private oldest = 100;
  private readonly listeners = new Set<(change: Change) => void>();

  static key(resource: string, namespace: string | undefined, name: string): string {
    return `${resource}/${namespace ?? ''}/${name}`;
  }

  load(contents: Contents): void {
    this.contents = contents;
    this.oldest = contents.revision;
  }

  get revision(): number {
    return this.contents.revision;
  }

  get(resource: string, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.contents.objects[Store.key(resource, namespace, name)];
  }

  /** By namespace and name. */
  list(resource: string, namespace: string | undefined): [string, KubeObject][] {
    const prefix = `${resource}/${namespace === undefined ? '' : `${namespace}/`}`;
    return Object.entries(this.contents.objects)
      .filter(([key]) => key.startsWith(prefix))
      .toSorted(([a], [b]) => (a < b ? -1 : 1));
  }

  put(resource: string, object: KubeObject): KubeObject {
    const { namespace, name } = object.metadata;
    const key = Store.key(resource, namespace, name);
    const before = this.contents.objects[key];
    const revision = (this.contents.revision += 1);
    const kept = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
    this.contents.objects[key] = kept;
    this.tell({ revision, type: before ? 'MODIFIED' : 'ADDED', resource, object: kept, before });
    return kept;
  }

  remove(resource: string, object: KubeObject): KubeObject {
    const { namespace, name } = object.metadata;
    const revision = (this.contents.revision += 1);
    delete this.contents.objects[Store.key(resource, namespace, name)];
    const gone = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
    this.tell({ revision, type: 'DELETED', resource, object: gone, before: object });
    return gone;
  }

  /** Changes after a revision; undefined when they are kept no more. */
  since(resource: string, revision: number): Change[] | undefined {
    if (revision < this.oldest) return undefined;
    return this.changes.filter((change) => change.revision > revision && change.resource === resource);
  }

  /** Forgets all changes, as etcd does when it is compacted. */
  compact(): void {
    this.changes = [];
    this.oldest = this.contents.revision;
  }

  onChange(listener: (change: Change) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private tell(change: Change): void {
    this.changes.push(change);
    if (this.changes.length > mostChanges) {
      this.changes.splice(0, this.changes.length - mostChanges);
      this.oldest = this.changes[0]!.revision - 1;
    }
    for (const listener of this.listeners) listener(change);
  }
}
