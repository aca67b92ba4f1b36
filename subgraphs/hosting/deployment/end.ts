import type { OutboxEvent } from '#platform/outbox/outbox.js';

import type { End } from './apply.js';
import { changeDeployment, goneAt, settleDeployment } from './change.service.js';
import type { Deployment } from './deployment.entity.js';
import { lateMs } from './retry.js';

export interface Ended {
  end: End;
  /** Whether a call that makes it may be on its way still: then it is looked for once more. */
  mayComeLate: boolean;
  now: Date;
}

/** What a deployment that is being deleted is after its cluster was told to. */
export function afterDeletion(
  publish: (event: OutboxEvent) => void,
  deployment: Deployment,
  { end, mayComeLate, now }: Ended,
): void {
  // Without its uid no watch can tell that it is gone, and nothing keeps a late call from making it.
  const isUnsure = deployment.uid === null && (mayComeLate || end === 'ENDING');
  if (isUnsure)
    changeDeployment(publish, deployment, {
      reason: null,
      message: null,
      dueAt: new Date(now.getTime() + lateMs),
    });
  // That it is gone the watch tells; a call for it that comes late names its uid, and is refused.
  else if (end === 'ENDING') settleDeployment(publish, deployment, { reason: null, message: null }, now);
  else settleDeployment(publish, deployment, goneAt(now), now);
}
