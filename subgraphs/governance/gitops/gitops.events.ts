import type { OutboxEvent } from '#platform/outbox/outbox.js';
import type { GitOpsChanged, GitOpsRemoved } from '#schema/events.js';

import type { GitOpsConfig, GitOpsHealth } from './gitops-config.entity.js';

/** Tells that a repository is shown otherwise than before; of a look, with its health before that. */
export function changed(
  publish: (event: OutboxEvent) => void,
  config: GitOpsConfig,
  healthBefore?: GitOpsHealth,
): void {
  publish({
    topic: 'governance.gitops.changed',
    tenantId: config.tenantId,
    entityId: config.id,
    payload: {
      configId: config.id,
      syncStatus: config.syncStatus,
      health: config.health,
      ...(healthBefore === undefined ? {} : { healthBefore }),
      commit: config.lastSyncedCommit,
      problem: config.problems[0]?.message ?? null,
      name: config.name,
    } satisfies GitOpsChanged,
  });
}

/** Whoever was told that it is degraded has to hear no more of it. */
export function removed(publish: (event: OutboxEvent) => void, { tenantId, id, name }: GitOpsConfig): void {
  publish({
    topic: 'governance.gitops.removed',
    tenantId,
    entityId: id,
    payload: { name } satisfies GitOpsRemoved,
  });
}
