import type { Clock } from '#platform/clock.js';
import type { Database, SqlEntityManager } from '#platform/database/database.js';
import { patience, withPatience } from '#platform/database/patience.js';
import { systemStatement } from '#platform/database/system-em.js';
import { appendToOutbox, type OutboxEvent } from '#platform/outbox/outbox.js';

import type { ClusterStatus } from '../cluster.status.js';

/** How long a process has a cluster without saying so again, by the database's clock. */
const leaseSeconds = 15;

/** Another process watches the cluster now, or it is gone: nothing is to be written any more. */
export class LostWatch extends Error {
  override readonly name = 'LostWatch';
}

/** One transaction of a watcher. */
export interface WatcherWrite {
  em: SqlEntityManager;
  publish: (event: OutboxEvent) => void;
  now: Date;
}

/** A cluster as whoever watches it was given it. */
export interface HeldCluster {
  tenantId: string;
  id: string;
  epoch: string;
  credentialNumber: number;
  /** The uid of its namespace kube-system. */
  identity: string;
  sealedCredential: string;
  status: ClusterStatus;
  reason: string | null;
  message: string | null;
  resourceVersion: string | null;
}

/** With a credential: where that was forgotten there is nothing to watch by. */
const watchable = 'deleted_at is null and sealed_credential is not null';

const columns = `tenant_id as "tenantId", id, watch_epoch::text as epoch, credential_number as "credentialNumber",
  sealed_credential as "sealedCredential", identity, status, reason, message, resource_version as "resourceVersion"`;

/**
 * The right to watch clusters, each held by one process. The epoch grows with each change of hands, and every write of a
 * watcher is checked by it.
 */
export class Holdings {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    /** Of this process. */
    private readonly holder: string,
  ) {}

  /** Says that this process is still there, and answers what it holds. */
  async renew(): Promise<HeldCluster[]> {
    return this.run(
      `update hosting.cluster set watcher_until = now() + make_interval(secs => ${leaseSeconds})
       where watcher = ? and ${watchable} returning ${columns}`,
      [this.holder],
    );
  }

  /** Takes some that nobody watches. */
  async claim(most: number): Promise<HeldCluster[]> {
    const free = await this.run<{ tenantId: string; id: string }>(
      `select tenant_id as "tenantId", id from hosting.cluster
       where ${watchable} and (watcher_until is null or watcher_until < now())
       order by watcher_until nulls first limit ?`,
      [most],
    );
    const claimed: HeldCluster[] = [];
    for (const { tenantId, id } of free)
      claimed.push(
        ...(await this.run(
          `update hosting.cluster set watcher = ?, watch_epoch = watch_epoch + 1,
             watcher_until = now() + make_interval(secs => ${leaseSeconds})
           where tenant_id = ? and id = ? and ${watchable} and (watcher_until is null or watcher_until < now())
           returning ${columns}`,
          [this.holder, tenantId, id],
        )),
      );
    return claimed;
  }

  /** Gives all of them up at once, so that others need not wait. */
  async release(): Promise<void> {
    await this.run('update hosting.cluster set watcher = null, watcher_until = null where watcher = ?', [
      this.holder,
    ]);
  }

  /** One transaction of a watcher as the tenant, in which it is certain that it still holds the cluster. */
  async write(
    { tenantId, id, epoch }: HeldCluster,
    work: (write: WatcherWrite) => Promise<void>,
  ): Promise<void> {
    await withPatience(patience.background, async () =>
      this.database.forTenant(tenantId).transactional(async (em) => {
        const held = await em.execute<unknown[]>(
          `select 1 from hosting.cluster
           where tenant_id = ? and id = ? and watcher = ? and watch_epoch = ? and ${watchable} for update`,
          [tenantId, id, this.holder, epoch],
        );
        if (held.length === 0) throw new LostWatch(`the cluster ${id} is watched by others`);
        const events: OutboxEvent[] = [];
        const now = this.clock.now();
        await work({ em, publish: (event) => events.push(event), now });
        await em.flush();
        await appendToOutbox(em, this.database.area, events, { requestId: `watch:${id}`, at: now });
      }),
    );
  }

  private async run<Row extends object = HeldCluster>(
    sql: string,
    values: readonly (string | number)[],
  ): Promise<Row[]> {
    return withPatience(
      patience.background,
      async () => systemStatement(this.database, sql, values) as Promise<Row[]>,
    );
  }
}
