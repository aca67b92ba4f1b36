import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useClient, type CombinedError, type OperationResult } from 'urql';

import { problemOf } from '../api/problem.ts';
import { useLive } from '../api/use-live.ts';
import { ArrivalsDocument, InstanceChangedDocument, type ArrivalsQuery } from '../generated/graphql.ts';
import { Problem } from '../parts/problem.tsx';
import { Status } from '../parts/status.tsx';

type Arrived = ArrivalsQuery['instances']['nodes'][number];

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
export function Arrivals({ since, cursor: first }: ArrivalsProps) {
  const client = useClient();
  const [cursor, setCursor] = useState(first);
  const [error, setError] = useState<CombinedError>();
  const [arrived, setArrived] = useState<ReadonlyMap<string, Arrived>>(new Map());
  const add = (nodes: readonly Arrived[]) => {
    const own = nodes.filter(({ enrolledAt }) => new Date(enrolledAt) >= new Date(since));
    if (own.length > 0)
      setArrived((before) => new Map([...before, ...own.map((node) => [node.id, node] as const)]));
  };
  /** The cursor comes with the first page: what changes while the others are read is told by events. */
  const read = async () => {
    let after: string | null = null;
    let start: string | undefined;
    do {
      const answer: OperationResult<ArrivalsQuery> = await client
        .query(ArrivalsDocument, { after }, { requestPolicy: 'network-only' })
        .toPromise();
      setError(answer.error);
      if (!answer.data) return;
      const { instances, fleetCursor }: ArrivalsQuery = answer.data;
      add(instances.nodes);
      start ??= fleetCursor;
      after = instances.pageInfo.hasNextPage ? instances.pageInfo.endCursor : null;
    } while (after !== null);
    setCursor(start);
  };
  useLive(
    InstanceChangedDocument,
    { instanceId: null },
    {
      after: cursor ?? first,
      next: ({ instanceChanged }) => add([instanceChanged]),
      lost: () => void read(),
    },
  );
  return (
    <div role="status" className="arrivals">
      <Problem told={error && problemOf(error)} retry={() => void read()} />
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
