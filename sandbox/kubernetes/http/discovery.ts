import type { Json, JsonObject } from '../wire.js';
import { apiVersionOf, resources, reviews } from '../world/resources.js';

const groups = [
  { name: 'apps', version: 'v1' },
  { name: reviews.group, version: reviews.version },
];

/** What kubectl asks first: which groups, versions and resources there are. Undefined where the path is none of these. */
export function discovery(path: string, accept: string): JsonObject | undefined {
  const isAggregated = accept.includes('as=APIGroupDiscoveryList');
  if (path === '/api')
    return isAggregated
      ? aggregated('')
      : { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
  if (path === '/apis')
    return isAggregated
      ? aggregated('apps', reviews.group)
      : { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(groupOf) };
  if (path === '/api/v1') return listOf('', 'v1');
  for (const { name, version } of groups) {
    if (path === `/apis/${name}`)
      return { kind: 'APIGroup', apiVersion: 'v1', ...groupOf({ name, version }) };
    if (path === `/apis/${name}/${version}`) return listOf(name, version);
  }
  return undefined;
}

/** What of the aggregated form a client has to be told in the answer's content type. */
export const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

function groupOf({ name, version }: { name: string; version: string }): JsonObject {
  const of = { groupVersion: `${name}/${version}`, version };
  return { name, versions: [of], preferredVersion: of };
}

function listOf(group: string, version: string): JsonObject {
  const own = resources.filter((resource) => resource.group === group);
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf({ group, version }),
    resources: [
      ...own.flatMap((resource): JsonObject[] => [
        {
          name: resource.plural,
          singularName: resource.singular,
          namespaced: resource.isNamespaced,
          kind: resource.kind,
          verbs: [...resource.verbs],
          ...(resource.shortNames.length === 0 ? {} : { shortNames: [...resource.shortNames] }),
          ...(resource.categories.length === 0 ? {} : { categories: [...resource.categories] }),
        },
        ...resource.subresources.map((sub) => ({
          name: `${resource.plural}/${sub.name}`,
          singularName: '',
          namespaced: resource.isNamespaced,
          kind: sub.kind,
          group: sub.group,
          version: sub.version,
          verbs: [...sub.verbs],
        })),
      ]),
      ...(group === reviews.group
        ? [
            {
              name: reviews.plural,
              singularName: reviews.singular,
              namespaced: false,
              kind: reviews.kind,
              verbs: ['create'],
            },
          ]
        : []),
    ],
  };
}

function aggregated(...names: string[]): JsonObject {
  const items: Json[] = names.map((group) => ({
    metadata: { ...(group === '' ? {} : { name: group }), creationTimestamp: null },
    versions: [{ version: 'v1', resources: discovered(group), freshness: 'Current' }],
  }));
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
}

function discovered(group: string): Json[] {
  if (group === reviews.group)
    return [
      {
        resource: reviews.plural,
        responseKind: { group, version: reviews.version, kind: reviews.kind },
        scope: 'Cluster',
        singularResource: reviews.singular,
        verbs: ['create'],
      },
    ];
  return resources
    .filter((resource) => resource.group === group)
    .map((resource): JsonObject => ({
      resource: resource.plural,
      responseKind: { group, version: resource.version, kind: resource.kind },
      scope: resource.isNamespaced ? 'Namespaced' : 'Cluster',
      singularResource: resource.singular,
      verbs: [...resource.verbs],
      shortNames: [...resource.shortNames],
      categories: [...resource.categories],
      ...(resource.subresources.length === 0
        ? {}
        : {
            subresources: resource.subresources.map((sub) => ({
              subresource: sub.name,
              responseKind: { group: sub.group, version: sub.version, kind: sub.kind },
              verbs: [...sub.verbs],
            })),
          }),
    }));
}
