import { Link } from '@tanstack/react-router';

import { problemOf } from '../api/problem.ts';
import { useDue } from '../api/use-due.ts';
import { usePages } from '../api/use-pages.ts';
import { DeliveriesDocument } from '../generated/graphql.ts';
import { Listing } from '../parts/listing.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { plural, words } from '../parts/words.ts';

/** What was sent, newest first. */
export function useDeliveries() {
  return usePages(DeliveriesDocument, {}, ({ notificationDeliveries }) => notificationDeliveries);
}

interface DeliveriesProps {
  pages: ReturnType<typeof useDeliveries>;
  /** Of a channel, as far as it is known. */
  nameOf: (channelId: string) => string;
}

/** What was sent to channels lately, and what became of it. No event tells of that: it is read again when the next attempt is due. */
export function Deliveries({ pages: { rows, error, hasMore, more, reload }, nameOf }: DeliveriesProps) {
  const due = rows?.flatMap(({ status, nextAttemptAt, createdAt }) =>
    status === 'PENDING' ? [nextAttemptAt ?? createdAt] : [],
  );
  useDue(due ?? [], rows, reload);
  return (
    <Listing
      title="Sent lately"
      rows={rows}
      told={error && problemOf(error)}
      retry={reload}
      more={hasMore ? more : undefined}
      empty="Nothing was sent yet. Test a channel to see whether it arrives."
      keyOf={({ id }) => id}
      render={({ channelId, type, alertIds, canary, gitOpsConfig, ...delivery }) => {
        const { status, createdAt, nextAttemptAt, attempts } = delivery;
        const last = attempts.at(-1);
        return (
          <div>
            <Status of={status} /> <strong>{nameOf(channelId)}</strong> {words(type)}
            {alertIds.length > 0 && `, ${plural(alertIds.length, 'alert')}`}
            {canary && (
              <>
                {': '}
                <Link to="/governance/canaries/$id" params={{ id: canary.id }}>
                  {canary.name}
                </Link>
              </>
            )}
            {gitOpsConfig && `: ${gitOpsConfig.name}`} <Time at={createdAt} />
            {last && (
              <p>
                {plural(attempts.length, 'attempt')}: {last.error ?? `answered ${last.statusCode ?? 'well'}`}{' '}
                in {last.durationMs} ms
              </p>
            )}
            {nextAttemptAt && attempts.length > 0 && (
              <p className="quiet">
                Tried again <Time at={nextAttemptAt} />
              </p>
            )}
          </div>
        );
      }}
    />
  );
}
