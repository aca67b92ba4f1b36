import { apply } from '../apply/apply.js';
import type { Manager } from '../apply/managers.js';
import { jsonPatch, mergePatch, strategicPatch } from '../apply/patches.js';
import { StatusError } from '../errors.js';
import { unknownFields, wrongType } from '../schema/check.js';
import { copyOf, isObject, word, type Json, type JsonObject, type KubeObject } from '../wire.js';
import { apiVersionOf, qualified } from '../world/resources.js';
import type { World } from '../world/world.js';
import type { Target } from './target.js';

export interface WriteRequest {
  world: World;
  target: Target;
  query: URLSearchParams;
  contentType: string;
  body: Json;
  /** The first word of the client's name, which is its manager unless it names one. */
  agent: string;
  /** Where what is not worth an error is told. */
  warn: (text: string) => void;
  /** Throws unless whoever asks may do this with the target as well. */
  permit: (verb: string) => void;
}

export interface Written {
  code: number;
  object: KubeObject;
}

export function create(request: WriteRequest): Written {
  const { world, target, query } = request;
  const object = objectOf(request, request.body);
  const { name } = object.metadata;
  if (!name) throw new StatusError('Invalid', 'resource name may not be empty');
  if (world.store.get(target.resource.plural, target.namespace, name))
    throw new StatusError('AlreadyExists', `${qualified(target.resource)} "${name}" already exists`, {
      name,
      group: target.resource.group,
      kind: target.resource.plural,
    });
  const change = { resource: target.resource, before: undefined, after: object, isDryRun: isDry(query) };
  return { code: 201, object: world.update(change, managerOf(request, 'Update')) };
}

export function replace(request: WriteRequest): Written {
  const { world, target, query } = request;
  const before = existing(request);
  if (target.subresource === 'scale') return scaled(request, before, request.body);
  const object = objectOf(request, request.body);
  guard(before, object.metadata.resourceVersion, target);
  const change = { resource: target.resource, before, after: object, isDryRun: isDry(query) };
  return { code: 200, object: world.update(change, managerOf(request, 'Update')) };
}

export function patch(request: WriteRequest): Written {
  const { world, target, query, contentType, body } = request;
  const { resource, namespace, name } = target;
  if (contentType === 'application/apply-patch+yaml') return applied(request);
  const before = existing(request);
  const base = copyOf(target.subresource === 'scale' ? scaleOf(before) : before) as unknown as Json;
  const patched = ((): Json => {
    switch (contentType) {
      case 'application/merge-patch+json':
        return mergePatch(base, body);
      case 'application/strategic-merge-patch+json':
        return strategicPatch(base, body, resource.schema);
      case 'application/json-patch+json':
        return jsonPatch(base, body);
      default:
        throw new StatusError(
          'UnsupportedMediaType',
          `the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml`,
        );
    }
  })();
  if (target.subresource === 'scale') return scaled(request, before, patched);
  const object = objectOf(
    { ...request, target: { resource, namespace, name, subresource: undefined } },
    patched,
  );
  guard(before, object.metadata.resourceVersion, target);
  const change = { resource, before, after: object, isDryRun: isDry(query) };
  return { code: 200, object: world.update(change, managerOf(request, 'Update')) };
}

function applied(request: WriteRequest): Written {
  const { world, target, query } = request;
  const { resource, namespace, name = '' } = target;
  if (!query.get('fieldManager'))
    throw new StatusError(
      'Invalid',
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    );
  const object = objectOf(request, request.body);
  if (
    isObject(request.body) &&
    isObject(request.body['metadata']) &&
    request.body['metadata']['managedFields'] !== undefined
  )
    throw new StatusError('BadRequest', 'metadata.managedFields must be nil');
  const live = world.store.get(resource.plural, namespace, name);
  // An apply that makes something is a creation as well.
  if (!live) request.permit('create');
  const version = object.metadata.resourceVersion;
  if (version && !live) throw world.notFound(resource, name);
  if (live) guard(live, version, target);
  sameUid(object, live, target);
  const after = apply({
    live,
    applied: object as unknown as JsonObject,
    schema: resource.schema,
    manager: managerOf(request, 'Apply'),
    isForced: query.get('force') === 'true',
    time: world.time(),
  });
  after.metadata.name = name;
  if (namespace !== undefined) after.metadata.namespace = namespace;
  const kept = world.write({ resource, before: live, after, isDryRun: isDry(query) });
  return { code: live ? 200 : 201, object: kept };
}

/** Applied with the uid of another, or of one that is no more, it is refused; the uid is nobody's to own. */
function sameUid(object: KubeObject, live: KubeObject | undefined, { resource, name = '' }: Target): void {
  const { uid } = object.metadata;
  if (uid && uid !== live?.metadata.uid)
    throw new StatusError(
      'Conflict',
      `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${
        live
          ? `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${live.metadata.uid}`
          : `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`
      }`,
      { name, group: resource.group, kind: resource.plural },
    );
  delete (object.metadata as { uid?: string }).uid;
}

function scaled(request: WriteRequest, before: KubeObject, body: Json): Written {
  const spec = isObject(body) && isObject(body['spec']) ? body['spec'] : {};
  const replicas = spec['replicas'] ?? 0;
  const after = copyOf({ ...before, spec: { ...before.spec, replicas } });
  const manager = { ...managerOf(request, 'Update'), subresource: 'scale' };
  const change = { resource: request.target.resource, before, after, isDryRun: isDry(request.query) };
  return { code: 200, object: scaleOf(request.world.update(change, manager)) };
}

export function scaleOf({ metadata, spec, status }: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  const labels = ((spec?.['selector'] ?? {}) as JsonObject)['matchLabels'] ?? {};
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid,
      resourceVersion,
      creationTimestamp,
    },
    spec: { replicas: spec?.['replicas'] ?? 0 },
    status: {
      replicas: status?.['replicas'] ?? 0,
      selector: Object.entries(labels)
        .map(([key, value]) => `${key}=${String(value)}`)
        .join(','),
    },
  };
}

/** The sent object, whose type and place are those of the path. */
function objectOf({ target, query, warn }: WriteRequest, body: Json): KubeObject {
  const { resource, namespace, name } = target;
  if (!isObject(body)) throw new StatusError('BadRequest', 'the object provided is unrecognized');
  const version = apiVersionOf(resource);
  if ((body['apiVersion'] ?? version) !== version || (body['kind'] ?? resource.kind) !== resource.kind)
    throw new StatusError(
      'BadRequest',
      `the API version in the data (${word(body['apiVersion'])}) does not match the expected API version (${version})`,
    );
  const wrong = wrongType(body, resource.schema);
  if (wrong !== undefined)
    throw new StatusError(
      'BadRequest',
      `${resource.kind} in version "${resource.version}" cannot be handled as a ${resource.kind}: ${wrong}`,
    );
  const unknown = unknownFields(body, resource.schema);
  const told = unknown.map((field) => `unknown field "${field}"`).join(', ');
  const validation = query.get('fieldValidation') ?? 'Warn';
  if (unknown.length > 0 && validation === 'Strict')
    throw new StatusError(
      'BadRequest',
      `${resource.kind} in version "${resource.version}" cannot be handled as a ${resource.kind}: strict decoding error: ${told}`,
    );
  if (unknown.length > 0 && validation === 'Warn') warn(told);
  const object = without(copyOf(body), unknown) as unknown as KubeObject;
  object.apiVersion = version;
  object.kind = resource.kind;
  object.metadata = { ...object.metadata };
  if (name !== undefined && (object.metadata.name ?? name) !== name)
    throw new StatusError(
      'BadRequest',
      `the name of the object (${object.metadata.name}) does not match the name on the URL (${name})`,
    );
  if (name !== undefined) object.metadata.name = name;
  if (namespace !== undefined && (object.metadata.namespace ?? namespace) !== namespace)
    throw new StatusError(
      'BadRequest',
      `the namespace of the provided object does not match the namespace sent on the request`,
    );
  if (namespace !== undefined) object.metadata.namespace = namespace;
  return object;
}

/** The API drops what it does not know. */
function without(object: JsonObject, fields: readonly string[]): JsonObject {
  for (const field of fields) {
    const names = field.replaceAll(/\[(\d+)\]/g, '.$1').split('.');
    const last = names.pop()!;
    let at: Json | undefined = object;
    for (const name of names) at = Array.isArray(at) ? at[Number(name)] : isObject(at) ? at[name] : undefined;
    if (isObject(at)) delete at[last];
  }
  return object;
}

function existing({ world, target }: WriteRequest): KubeObject {
  const { resource, namespace, name = '' } = target;
  const found = world.store.get(resource.plural, namespace, name);
  if (!found) throw world.notFound(resource, name);
  return found;
}

function guard(before: KubeObject, version: string | undefined, { resource, name = '' }: Target): void {
  if (!version || version === before.metadata.resourceVersion) return;
  throw new StatusError(
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(resource)} "${name}": the object has been modified; please apply your changes to the latest version and try again`,
    { name, group: resource.group, kind: resource.plural },
  );
}

function managerOf({ query, agent, target }: WriteRequest, operation: Manager['operation']): Manager {
  const manager = query.get('fieldManager') || agent;
  return { manager, operation, apiVersion: apiVersionOf(target.resource) };
}

export const isDry = (query: URLSearchParams): boolean => query.getAll('dryRun').includes('All');
