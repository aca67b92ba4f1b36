import { StatusError, type Cause } from '../errors.js';
import { isSame, word, type JsonObject, type KubeObject } from '../wire.js';

const labelName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const domainName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

interface Container extends JsonObject {
  name?: string;
  image?: string;
  imagePullPolicy?: string;
  ports?: JsonObject[];
}

interface PodSpec extends JsonObject {
  containers?: Container[];
  initContainers?: Container[];
}

/** A deployment's parts, where they are. */
export function partsOf(object: KubeObject): {
  spec: JsonObject;
  template: JsonObject;
  podSpec: PodSpec;
  labels: Record<string, string>;
} {
  const spec = (object.spec ??= {});
  const template = (spec['template'] ??= {}) as JsonObject;
  const podSpec = (template['spec'] ??= {}) as PodSpec;
  const labels = ((template['metadata'] as JsonObject | undefined)?.['labels'] ?? {}) as Record<
    string,
    string
  >;
  return { spec, template, podSpec, labels };
}

/** What the API server fills in of a deployment that says nothing of it. */
export function fillIn(object: KubeObject): void {
  const { spec, podSpec } = partsOf(object);
  spec['replicas'] ??= 1;
  spec['revisionHistoryLimit'] ??= 10;
  spec['progressDeadlineSeconds'] ??= 600;
  const strategy = (spec['strategy'] ??= {}) as JsonObject;
  strategy['type'] ??= 'RollingUpdate';
  if (strategy['type'] === 'RollingUpdate') {
    const rolling = (strategy['rollingUpdate'] ??= {}) as JsonObject;
    rolling['maxSurge'] ??= '25%';
    rolling['maxUnavailable'] ??= '25%';
  }
  podSpec['restartPolicy'] ??= 'Always';
  podSpec['terminationGracePeriodSeconds'] ??= 30;
  podSpec['dnsPolicy'] ??= 'ClusterFirst';
  podSpec['securityContext'] ??= {};
  podSpec['schedulerName'] ??= 'default-scheduler';
  for (const container of [...(podSpec.containers ?? []), ...(podSpec.initContainers ?? [])]) {
    const image = container.image ?? '';
    const tag = image.slice(image.lastIndexOf('/') + 1).split(':')[1];
    container.imagePullPolicy ??= tag === undefined || tag === 'latest' ? 'Always' : 'IfNotPresent';
    container['terminationMessagePath'] ??= '/dev/termination-log';
    container['terminationMessagePolicy'] ??= 'File';
    container['resources'] ??= {};
    for (const port of container.ports ?? []) port['protocol'] ??= 'TCP';
  }
}

/** Throws Invalid with a cause for each rule that is broken. */
export function check(object: KubeObject, before: KubeObject | undefined): void {
  const { spec, podSpec, labels } = partsOf(object);
  const causes: Cause[] = [];
  const fault = (field: string, reason: string, message: string) => causes.push({ reason, message, field });
  const { name } = object.metadata;
  if (!domainName.test(name) || name.length > 253)
    fault(
      'metadata.name',
      'FieldValueInvalid',
      `Invalid value: "${name}": a lowercase RFC 1123 subdomain must be given`,
    );
  const selector = (spec['selector'] as JsonObject | undefined)?.['matchLabels'] as
    | Record<string, string>
    | undefined;
  if (!selector || Object.keys(selector).length === 0)
    fault('spec.selector', 'FieldValueRequired', 'Required value');
  else if (Object.entries(selector).some(([key, value]) => labels[key] !== value))
    fault(
      'spec.template.metadata.labels',
      'FieldValueInvalid',
      `Invalid value: ${JSON.stringify(labels)}: \`selector\` does not match template \`labels\``,
    );
  if (before && !isSame(before.spec?.['selector'], spec['selector']))
    fault('spec.selector', 'FieldValueInvalid', 'Invalid value: field is immutable');
  if (Number(spec['replicas']) < 0)
    fault(
      'spec.replicas',
      'FieldValueInvalid',
      `Invalid value: ${word(spec['replicas'])}: must be greater than or equal to 0`,
    );
  const containers = podSpec.containers ?? [];
  if (containers.length === 0) fault('spec.template.spec.containers', 'FieldValueRequired', 'Required value');
  for (const [at, container] of containers.entries()) {
    const place = `spec.template.spec.containers[${at}]`;
    if (!container.image) fault(`${place}.image`, 'FieldValueRequired', 'Required value');
    if (!labelName.test(container.name ?? '') || container.name!.length > 63)
      fault(
        `${place}.name`,
        'FieldValueInvalid',
        `Invalid value: "${container.name}": a lowercase RFC 1123 label must be given`,
      );
    for (const [index, port] of (container.ports ?? []).entries())
      if (!(Number(port['containerPort']) >= 1 && Number(port['containerPort']) <= 65_535))
        fault(
          `${place}.ports[${index}].containerPort`,
          'FieldValueInvalid',
          `Invalid value: ${word(port['containerPort'])}: must be between 1 and 65535, inclusive`,
        );
  }
  if (causes.length === 0) return;
  const told = causes.map(({ field, message }) => `${field}: ${message}`);
  const text = told.length === 1 ? told[0] : `[${told.join(', ')}]`;
  throw new StatusError('Invalid', `Deployment.apps "${name}" is invalid: ${text}`, {
    name,
    group: 'apps',
    kind: 'Deployment',
    causes,
  });
}
