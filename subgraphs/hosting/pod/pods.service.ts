import { ApiError, notFound } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';

import type { KubeClient } from '../cluster/api/client.js';
import type { KubeClients } from '../cluster/api/clients.js';
import { KubeError } from '../cluster/api/kube-error.js';
import { pageOf } from '../cluster/api/page.js';
import { refusalOf } from '../deployment/conflict.js';
import { Deployment } from '../deployment/deployment.entity.js';
import { clusterFor } from '../deployment/managed.service.js';
import { deploymentsPath } from '../deployment/manifest.js';
import { readPod } from './kube-pod.js';
import { defaultLines, podLogRules, type Pod, type PodLog, type PodLogInput } from './pod.js';
import { selectorText } from './selector.js';

/** For all calls of one question together: well within what the gateway waits for. */
const withinMs = 10_000;
/** Of a pod some kilobytes are told. */
const pageSize = 100;
const mostPages = 10;
const mostShown = 200;
const mostLogBytes = 256 * 1024;

interface Asked {
  client: KubeClient;
  signal: AbortSignal;
  /** Where pods of its namespace are. */
  path: string;
  selector: string;
}

/** Pods of deployments, by the panel or by others. Nothing of them is kept: their cluster is asked each time. */
export class PodsService {
  constructor(private readonly clients: KubeClients) {}

  /** Those that are not well first. None of a deployment that is not there, or that another is in the place of. */
  async pods(operation: Operation, deploymentId: string): Promise<Pod[]> {
    return this.ask(operation, deploymentId, async (asked) => {
      const pods: Pod[] = [];
      let after: string | undefined;
      let limit = pageSize;
      for (let at = 0; at < mostPages; at += 1) {
        const { client, path, selector: labelSelector, signal } = asked;
        const page = await pageOf<unknown>(client, path, { after, limit, signal, query: { labelSelector } });
        pods.push(...page.items.flatMap((item) => readPod(item) ?? []));
        ({ next: after, limit } = page);
        if (after === undefined) break;
      }
      const order = ({ isReady, isEnding }: Pod) => (isEnding ? 2 : isReady ? 1 : 0);
      return pods.toSorted((a, b) => order(a) - order(b) || (a.name < b.name ? -1 : 1)).slice(0, mostShown);
    }).then((pods) => pods ?? []);
  }

  /** What a container of one of its pods has written last. NOT_FOUND of a pod that is none of them. */
  async log(operation: Operation, input: PodLogInput): Promise<PodLog> {
    const { deploymentId, pod, container, lines, previous } = validate(podLogRules, input);
    const log = await this.ask(operation, deploymentId, async ({ client, path, selector, signal }) => {
      const query = { labelSelector: selector, fieldSelector: `metadata.name=${pod}` };
      const { items } = await pageOf<unknown>(client, path, { after: undefined, limit: 1, signal, query });
      const found = items.length > 0 && readPod(items[0])?.name === pod;
      if (!found) return undefined;
      const written = await client.body(`${path}/${pod}/log`, {
        signal,
        query: {
          container: container ?? undefined,
          tailLines: lines ?? defaultLines,
          limitBytes: mostLogBytes,
          previous: previous === true ? true : undefined,
        },
      });
      return { text: readable(written), isCut: written.length >= mostLogBytes };
    });
    if (!log) throw notFound('Pod');
    return log;
  }

  /** Undefined where the deployment is not there any more. */
  private async ask<Answer>(
    operation: Operation,
    deploymentId: string,
    work: (asked: Asked) => Promise<Answer>,
  ): Promise<Answer | undefined> {
    const { em, tenantId } = operation;
    operation.refuseSuspended(tenantId);
    const deployment = await em.findOne(Deployment, { tenantId, id: deploymentId });
    if (!deployment) throw notFound('Deployment');
    if (deployment.deletedAt !== null) return undefined;
    const cluster = await clusterFor(operation, deployment.clusterId);
    const signal = AbortSignal.timeout(withinMs);
    const { namespace, name, uid } = deployment;
    try {
      const client = await this.clients.recognized(cluster, { signal });
      const there = await client
        .get<{ metadata?: { uid?: unknown }; spec?: { selector?: unknown } }>(
          `${deploymentsPath(namespace)}/${name}`,
          { signal },
        )
        .catch((error: unknown) => {
          if (error instanceof KubeError && error.kind === 'NOT_FOUND') return undefined;
          throw error;
        });
      const selector = selectorText(there?.spec?.selector);
      if (!there || selector === undefined || (uid !== null && there.metadata?.uid !== uid)) return undefined;
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
      return await work({ client, signal, path, selector });
    } catch (error) {
      throw error instanceof KubeError ? refused(error) : error;
    }
  }
}

/** What a cluster says of a log that there is none of is for whoever asked for it, and is about no field of a deployment. */
function refused(error: KubeError): ApiError {
  if (error.kind === 'NOT_FOUND') return notFound('Pod');
  if (error.kind !== 'INVALID') return refusalOf(error);
  return new ApiError('CONFLICT', `The cluster has no such log: ${error.message}`, {
    reason: 'NO_LOG',
    cause: error,
  });
}

/** Containers write what they like: what is no text, and what would move a terminal's cursor, is left out. */
function readable(written: Buffer): string {
  return new TextDecoder().decode(written).replaceAll(/[^\P{Cc}\t\n]/gu, '');
}
