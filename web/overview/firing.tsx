import { Link } from '@tanstack/react-router';

import { useAgain } from '../api/use-again.ts';
import { useLive } from '../api/use-live.ts';
import { useRead } from '../api/use-read.ts';
import { useThrottled } from '../api/use-throttled.ts';
import { AlertChangedDocument, FiringAlertsDocument } from '../generated/graphql.ts';
import { Card } from '../parts/card.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { plural } from '../parts/words.ts';

/** The newest alerts that nobody has taken up. */
export function Firing() {
  const { data, error, told, read } = useRead(FiringAlertsDocument);
  useAgain(told, read);
  const readSoon = useThrottled(read, 5_000);
  useLive(AlertChangedDocument, {}, { after: data?.fleetCursor, next: readSoon, lost: readSoon });
  return (
    <Card title="Alerts firing" error={error} retry={read} isReading={!data && !error}>
      {data && data.alerts.totalCount === 0 && <p>Nothing is firing.</p>}
      {data && data.alerts.totalCount > 0 && (
        <>
          <ul className="lines">
            {data.alerts.nodes.map((alert) => (
              <li key={alert.id}>
                <Status of={alert.severity} />{' '}
                <Link to="/instances/$id" params={{ id: alert.instanceId }}>
                  {alert.instanceName}
                </Link>{' '}
                {alert.message} <Time at={alert.startedAt} />
              </li>
            ))}
          </ul>
          <Link to="/alerts" search={{ status: 'FIRING' }}>
            See {plural(data.alerts.totalCount, 'alert')}
          </Link>
        </>
      )}
    </Card>
  );
}
