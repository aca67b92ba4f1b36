import { headOf } from '#platform/cut-text.js';

import type { NotificationType } from './notification.kinds.js';
import { time, wordOf } from './notification.message.js';

/** A canary as channels are told of it: the words of the REST API. */
interface ToldCanary {
  id: string;
  name: string;
  status: string;
  step: number;
  reason: string | null;
  message: string | null;
}

/** A repository of GitOps, with the first of its problems; its health is `removed` where there is none any more. */
interface ToldRepository {
  id: string;
  name: string;
  health: string;
  problem: string | null;
}

/** What governance tells that is about no alert. */
export type News =
  | { type: NotificationType.CANARY_WAITING | NotificationType.CANARY_FAILED; canary: ToldCanary }
  | {
      type: NotificationType.GITOPS_DEGRADED | NotificationType.GITOPS_RECOVERED;
      repository: ToldRepository;
    };

/** The body of a webhook that tells it: there are no alerts in it. */
export interface NewsBody {
  type: string;
  timestamp: string;
  data: { tenant_id: string; alerts: []; canary?: ToldCanary; repository?: ToldRepository };
}

export function newsBody(tenantId: string, { type, ...about }: News, now: Date): string {
  const body: NewsBody = {
    type: wordOf[type],
    timestamp: time(now),
    data: { tenant_id: tenantId, alerts: [], ...about },
  };
  return JSON.stringify(body);
}

/** The same as a mail; undefined where it is about neither. */
export function newsMail(
  { data: { canary, repository } }: Pick<NewsBody, 'data'>,
  panelUrl: string,
): { subject: string; text: string } | undefined {
  if (canary) {
    const became =
      canary.status === 'paused' ? 'waits' : canary.status === 'failed' ? 'has failed' : 'was taken back';
    return mail(
      `Canary ${became}: ${canary.name}`,
      canary.message,
      `${panelUrl}/governance/canaries/${canary.id}`,
    );
  }
  if (!repository) return undefined;
  const { health } = repository;
  const became = health === 'degraded' || health === 'removed' ? health : 'in order again';
  return mail(`GitOps ${became}: ${repository.name}`, repository.problem, `${panelUrl}/governance/gitops`);
}

function mail(subject: string, message: string | null, link: string): { subject: string; text: string } {
  return {
    // A header has one line, whatever somebody calls it.
    subject: headOf(subject.replaceAll(/\s+/g, ' '), 200),
    text: `${[subject, ...(message ? [message] : []), link].join('\n\n')}\n`,
  };
}
