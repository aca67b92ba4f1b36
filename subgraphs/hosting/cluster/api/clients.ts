import { createPrivateKey } from 'node:crypto';

import { LRUCache } from 'lru-cache';
import type { Agent } from 'undici';

import { createGuardedDispatcher } from '#platform/outbound/dispatcher.js';
import type { TargetGuard } from '#platform/outbound/guard.js';
import type { Keyring } from '#platform/secrets/keyring.js';

import type { Cluster } from '../cluster.entity.js';
import { costlyKey, isCheap } from '../kubeconfig/client-key.js';
import type { Credential } from '../kubeconfig/credential.js';
import { KubeClient, type Call } from './client.js';
import { KubeError } from './kube-error.js';
import { requireSame } from './look.js';

interface Opened {
  client: KubeClient;
  dispatcher: Agent;
}

/** A client whose connections are nobody else's. */
export interface OwnClient {
  client: KubeClient;
  close: () => Promise<void>;
}

type Credentialed = Pick<Cluster, 'tenantId' | 'id' | 'sealedCredential'>;

const connectTimeoutMs = 5_000;
const mostKept = 500;

/** Clients of clusters, by the credential that is in force. */
export class KubeClients {
  /** For calls that are over soon; what is under way when one is let go of comes to its end. */
  private readonly kept: LRUCache<string, Opened>;

  constructor(
    readonly guard: TargetGuard,
    private readonly keyring: Keyring,
    options: { mostKept?: number } = {},
  ) {
    this.kept = new LRUCache({
      max: options.mostKept ?? mostKept,
      dispose: ({ dispatcher }) => void dispatcher.close().catch(() => undefined),
    });
  }

  /** For calls now: not to be kept by whoever asks for it. */
  of(cluster: Credentialed): KubeClient {
    const key = `${cluster.tenantId} ${cluster.id} ${cluster.sealedCredential}`;
    let known = this.kept.get(key);
    if (!known) {
      known = this.open(this.unsealed(cluster));
      this.kept.set(key, known);
    }
    return known.client;
  }

  /**
   * The same, once the cluster that was registered has answered: a stranger in its place is changed nothing of, and what is
   * not there is not gone. What the stranger refuses, the cluster does not: none of its errors is final.
   */
  async recognized(
    cluster: Credentialed & Pick<Cluster, 'identity'>,
    call: Pick<Call, 'signal'> = {},
  ): Promise<KubeClient> {
    const client = this.of(cluster);
    try {
      await requireSame(client, cluster.identity, call);
    } catch (error) {
      if (!(error instanceof KubeError) || !error.isFinal) throw error;
      const { kind, message, options } = error;
      throw new KubeError(kind === 'FORBIDDEN' ? 'UNAUTHORIZED' : 'FAILED', message, {
        ...options,
        cause: error,
      });
    }
    return client;
  }

  /** For whoever stays connected, as watches do, until it closes it. */
  own(cluster: Credentialed): OwnClient {
    const { client, dispatcher } = this.open(this.unsealed(cluster));
    return { client, close: async () => dispatcher.destroy() };
  }

  /** With a credential that is not kept yet. Nothing is kept of it afterwards. */
  async trying<T>(credential: Credential, work: (client: KubeClient) => Promise<T>): Promise<T> {
    const { client, dispatcher } = this.open(credential);
    try {
      return await work(client);
    } finally {
      await dispatcher.destroy();
    }
  }

  seal(id: string, credential: Credential): string {
    return this.keyring.seal(JSON.stringify(credential), id);
  }

  close(): void {
    for (const { dispatcher } of this.kept.values()) void dispatcher.destroy();
    this.kept.clear();
  }

  private unsealed({ id, sealedCredential }: Credentialed): Credential {
    if (sealedCredential === null)
      throw new KubeError('UNAUTHORIZED', 'There is no credential of the cluster any more');
    return JSON.parse(this.keyring.open(sealedCredential, id)) as Credential;
  }

  private open({ server, authority, certificate, key, token }: Credential): Opened {
    // The guard sees the names and addresses of connections; schemes and ports are to be looked at here.
    this.guard.parse(server, { httpsOnly: true });
    // It may have been kept by a version that took any.
    if (key !== undefined && !isCheap(createPrivateKey(key))) throw new Error(costlyKey);
    const dispatcher = createGuardedDispatcher(this.guard, {
      connectTimeoutMs,
      tls: {
        ...(authority === undefined ? {} : { ca: authority }),
        ...(certificate === undefined ? {} : { cert: certificate }),
        ...(key === undefined ? {} : { key }),
      },
    });
    return { client: new KubeClient(server, dispatcher, token), dispatcher };
  }
}
