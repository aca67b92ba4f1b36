import { Link } from '@tanstack/react-router';
import { useState } from 'react';

import { useLive } from '../api/use-live.ts';
import { InstanceChangedDocument, type InstanceChangedSubscription } from '../generated/graphql.ts';
import { Status } from '../parts/status.tsx';

type Arrived = InstanceChangedSubscription['instanceChanged'];

/** The nodes that have enrolled since the token was made, each turning green with its first beat. */
export function Arrivals({ since }: { since: string }) {
  const [arrived, setArrived] = useState<ReadonlyMap<string, Arrived>>(new Map());
  useLive(
    InstanceChangedDocument,
    { instanceId: null },
    {
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
              {status === 'HEALTHY' ? 'has arrived and beats.' : 'has enrolled; its first beat is awaited.'}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
