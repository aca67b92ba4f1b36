import { Link } from '@tanstack/react-router';

import {
  DecommissionServerDocument,
  ProtectServerDocument,
  type ServerRowFragment,
} from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { money } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';

interface ServerLineProps {
  server: ServerRowFragment;
  onChange: (server: ServerRowFragment) => void;
}

/** One server: how far it is, what it costs, and what can be done with it. */
export function ServerLine({ server, onChange }: ServerLineProps) {
  const { may } = useViewer();
  const { id, name, provider, location, size, phase, status, progress, message, instanceId } = server;
  const { isProtected, ipAddress, priceMonthly, ipv4PriceMonthly, costSoFar, currency, createdAt } = server;
  const isThere = status === 'RUNNING' || status === 'PROVISIONING' || status === 'FAILED';
  return (
    <>
      <div>
        <Status of={phase} /> <strong>{name}</strong>{' '}
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
          {money(priceMonthly + ipv4PriceMonthly, currency)} a month, {money(costSoFar, currency)} so far
          {isProtected && '; protected'}
        </p>
      </div>
      {isThere && (
        <div className="actions">
          {may('hosting.server.protect') && (
            <Action
              document={ProtectServerDocument}
              variables={{ id, isProtected: !isProtected }}
              text={isProtected ? 'Unprotect' : 'Protect'}
              label={`${isProtected ? 'Unprotect' : 'Protect'} ${name}`}
              done={isProtected ? `${name} can be removed again.` : `${name} is protected.`}
              onDone={({ protectServer }) => onChange(protectServer)}
            />
          )}
          {may('hosting.server.decommission') && !isProtected && (
            <Action
              document={DecommissionServerDocument}
              variables={{ input: { id } }}
              text="Remove"
              label={`Remove ${name}`}
              confirm="Commands under way on its node may end first. Then the server and all that is on it are deleted at the provider."
              done={`${name} is being removed.`}
              onDone={({ decommissionServer }) => onChange(decommissionServer)}
            />
          )}
        </div>
      )}
    </>
  );
}
