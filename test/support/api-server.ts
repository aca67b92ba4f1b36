import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { delimiter } from 'node:path';

import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';

import type { Clock } from '#platform/clock.js';
import { silentLogger } from '#platform/logger.js';
import { startKubernetesSandbox, type KubernetesSandbox } from '#sandbox/kubernetes/start.js';

import { TestClock } from './clock.js';

/** The first file that KUBECONFIG names, if it is set: then suites run against the cluster of its current context. */
const path = process.env['KUBECONFIG']?.split(delimiter)[0];
export const isRealCluster = path !== undefined && path !== '';

/**
 * An API server to run a suite on: the cluster of KUBECONFIG, or a stand-in. Whatever the suite makes is in a namespace of
 * its own, which is deleted at the end.
 */
export interface ApiServer {
  kubeconfig: string;
  config: KubeConfig;
  namespace: string;
  /** Undefined where it is a real cluster. */
  sandbox: KubernetesSandbox | undefined;
  stop(): Promise<void>;
}

/** `clock` and `stepMs` are the stand-in's. */
export async function startApiServer(clock: Clock = new TestClock(), stepMs?: number): Promise<ApiServer> {
  const sandbox = isRealCluster
    ? undefined
    : await startKubernetesSandbox({
        port: 0,
        clock,
        logger: silentLogger,
        bookmarkMs: 10_000,
        ...(stepMs === undefined ? {} : { stepMs }),
      });
  const kubeconfig = sandbox?.kubeconfig({ by: 'token' }) ?? readFileSync(path!, 'utf8');
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const namespace = `quazzar-test-${randomUUID().slice(0, 8)}`;
  await core.createNamespace({ body: { metadata: { name: namespace } } });
  return {
    kubeconfig,
    config,
    namespace,
    sandbox,
    stop: async () => {
      await core.deleteNamespace({ name: namespace });
      await sandbox?.stop();
    },
  };
}
