import { LRUCache } from 'lru-cache';
import type { Agent } from 'undici';

import { createGuardedDispatcher } from '#platform/outbound/dispatcher.js';
import type { TargetGuard } from '#platform/outbound/guard.js';
import type { Keyring } from '#platform/secrets/keyring.js';

import type { Cluster } from '../cluster.entity.js';
import type { Credential } from '../kubeconfig/credential.js';
import { KubeClient } from './client.js';

interface Opened {
  client: KubeClient;
  dispatcher: Agent;
}

const connectTimeoutMs = 5_000;

/** Clients of clusters, each with the connections that it keeps, by the credential that is in force. */
export class KubeClients {
  private readonly opened = new LRUCache<string, Opened>({
    max: 500,
    dispose: ({ dispatcher }) => void dispatcher.destroy(),
  });

  constructor(
    readonly guard: TargetGuard,
    private readonly keyring: Keyring,
  ) {}

  of({ tenantId, id, sealedCredential }: Pick<Cluster, 'tenantId' | 'id' | 'sealedCredential'>): KubeClient {
    if (sealedCredential === null) throw new Error(`the cluster ${id} is removed`);
    const key = `${tenantId} ${id} ${sealedCredential}`;
    let known = this.opened.get(key);
    if (!known) {
      known = this.open(this.unsealed(id, sealedCredential));
      this.opened.set(key, known);
    }
    return known.client;
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
    this.opened.clear();
  }

  private unsealed(id: string, sealed: string): Credential {
    return JSON.parse(this.keyring.open(sealed, id)) as Credential;
  }

  private open({ server, authority, certificate, key, token }: Credential): Opened {
    // The guard sees the names and addresses of connections; schemes and ports are to be looked at here.
    this.guard.parse(server, { httpsOnly: true });
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
