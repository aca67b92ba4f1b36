import type { AlertRowFragment } from '../generated/graphql.ts';
import { Time } from '../parts/time.tsx';
import { words } from '../parts/words.ts';
import { isActive } from './alert-search.ts';

/** What is known of a condition beside that it holds. */
const phases: Partial<Record<AlertRowFragment['phase'], string>> = {
  RECOVERING: 'The condition is gone, but not yet for long enough.',
  NO_DATA: 'The node is offline, so that nobody knows whether it still holds.',
};

interface AlertFactsProps {
  alert: AlertRowFragment;
  who: (id: string) => string;
}

/** What became of an alert: who has it in hand, who was told, and when. */
export function AlertFacts({ alert, who }: AlertFactsProps) {
  const { acknowledgedBy, acknowledgedAt, acknowledgeComment, resolvedBy, notifiedAt } = alert;
  const isOpen = isActive(alert.status);
  return (
    <>
      {acknowledgedBy !== null && acknowledgedAt !== null && (
        <p>
          Acknowledged by {who(acknowledgedBy)} <Time at={acknowledgedAt} />
          {acknowledgeComment !== null && `: ${acknowledgeComment}`}
        </p>
      )}
      {isOpen && alert.inhibitedBy && <p>Held by the outage of its node: channels are told of that only.</p>}
      {isOpen && phases[alert.phase] && <p>{phases[alert.phase]}</p>}
      {alert.override && (
        <p className="quiet">
          Judged by the override for the group {alert.override.groupName} (priority {alert.override.priority}
          ).
        </p>
      )}
      <p className="quiet">
        Began <Time at={alert.startedAt} isKey />, found {alert.count === 1 ? 'once' : `${alert.count} times`}
        , last <Time at={alert.lastSeen} />
        {notifiedAt !== null && (
          <>
            , channels told <Time at={notifiedAt} />
          </>
        )}
        {isOpen && notifiedAt === null && ', no channel told'}
        {alert.resolvedAt && (
          <>
            , over <Time at={alert.resolvedAt} isKey />
            {alert.resolution && ` (${words(alert.resolution).toLowerCase()})`}
            {resolvedBy !== null && ` by ${who(resolvedBy)}`}
          </>
        )}
        {alert.silencedBy.length > 0 && (
          <>
            , silenced until <Time at={alert.silencedBy[0]!.endsAt} />
          </>
        )}
      </p>
    </>
  );
}
