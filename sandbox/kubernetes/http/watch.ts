import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Clock } from '#platform/clock.js';

import { StatusError } from '../errors.js';
import type { Json, JsonObject, KubeObject, WatchType } from '../wire.js';
import type { Resource } from '../world/resources.js';
import type { Change, Store } from '../world/store.js';
import type { Matches } from './selectors.js';

export interface WatchOptions {
  store: Store;
  resource: Resource;
  namespace: string | undefined;
  query: URLSearchParams;
  matches: Matches;
  clock: Clock;
  bookmarkMs: number;
  /** How an object is shown. */
  show: (object: KubeObject) => Json;
}

const longestSeconds = 3_600;

/** Open watches, so that they can be cut. */
export class Watches {
  private readonly open = new Set<() => void>();
  private readonly told = new Set<ServerResponse>();

  /** Answers a watch until its time is over, the client leaves, or it is cut. */
  async serve(request: IncomingMessage, response: ServerResponse, options: WatchOptions): Promise<void> {
    const { store, resource, query } = options;
    const asked = query.get('resourceVersion') ?? '';
    const wantsInitial = query.get('sendInitialEvents') === 'true';
    if (wantsInitial && query.get('resourceVersionMatch') !== 'NotOlderThan')
      throw new StatusError(
        'Invalid',
        'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires NotOlderThan',
      );
    const isFromNow = asked === '' || asked === '0';
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' });
    response.flushHeaders();
    const send = (type: string, object: Json) => response.write(`${JSON.stringify({ type, object })}\n`);
    if (isFromNow || wantsInitial)
      for (const [, object] of store.list(resource.plural, options.namespace))
        if (options.matches(object)) send('ADDED', options.show(object));
    if (wantsInitial) send('BOOKMARK', bookmark(resource, store.revision, true));
    if (!isFromNow && !wantsInitial) {
      const missed = store.since(resource.plural, Number(asked));
      if (!missed) {
        const error = new StatusError('Expired', `too old resource version: ${asked} (${store.revision})`);
        send('ERROR', error.body());
        response.end();
        return;
      }
      for (const change of missed) tell(change, options, send);
    }
    await this.follow(request, response, { ...options, send });
  }

  /** Ends all of them as when connections are lost. */
  cut(): void {
    for (const end of this.open) end();
  }

  /** Tells all of them an event, whatever it is. */
  tell(type: string, object: Json): void {
    for (const response of this.told) response.write(`${JSON.stringify({ type, object })}\n`);
  }

  get count(): number {
    return this.open.size;
  }

  private async follow(
    request: IncomingMessage,
    response: ServerResponse,
    options: WatchOptions & { send: (type: string, object: Json) => void },
  ): Promise<void> {
    const { store, resource, query, clock, bookmarkMs, send } = options;
    const over = new AbortController();
    const destroy = () => {
      response.destroy();
      over.abort();
    };
    this.open.add(destroy);
    this.told.add(response);
    request.once('close', () => over.abort());
    response.once('close', () => over.abort());
    const stop = store.onChange((change) => {
      if (change.resource === resource.plural) tell(change, options, send);
    });
    const seconds = Math.min(Number(query.get('timeoutSeconds') ?? 1_800) || 1_800, longestSeconds);
    const endsAt = clock.now().getTime() + seconds * 1000;
    const hasBookmarks = query.get('allowWatchBookmarks') === 'true';
    try {
      while (!over.signal.aborted) {
        const left = endsAt - clock.now().getTime();
        if (left <= 0) break;
        await clock.delay(Math.min(left, bookmarkMs), over.signal);
        if (hasBookmarks) send('BOOKMARK', bookmark(resource, store.revision, false));
      }
    } catch (error) {
      if (!over.signal.aborted) throw error;
    } finally {
      stop();
      this.open.delete(destroy);
      this.told.delete(response);
      response.end();
    }
  }
}

function tell(
  change: Change,
  { namespace, matches, show }: WatchOptions,
  send: (type: string, object: Json) => void,
): void {
  const { object, before } = change;
  if (namespace !== undefined && object.metadata.namespace !== namespace) return;
  const [was, is] = [before !== undefined && matches(before), matches(object)];
  if (change.type === 'DELETED') {
    if (was) send('DELETED', show(object));
    return;
  }
  // What a selector does not see any more is gone for its watch.
  const type: WatchType | undefined = is ? (was ? 'MODIFIED' : 'ADDED') : was ? 'DELETED' : undefined;
  if (type) send(type, show(object));
}

function bookmark({ kind, group, version }: Resource, revision: number, isInitial: boolean): JsonObject {
  return {
    kind,
    apiVersion: group === '' ? version : `${group}/${version}`,
    metadata: {
      resourceVersion: String(revision),
      creationTimestamp: null,
      ...(isInitial ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
    },
  };
}
