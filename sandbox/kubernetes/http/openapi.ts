import type { Schema } from '../schema/schema.js';
import type { JsonObject } from '../wire.js';
import { apiVersionOf, resources, type Resource } from '../world/resources.js';

/** The published description of the types and paths that are served, as kubectl asks for before it applies anything. */
export function openApi(path: string): JsonObject | undefined {
  const versions = [...new Set(resources.map((resource) => rootOf(resource)))];
  if (path === '/openapi/v3')
    return {
      paths: Object.fromEntries(
        versions.map((root) => [root, { serverRelativeURL: `/openapi/v3/${root}?hash=1` }]),
      ),
    };
  const root = versions.find((each) => path === `/openapi/v3/${each}`);
  if (root === undefined) return undefined;
  const own = resources.filter((resource) => rootOf(resource) === root);
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.35.2' },
    paths: Object.fromEntries(own.flatMap((resource) => pathsOf(root, resource))),
    components: {
      schemas: Object.fromEntries(own.map((resource) => [nameOf(resource), schemaOf(resource)])),
    },
  };
}

function rootOf({ group, version }: Resource): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`;
}

function nameOf({ group, version, kind }: Resource): string {
  return `io.k8s.api.${group === '' ? 'core' : group}.${version}.${kind}`;
}

function pathsOf(root: string, resource: Resource): [string, JsonObject][] {
  const base = `/${root}/${resource.isNamespaced ? 'namespaces/{namespace}/' : ''}${resource.plural}`;
  const kind = { group: resource.group, version: resource.version, kind: resource.kind };
  const query = (...names: string[]) =>
    names.map((name) => ({
      name,
      in: 'query',
      schema: { type: name === 'force' ? 'boolean' : 'string', uniqueItems: true },
    }));
  const operation = (action: string, parameters: JsonObject[]): JsonObject => ({
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': kind,
    parameters,
    responses: { 200: { description: 'OK' } },
  });
  const writes = ['dryRun', 'fieldManager', 'fieldValidation'];
  const may = (verb: string, method: string, value: JsonObject) =>
    resource.verbs.includes(verb) ? { [method]: value } : {};
  return [
    [
      base,
      {
        get: operation(
          'list',
          query('limit', 'continue', 'fieldSelector', 'labelSelector', 'resourceVersion', 'watch'),
        ),
        ...may('create', 'post', operation('post', query(...writes))),
      },
    ],
    [
      `${base}/{name}`,
      {
        get: operation('get', []),
        ...may('update', 'put', operation('put', query(...writes))),
        ...may('patch', 'patch', operation('patch', query(...writes, 'force'))),
        ...may('delete', 'delete', operation('delete', query('dryRun', 'propagationPolicy'))),
      },
    ],
  ];
}

function schemaOf(resource: Resource): JsonObject {
  return {
    ...describe(resource.schema),
    'x-kubernetes-group-version-kind': [
      { group: resource.group, version: resource.version, kind: resource.kind },
    ],
    description: `${resource.kind} of ${apiVersionOf(resource)}`,
  };
}

function describe(schema: Schema): JsonObject {
  switch (schema.type) {
    case 'string':
    case 'integer':
    case 'boolean':
      return { type: schema.type };
    case 'untyped':
      return { 'x-kubernetes-preserve-unknown-fields': true };
    case 'object':
      return {
        type: 'object',
        properties: Object.fromEntries(
          Object.entries(schema.fields).map(([name, of]) => [name, describe(of)]),
        ),
        ...(schema.isAtomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
      };
    case 'map':
      return {
        type: 'object',
        additionalProperties: describe(schema.of),
        ...(schema.isAtomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
      };
    case 'list':
      return { type: 'array', items: describe(schema.of), 'x-kubernetes-list-type': 'atomic' };
    case 'set':
      return {
        type: 'array',
        items: describe(schema.of),
        'x-kubernetes-list-type': 'set',
        'x-kubernetes-patch-strategy': 'merge',
      };
    case 'keyed':
      return {
        type: 'array',
        items: describe(schema.of),
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': [...schema.keys],
        'x-kubernetes-patch-merge-key': schema.mergeKey,
        'x-kubernetes-patch-strategy': 'merge',
      };
  }
}
