import { Link } from '@tanstack/react-router';

import type { ServerRowFragment } from '../generated/graphql.ts';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { money } from '../parts/words.ts';
import { ServerActions } from './server-actions.tsx';

interface ServerLineProps {
  server: ServerRowFragment;
  onChange: (server: ServerRowFragment) => void;
}

/** One server: how far it is, what it costs, and what can be done with it. */
export function ServerLine({ server, onChange }: ServerLineProps) {
  const { id, name, provider, location, size, phase, status, progress, message, instanceId } = server;
  const { isProtected, ipAddress, priceMonthly, ipv4PriceMonthly, costSoFar, currency, createdAt } = server;
  return (
    <>
      <div>
        <Status of={phase} />{' '}
        <Link to="/servers/$id" params={{ id }}>
          {name}
        </Link>{' '}
        {instanceId && (
          <Link to="/instances/$id" params={{ id: instanceId }}>
            its instance
          </Link>
        )}
        {(status === 'PROVISIONING' || status === 'DELETING') && (
          <progress aria-label={`Progress of ${name}`} value={progress} max={100} />
        )}
        {message && <p>{message}</p>}
        <p className="quiet">
          {size} at {provider}, {location} {ipAddress}, ordered <Time at={createdAt} />; at most{' '}
          {money(priceMonthly + ipv4PriceMonthly, currency)} a month
          {costSoFar !== undefined && `, ${money(costSoFar, currency)} so far`}
          {isProtected && '; protected'}
        </p>
      </div>
      <ServerActions server={server} onChange={onChange} />
    </>
  );
}
