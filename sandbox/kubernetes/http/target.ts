import { resources, reviews, type Resource } from '../world/resources.js';

/** What a path is about. */
export interface Target {
  resource: Resource;
  namespace: string | undefined;
  name: string | undefined;
  subresource: string | undefined;
}

export type Place = { kind: 'resource'; target: Target } | { kind: 'review' } | { kind: 'none' };

export function placeOf(path: string): Place {
  const [, root, ...parts] = path.split('/').map(decodeURIComponent);
  const group = root === 'api' ? '' : parts.shift();
  const version = parts.shift();
  if (root !== 'api' && root !== 'apis') return { kind: 'none' };
  if (group === reviews.group && parts.length === 1 && parts[0] === reviews.plural) return { kind: 'review' };
  // `namespaces/x` is the namespace itself, unless something in it is named.
  const namespace = parts[0] === 'namespaces' && parts.length > 2 ? parts[1] : undefined;
  const rest = namespace === undefined ? parts : parts.slice(2);
  const [plural, name, subresource, ...more] = rest;
  const resource = resources.find(
    (each) => each.group === group && each.version === version && each.plural === plural,
  );
  const isThere =
    resource !== undefined &&
    more.length === 0 &&
    (subresource === undefined || resource.subresources.some((sub) => sub.name === subresource)) &&
    resource.isNamespaced === (namespace !== undefined || (name === undefined && resource.isNamespaced));
  return isThere
    ? { kind: 'resource', target: { resource, namespace, name, subresource } }
    : { kind: 'none' };
}

/** The API's word for what a request does. */
export function verbOf(method: string, { name }: Target, query: URLSearchParams): string {
  const isWatch = query.get('watch') === '1' || query.get('watch') === 'true';
  switch (method) {
    case 'GET':
      return isWatch ? 'watch' : name === undefined ? 'list' : 'get';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'DELETE':
      return name === undefined ? 'deletecollection' : 'delete';
    default:
      return method.toLowerCase();
  }
}
