import { deployment, plain } from '../schema/deployment.js';
import type { Schema } from '../schema/schema.js';

export interface Resource {
  group: string;
  version: string;
  kind: string;
  plural: string;
  singular: string;
  shortNames: readonly string[];
  categories: readonly string[];
  isNamespaced: boolean;
  verbs: readonly string[];
  subresources: readonly {
    name: string;
    kind: string;
    group: string;
    version: string;
    verbs: readonly string[];
  }[];
  schema: Schema;
}

const reading = ['get', 'list', 'watch'];
const writing = ['create', 'delete', 'patch', 'update'];

export const resources: readonly Resource[] = [
  {
    group: '',
    version: 'v1',
    kind: 'Namespace',
    plural: 'namespaces',
    singular: 'namespace',
    shortNames: ['ns'],
    categories: [],
    isNamespaced: false,
    verbs: [...writing, ...reading].toSorted(),
    subresources: [],
    schema: plain,
  },
  {
    group: '',
    version: 'v1',
    kind: 'Node',
    plural: 'nodes',
    singular: 'node',
    shortNames: ['no'],
    categories: [],
    isNamespaced: false,
    verbs: reading,
    subresources: [],
    schema: plain,
  },
  {
    group: '',
    version: 'v1',
    kind: 'Pod',
    plural: 'pods',
    singular: 'pod',
    shortNames: ['po'],
    categories: ['all'],
    isNamespaced: true,
    verbs: ['get', 'list'],
    subresources: [{ name: 'log', kind: 'Pod', group: '', version: 'v1', verbs: ['get'] }],
    schema: plain,
  },
  {
    group: 'apps',
    version: 'v1',
    kind: 'Deployment',
    plural: 'deployments',
    singular: 'deployment',
    shortNames: ['deploy'],
    categories: ['all'],
    isNamespaced: true,
    verbs: [...writing, ...reading].toSorted(),
    subresources: [
      {
        name: 'scale',
        kind: 'Scale',
        group: 'autoscaling',
        version: 'v1',
        verbs: ['get', 'patch', 'update'],
      },
      { name: 'status', kind: 'Deployment', group: 'apps', version: 'v1', verbs: ['get'] },
    ],
    schema: deployment,
  },
];

/** Of another group, which takes reviews only. */
export const reviews = {
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
  singular: 'selfsubjectaccessreview',
} as const;

export const apiVersionOf = ({ group, version }: { group: string; version: string }): string =>
  group === '' ? version : `${group}/${version}`;

/** As errors name it: `deployments.apps`. */
export const qualified = ({ plural, group }: Pick<Resource, 'plural' | 'group'>): string =>
  group === '' ? plural : `${plural}.${group}`;
