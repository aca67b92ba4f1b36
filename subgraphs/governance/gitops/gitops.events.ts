import type { OutboxEvent } from '#platform/outbox/outbox.js';
import type { GitOpsChanged } from '#schema/events.js';

import type { GitOpsConfig } from './gitops-config.entity.js';

/** Tells that a repository is shown otherwise than before. */
export function changed(publish: (event: OutboxEvent) => void, config: GitOpsConfig): void {
  publish({
    topic: 'governance.gitops.changed',
    tenantId: config.tenantId,
    entityId: config.id,
    payload: {
      configId: config.id,
      syncStatus: config.syncStatus,
      health: config.health,
      commit: config.lastSyncedCommit,
    } satisfies GitOpsChanged,
  });
}
