import { readdirSync, readFileSync } from 'node:fs';

import { dumpYaml, loadYaml, type KubernetesObject } from '@kubernetes/client-node';
import * as apps from 'kubernetes-models/apps/v1';
import * as autoscaling from 'kubernetes-models/autoscaling/v2';
import * as batch from 'kubernetes-models/batch/v1';
import * as networking from 'kubernetes-models/networking.k8s.io/v1';
import * as policy from 'kubernetes-models/policy/v1';
import * as core from 'kubernetes-models/v1';
import { expect, test } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';

import { assetPath } from '#platform/package-root.js';

import { exampleSettings } from '../support/settings.js';

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
  spec: never;
  data?: Record<string, string>;
}

const folder = assetPath('deploy', 'kubernetes');
const read = (file: string) =>
  parseAllDocuments(readFileSync(`${folder}/${file}`, 'utf8')).map((document) => document.toJS() as Manifest);
const kustomization = read('kustomization.yaml')[0] as unknown as { resources: string[] };
const manifests = kustomization.resources.flatMap(read);
const of = <Spec>(kind: string) => manifests.find((manifest) => manifest.kind === kind) as unknown as Spec;

interface Model {
  validate(): void;
}
const groups: Record<string, Record<string, unknown>> = {
  v1: core,
  'apps/v1': apps,
  'autoscaling/v2': autoscaling,
  'batch/v1': batch,
  'networking.k8s.io/v1': networking,
  'policy/v1': policy,
};

/**
 * Fields that Kubernetes has not, as paths. The schema lets those through; the client's models keep none of them.
 */
function unknownFields(given: unknown, kept: unknown, path: string): string[] {
  if (typeof given !== 'object' || given === null) return [];
  return Object.entries(given).flatMap(([name, value]) => {
    const known = (kept as Record<string, unknown> | undefined)?.[name];
    return known === undefined ? [`${path}/${name}`] : unknownFields(value, known, `${path}/${name}`);
  });
}

/** What Kubernetes' own schema says against it; undefined when nothing. */
function faultOf(manifest: Manifest): string | undefined {
  const Kind = groups[manifest.apiVersion]?.[manifest.kind] as (new (data: unknown) => Model) | undefined;
  if (!Kind) return `there is no ${manifest.kind} in ${manifest.apiVersion}`;
  try {
    new Kind(manifest).validate();
    const kept: unknown = parse(dumpYaml(loadYaml<KubernetesObject>(stringify(manifest))));
    const [unknown] = unknownFields(manifest, kept, 'data');
    return unknown && `${unknown} is no field`;
  } catch (error) {
    return (error as Error).message;
  }
}

test('each manifest is in the kustomization, and what the schema of Kubernetes allows', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml');
  expect(kustomization.resources.toSorted()).toEqual(files.toSorted());
  expect(manifests.map((manifest) => [manifest.kind, faultOf(manifest)])).toEqual(
    manifests.map(({ kind }) => [kind, undefined]),
  );
});

test('each manifest is the same for readers of YAML 1.1, as kubectl, and of 1.2, as the client', () => {
  const files = kustomization.resources.map((file) => readFileSync(`${folder}/${file}`, 'utf8'));
  const as = (version: '1.1' | '1.2') =>
    files.map((text) => parseAllDocuments(text, { version }).map((document) => document.toJS() as unknown));
  expect(as('1.1')).toEqual(as('1.2'));
});

test('a fault in a manifest is found', () => {
  const faulty = structuredClone(of<Manifest>('Deployment'));
  Object.assign(faulty.spec, { replicas: 'three' });
  expect(faultOf(faulty)).toContain('replicas must be integer');
  const misspelled = structuredClone(of<Manifest>('Deployment')) as unknown as Workload;
  Object.assign(misspelled.spec.template.spec.containers[0], { readinesProbe: {} });
  expect(faultOf(misspelled as unknown as Manifest)).toBe(
    'data/spec/template/spec/containers/0/readinesProbe is no field',
  );
});

interface Pod {
  metadata: { labels: Record<string, string> };
  spec: {
    terminationGracePeriodSeconds?: number;
    securityContext: object;
    containers: [Container];
    volumes: { name: string }[];
  };
}
interface Container {
  ports: { name: string }[];
  env: { name: string; value?: string }[];
  readinessProbe: {
    httpGet: { path: string; port: string };
    periodSeconds: number;
    failureThreshold: number;
  };
  livenessProbe: { httpGet: { path: string; port: string } };
  securityContext: object;
  volumeMounts: { name: string }[];
}
interface Workload {
  spec: { replicas?: number; selector: { matchLabels: Record<string, string> }; template: Pod };
}

const deployment = of<Workload>('Deployment');
const config = of<Required<Manifest>>('ConfigMap').data;
const [panel] = deployment.spec.template.spec.containers;

test('pods are the ones that the service, the budget, the autoscaler and the network policy mean', () => {
  const { labels } = deployment.spec.template.metadata;
  expect(deployment.spec.selector.matchLabels).toEqual(labels);
  expect(of<{ spec: { selector: object } }>('Service').spec.selector).toEqual(labels);
  expect(of<Workload>('PodDisruptionBudget').spec.selector.matchLabels).toEqual(labels);
  const autoscaler = of<{ spec: { scaleTargetRef: object; minReplicas: number } }>('HorizontalPodAutoscaler');
  expect(autoscaler.spec.scaleTargetRef).toMatchObject({ kind: 'Deployment', name: 'quazzar-panel' });
  expect(of<{ spec: { minAvailable: number } }>('PodDisruptionBudget').spec.minAvailable).toBeLessThan(
    autoscaler.spec.minReplicas,
  );
  // Of the Deployment it would hold at each apply, whatever the autoscaler has made of it.
  expect(deployment.spec.replicas).toBeUndefined();
  const names = panel.ports.map(({ name }) => name);
  const ports = of<{ spec: { ports: { targetPort: string }[] } }>('Service').spec.ports;
  expect(ports.map(({ targetPort }) => targetPort)).toEqual(names);
  expect(names).toContain(panel.readinessProbe.httpGet.port);
});

test('a pod that stops is asked no more before it closes anything, and has the time that it needs', () => {
  const { httpGet, periodSeconds, failureThreshold } = panel.readinessProbe;
  const drain = Number(config['DRAIN_SECONDS']);
  expect(httpGet.path).toBe('/readyz');
  expect(panel.livenessProbe.httpGet.path).toBe('/healthz');
  expect(drain).toBeGreaterThan(periodSeconds * failureThreshold);
  expect(deployment.spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(drain + 15);
});

test('each pod runs without privileges, on a root that it cannot write to, with its volumes named', () => {
  for (const { spec } of [deployment.spec.template, of<Workload>('Job').spec.template]) {
    const [container] = spec.containers;
    expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(container.volumeMounts.map(({ name }) => name).toSorted()).toEqual(
      spec.volumes.map(({ name }) => name).toSorted(),
    );
  }
});

test('panels are told settings that they know', () => {
  const known = new Set(exampleSettings());
  // What Kubernetes itself puts into the values of others.
  const parts = panel.env.flatMap(({ value }) =>
    [...(value ?? '').matchAll(/\$\((\w+)\)/g)].map(([, name]) => name),
  );
  const names = panel.env.map(({ name }) => name).filter((name) => !parts.includes(name));
  const told = [...Object.keys(config), ...names];
  expect(told.map((name) => name.replace(/_FILE$/, '')).filter((name) => !known.has(name))).toEqual([]);
});
