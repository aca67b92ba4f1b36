import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { parse } from 'yaml';

import type { Clock } from '#platform/clock.js';

import { isAllowed } from '../access.js';
import { StatusError } from '../errors.js';
import { isObject, word, type Json, type JsonObject } from '../wire.js';
import { qualified } from '../world/resources.js';
import type { World } from '../world/world.js';
import type { Caller, Callers } from './callers.js';
import { aggregatedType, discovery } from './discovery.js';
import type { Faults } from './faults.js';
import { openApi } from './openapi.js';
import { get, list, shown } from './reads.js';
import { selectors } from './selectors.js';
import { placeOf, verbOf, type Target } from './target.js';
import type { Watches } from './watch.js';
import { create, isDry, patch, replace } from './writes.js';

export interface ApiParts {
  world: World;
  callers: Callers;
  faults: Faults;
  watches: Watches;
  /** How often each kind of request came. */
  counts: Map<string, number>;
  clock: Clock;
  bookmarkMs: number;
  version: { major: string; minor: string; gitVersion: string };
  /** Whether nothing is answered, as when the network is away. */
  isAway: () => boolean;
  /** What `/readyz` says; empty when all is well. */
  unready: () => string;
}

interface Call {
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
  method: string;
  accept: string;
}

const mostBytes = 3 * 1024 * 1024;

export async function serveApi(
  parts: ApiParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = 'GET', headers } = request;
  const url = new URL(request.url ?? '/', 'https://cluster');
  const call: Call = { request, response, url, method, accept: headers.accept ?? '' };
  if (parts.isAway()) {
    count(parts, 'away');
    request.socket.destroy();
    return;
  }
  const fault = parts.faults.take(method, url);
  try {
    if (fault?.kind === 'drop_before') return void request.socket.destroy();
    if (fault?.kind === 'html')
      return void response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>502 Bad Gateway</h1>');
    if (fault?.kind === 'proxy')
      return void response
        .writeHead(fault.status, { 'content-type': 'text/plain' })
        .end(`${fault.status} says the proxy\n`);
    if (fault?.kind === 'empty') {
      count(parts, `empty ${url.pathname}`);
      return void response.writeHead(200, { 'content-type': 'application/json' }).end();
    }
    if (fault?.kind === 'body')
      return void response.writeHead(200, { 'content-type': 'application/json' }).end(fault.body);
    if (fault?.kind === 'error')
      throw new StatusError(
        fault.reason,
        fault.message,
        fault.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: fault.retryAfterSeconds },
      );
    if (fault?.kind === 'late') await sleep(fault.delayMs);
    const answer = await answerTo(parts, call);
    if (answer === undefined) return;
    if (fault?.kind === 'drop_after_commit') return void request.socket.destroy();
    if (fault?.kind === 'delay') await sleep(fault.delayMs);
    send(response, answer, fault?.kind === 'cut');
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    const { retryAfterSeconds } = error.details;
    if (retryAfterSeconds !== undefined) response.setHeader('retry-after', retryAfterSeconds);
    if (response.headersSent) response.end();
    else send(response, { code: error.code, body: error.body() }, false);
  }
}

interface Answer {
  code: number;
  body: Json | string;
  type?: string;
}

async function answerTo(parts: ApiParts, call: Call): Promise<Answer | undefined> {
  const { url, accept } = call;
  const path = url.pathname.replace(/(.)\/$/, '$1');
  count(parts, `${call.method} ${path.replace(/(namespaces|deployments|nodes|pods)\/[^/]+/g, '$1/{name}')}`);
  parts.world.settle();
  if (path === '/version')
    return {
      code: 200,
      body: {
        ...parts.version,
        platform: 'linux/amd64',
        goVersion: 'go1.25.0',
        compiler: 'gc',
        gitCommit: '0'.repeat(40),
        gitTreeState: 'clean',
        buildDate: '2026-01-01T00:00:00Z',
      },
    };
  if (['/readyz', '/livez', '/healthz'].includes(path)) {
    const problem = parts.unready();
    return problem === ''
      ? { code: 200, body: 'ok' }
      : { code: 500, body: `[-]${problem} failed: reason withheld\nreadyz check failed\n` };
  }
  const caller = parts.callers.identify(call.request, parts.clock.now().getTime());
  if (!caller) throw new StatusError('Unauthorized', 'Unauthorized');
  const found = discovery(path, accept);
  if (found)
    return {
      code: 200,
      body: found,
      ...(found['kind'] === 'APIGroupDiscoveryList' ? { type: aggregatedType } : {}),
    };
  const described = openApi(path);
  if (described) return { code: 200, body: described };
  const place = placeOf(path);
  if (place.kind === 'review')
    return { code: 201, body: review(caller, (await readBody(call.request)) as JsonObject) };
  if (place.kind === 'none')
    throw new StatusError('NotFound', 'the server could not find the requested resource');
  return resourceAnswer(parts, call, caller, place.target);
}

async function resourceAnswer(
  parts: ApiParts,
  call: Call,
  caller: Caller,
  target: Target,
): Promise<Answer | undefined> {
  const { world, watches, clock, bookmarkMs } = parts;
  const { request, response, url, method, accept } = call;
  const query = url.searchParams;
  const verb = verbOf(method, target, query);
  permit(caller, verb, target);
  const sub = target.resource.subresources.find(({ name }) => name === target.subresource);
  if (!(sub?.verbs ?? target.resource.verbs).includes(verb))
    throw new StatusError(
      'MethodNotAllowed',
      'the server does not allow this method on the requested resource',
    );
  const reading = { world, target, query, accept };
  if (verb === 'get') return { code: 200, body: get(reading) };
  if (verb === 'list') return { code: 200, body: list(reading) };
  if (verb === 'watch') {
    await watches.serve(request, response, {
      store: world.store,
      resource: target.resource,
      namespace: target.namespace,
      query,
      matches: selectors(query),
      clock,
      bookmarkMs,
      show: shown(reading),
    });
    return undefined;
  }
  const body = await readBody(request);
  if (verb === 'delete') return { code: 200, body: remove(parts, target, query, body) };
  const contentType = (request.headers['content-type'] ?? '').split(';')[0]!.trim();
  const agent = (request.headers['user-agent'] ?? 'unknown').split('/')[0]!;
  const warn = (text: string) => response.appendHeader('Warning', `299 - ${JSON.stringify(text)}`);
  const permitted = (also: string) => permit(caller, also, target);
  const writing = { world, target, query, contentType, body, agent, warn, permit: permitted };
  const { code, object } =
    verb === 'create' ? create(writing) : verb === 'update' ? replace(writing) : patch(writing);
  return { code, body: object as unknown as Json };
}

function remove(
  { world }: ApiParts,
  { resource, namespace, name = '' }: Target,
  query: URLSearchParams,
  body: Json,
): Json {
  const found = world.store.get(resource.plural, namespace, name);
  if (!found) throw world.notFound(resource, name);
  const options = isObject(body) ? body : {};
  const conditions = isObject(options['preconditions']) ? options['preconditions'] : {};
  for (const key of ['uid', 'resourceVersion'] as const)
    if (conditions[key] !== undefined && conditions[key] !== found.metadata[key])
      throw new StatusError(
        'Conflict',
        `Operation cannot be fulfilled on ${qualified(resource)} "${name}": Precondition failed: ${key === 'uid' ? 'UID' : 'ResourceVersion'} in precondition: ${word(conditions[key])}, ${key === 'uid' ? 'UID' : 'ResourceVersion'} in object meta: ${found.metadata[key]}`,
        {
          name,
          group: resource.group,
          kind: resource.plural,
        },
      );
  const policy = query.get('propagationPolicy') ?? options['propagationPolicy'];
  const dry = isDry(query) || (Array.isArray(options['dryRun']) && options['dryRun'].includes('All'));
  if (!dry) {
    const left = world.remove(resource, found, policy === 'Foreground');
    if (policy === 'Foreground') return left as unknown as Json;
  }
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name, group: resource.group, kind: resource.plural, uid: found.metadata.uid },
  };
}

function permit(caller: Caller, verb: string, { resource, namespace, name, subresource }: Target): void {
  const plural = subresource === undefined ? resource.plural : `${resource.plural}/${subresource}`;
  if (isAllowed(caller, { verb, resource: plural, namespace })) return;
  const where = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  throw new StatusError(
    'Forbidden',
    `${qualified(resource)}${name === undefined ? '' : ` "${name}"`} is forbidden: User "${caller.name}" cannot ${verb} resource "${plural}" in API group "${resource.group}" ${where}`,
    { ...(name === undefined ? {} : { name }), group: resource.group, kind: resource.plural },
  );
}

/** Whether whoever asks may do something, as it wants to know before. */
function review(caller: Caller, body: JsonObject): Json {
  const spec = (body['spec'] ?? {}) as JsonObject;
  const attributes = (spec['resourceAttributes'] ?? {}) as Record<string, string | undefined>;
  const { verb = '', resource = '', subresource, namespace } = attributes;
  const plural = subresource ? `${resource}/${subresource}` : resource;
  const allowed = isAllowed(caller, { verb, resource: plural, namespace: namespace || undefined });
  return {
    ...body,
    metadata: { creationTimestamp: null },
    status: { allowed, ...(allowed ? { reason: 'a rule of this stand-in' } : {}) },
  };
}

async function readBody(request: IncomingMessage): Promise<Json> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > mostBytes) throw new StatusError('BadRequest', 'the request is too large');
    chunks.push(chunk as Buffer);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  if (text === '') return {};
  if (text.startsWith('k8s\0'))
    throw new StatusError(
      'UnsupportedMediaType',
      'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml',
    );
  try {
    // JSON is YAML, and applied patches may be either.
    return (request.headers['content-type']?.includes('yaml') ? parse(text) : JSON.parse(text)) as Json;
  } catch (cause) {
    throw new StatusError('BadRequest', `couldn't get version/kind; json parse error: ${String(cause)}`);
  }
}

function count({ counts }: ApiParts, name: string): void {
  counts.set('all', (counts.get('all') ?? 0) + 1);
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function send(
  response: ServerResponse,
  { code, body, type = 'application/json' }: Answer,
  isCut: boolean,
): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(code, {
    'content-type': typeof body === 'string' ? 'text/plain; charset=utf-8' : type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-cache, private',
  });
  if (!isCut) response.end(text);
  else response.write(text.slice(0, text.length / 2), () => response.destroy());
}
