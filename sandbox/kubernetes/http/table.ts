import { word, type Json, type JsonObject, type KubeObject } from '../wire.js';

interface Column {
  name: string;
  type: 'string' | 'integer';
  description: string;
  /** 0 is shown always, 1 in wide output. */
  priority: 0 | 1;
  value: (object: KubeObject, now: number) => Json;
}

const name: Column = {
  name: 'Name',
  type: 'string',
  description: 'Name must be unique within a namespace.',
  priority: 0,
  value: ({ metadata }) => metadata.name,
};
const age: Column = {
  name: 'Age',
  type: 'string',
  description: 'CreationTimestamp is a timestamp representing the server time when this object was created.',
  priority: 0,
  value: ({ metadata }, now) => ageOf(now - Date.parse(metadata.creationTimestamp)),
};

const column = (
  title: string,
  value: (object: KubeObject) => Json,
  { type = 'string', priority = 0 }: Partial<Pick<Column, 'type' | 'priority'>> = {},
): Column => ({ name: title, type, description: title, priority, value });

const status = (field: string) => (object: KubeObject) => object.status?.[field] ?? 0;

const columns: Readonly<Record<string, readonly Column[]>> = {
  deployments: [
    name,
    column(
      'Ready',
      (object) => `${word(status('readyReplicas')(object))}/${word(object.spec?.['replicas'] ?? 0)}`,
    ),
    column('Up-to-date', status('updatedReplicas'), { type: 'integer' }),
    column('Available', status('availableReplicas'), { type: 'integer' }),
    age,
    column(
      'Containers',
      (object) =>
        containersOf(object)
          .map((each) => word(each['name']))
          .join(','),
      { priority: 1 },
    ),
    column(
      'Images',
      (object) =>
        containersOf(object)
          .map((each) => word(each['image']))
          .join(','),
      { priority: 1 },
    ),
    column('Selector', selectorOf, { priority: 1 }),
  ],
  nodes: [
    name,
    column('Status', (object) => (isReady(object) ? 'Ready' : 'NotReady')),
    column('Roles', rolesOf),
    age,
    column(
      'Version',
      (object) => ((object.status?.['nodeInfo'] ?? {}) as JsonObject)['kubeletVersion'] ?? '',
    ),
  ],
  namespaces: [name, column('Status', (object) => object.status?.['phase'] ?? 'Active'), age],
};

/** Objects as kubectl prints them. */
export function table(
  resource: string,
  objects: readonly KubeObject[],
  { now, include, metadata }: { now: number; include: string | null; metadata: JsonObject },
): JsonObject {
  const shown = columns[resource] ?? [name, age];
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: shown.map(({ name: title, type, description, priority }) => ({
      name: title,
      type,
      format: title === 'Name' ? 'name' : '',
      description,
      priority,
    })),
    rows: objects.map((object) => ({
      cells: shown.map(({ value }) => value(object, now)),
      ...(include === 'None' ? {} : { object: rowObject(object, include) }),
    })),
  };
}

function rowObject(object: KubeObject, include: string | null): JsonObject {
  if (include === 'Object') return object as unknown as JsonObject;
  return {
    kind: 'PartialObjectMetadata',
    apiVersion: 'meta.k8s.io/v1',
    metadata: object.metadata as unknown as JsonObject,
  };
}

function containersOf(object: KubeObject): JsonObject[] {
  const template = (object.spec?.['template'] ?? {}) as JsonObject;
  return (((template['spec'] ?? {}) as JsonObject)['containers'] ?? []) as JsonObject[];
}

function selectorOf(object: KubeObject): string {
  const labels = ((object.spec?.['selector'] ?? {}) as JsonObject)['matchLabels'] ?? {};
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(',');
}

function isReady(object: KubeObject): boolean {
  const conditions = (object.status?.['conditions'] ?? []) as JsonObject[];
  return conditions.some((each) => each['type'] === 'Ready' && each['status'] === 'True');
}

function rolesOf({ metadata }: KubeObject): string {
  const prefix = 'node-role.kubernetes.io/';
  const roles = Object.keys(metadata.labels ?? {}).filter((key) => key.startsWith(prefix));
  return roles.map((key) => key.slice(prefix.length)).join(',') || '<none>';
}

function ageOf(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
