import { StatusError } from '../errors.js';
import type { Json, JsonObject, KubeObject } from '../wire.js';
import { apiVersionOf } from '../world/resources.js';
import type { World } from '../world/world.js';
import { selectors } from './selectors.js';
import { table } from './table.js';
import type { Target } from './target.js';
import { scaleOf } from './writes.js';

export interface ReadRequest {
  world: World;
  target: Target;
  query: URLSearchParams;
  accept: string;
}

export const wantsTable = (accept: string): boolean => accept.includes('as=Table');

export function get({ world, target, query, accept }: ReadRequest): Json {
  const { resource, namespace, name = '', subresource } = target;
  const found = world.store.get(resource.plural, namespace, name);
  if (!found) throw world.notFound(resource, name);
  if (subresource === 'scale') return scaleOf(found) as unknown as Json;
  if (!wantsTable(accept)) return found as unknown as Json;
  const metadata = { resourceVersion: found.metadata.resourceVersion };
  return table(resource.plural, [found], { now: world.now(), include: query.get('includeObject'), metadata });
}

export function list({ world, target, query, accept }: ReadRequest): Json {
  const { resource, namespace } = target;
  const matches = selectors(query);
  const from = continued(query, world);
  // All pages of a list are as of its first; here they have what came since as well, which a watch from there tells again.
  const revision = from?.revision ?? world.store.revision;
  const after = from?.key;
  const all = world.store
    .list(resource.plural, namespace)
    .filter(([key, object]) => matches(object) && (after === undefined || key > after));
  const limit = Number(query.get('limit') ?? 0);
  const shown = limit > 0 ? all.slice(0, limit) : all;
  const left = all.length - shown.length;
  const metadata: JsonObject = {
    resourceVersion: String(revision),
    ...(left > 0 ? { continue: tokenOf(revision, shown.at(-1)![0]), remainingItemCount: left } : {}),
  };
  const objects = shown.map(([, object]) => object);
  if (wantsTable(accept))
    return table(resource.plural, objects, {
      now: world.now(),
      include: query.get('includeObject'),
      metadata,
    });
  return {
    kind: `${resource.kind}List`,
    apiVersion: apiVersionOf(resource),
    metadata,
    items: objects.map(({ kind: _kind, apiVersion: _version, ...item }) => item as unknown as Json),
  };
}

/** As the events of a watch have it. */
export function shown(request: ReadRequest): (object: KubeObject) => Json {
  const { world, target, query, accept } = request;
  if (!wantsTable(accept)) return (object) => object as unknown as Json;
  return (object) =>
    table(target.resource.plural, [object], {
      now: world.now(),
      include: query.get('includeObject'),
      metadata: { resourceVersion: object.metadata.resourceVersion },
    });
}

function tokenOf(revision: number, key: string): string {
  return Buffer.from(JSON.stringify({ revision, key })).toString('base64url');
}

/** Where a page begins. Pages of a list that is too old are refused, as watches are. */
function continued(query: URLSearchParams, world: World): { revision: number; key: string } | undefined {
  const token = query.get('continue');
  if (!token) return undefined;
  const { revision, key } = JSON.parse(Buffer.from(token, 'base64url').toString()) as {
    revision: number;
    key: string;
  };
  if (world.store.since('', revision) === undefined)
    throw new StatusError(
      'Expired',
      'The provided continue parameter is too old to display a consistent list result.',
    );
  return { revision, key };
}
