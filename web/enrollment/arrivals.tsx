import { Link } from '@tanstack/react-router';
import { useState } from 'react';

import { useLive } from '../api/use-live.ts';
import { InstanceChangedDocument, type InstanceChangedSubscription } from '../generated/graphql.ts';
import { Status } from '../parts/status.tsx';

type Arrived = InstanceChangedSubscription['instanceChanged'];

const told: Record<Arrived['status'], string> = {
  HEALTHY: 'has arrived and beats.',
  DEGRADED: 'has arrived and beats, but something is wrong with it: see its page.',
  OFFLINE: 'has enrolled; its first beat is awaited.',
};

interface ArrivalsProps {
  since: string;
  /** From before the token was made, so that no node is too quick. */
  cursor: string | undefined;
}

/** The nodes that have enrolled since the token was made, each turning green with its first beat. */
export function Arrivals({ since, cursor }: ArrivalsProps) {
  const [arrived, setArrived] = useState<ReadonlyMap<string, Arrived>>(new Map());
  useLive(
    InstanceChangedDocument,
    { instanceId: null },
    {
      after: cursor,
      next: ({ instanceChanged: node }) => {
        if (new Date(node.enrolledAt) >= new Date(since))
          setArrived((before) => new Map(before).set(node.id, node));
      },
      lost: () => undefined,
    },
  );
  return (
    <div role="status" className="arrivals">
      {arrived.size === 0 ? (
        <p>Waiting for the first node…</p>
      ) : (
        <ul className="lines">
          {[...arrived.values()].map(({ id, name, status }) => (
            <li key={id}>
              <Status of={status} />{' '}
              <Link to="/instances/$id" params={{ id }}>
                {name}
              </Link>{' '}
              {told[status]}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
