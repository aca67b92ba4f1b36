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
  const found = world.get(resource, namespace, name);
  if (!found) throw world.notFound(resource, name);
  if (subresource === 'log') return logOf(world, found, query);
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
  const all = world
    .list(resource, namespace)
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

/** The last lines of what a container has written, and no more bytes than may be. */
function logOf(world: World, pod: KubeObject, query: URLSearchParams): string {
  const containers = (pod.spec?.['containers'] ?? []) as { name: string; image: string }[];
  const container = query.get('container');
  const found = container === null ? containers[0] : containers.find(({ name }) => name === container);
  const { name } = pod.metadata;
  if (!found) throw new StatusError('BadRequest', `container ${container} is not valid for pod ${name}`);
  const written = world.logs.get(found.image);
  const isPrevious = query.get('previous') === 'true';
  if (isPrevious && !written?.before)
    throw new StatusError(
      'BadRequest',
      `previous terminated container "${found.name}" in pod "${name}" not found`,
    );
  if (!written && world.broken.has(found.image))
    throw new StatusError(
      'BadRequest',
      `container "${found.name}" in pod "${name}" is waiting to start: trying and failing to pull image`,
    );
  const lines = ((isPrevious ? written?.before : written?.now) ?? '').split('\n').slice(0, -1);
  // Of 0 there are none, not all.
  const tail = lines.slice(Math.max(0, lines.length - Number(query.get('tailLines') ?? lines.length)));
  const text = Buffer.from(tail.map((line) => `${line}\n`).join(''));
  return text.subarray(0, Number(query.get('limitBytes') ?? text.length)).toString('utf8');
}
