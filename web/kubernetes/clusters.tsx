import { Link } from '@tanstack/react-router';

import type { Told } from '../api/problem.ts';
import type { ClustersQuery } from '../generated/graphql.ts';
import { Listing } from '../parts/listing.tsx';
import { Status } from '../parts/status.tsx';
import { exactDay, Time } from '../parts/time.tsx';
import { count, plural } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';

interface ClustersProps {
  rows:
    | ClustersQuery['clusters']['nodes']
    | readonly ClustersQuery['clusters']['nodes'][number][]
    | undefined;
  told: Told | undefined;
  more: (() => void) | undefined;
  reload: () => void;
}

export function Clusters({ rows, told, more, reload }: ClustersProps) {
  const { may } = useViewer();
  return (
    <Listing
      title="Clusters"
      rows={rows}
      told={told}
      retry={reload}
      more={more}
      empty={
        may('hosting.cluster.manage')
          ? 'None is known yet. Register one below, by its kubeconfig.'
          : 'None is known yet.'
      }
      keyOf={({ id }) => id}
      render={({ id, name, provider, region, version, status, message, ...rest }) => (
        <div>
          <Status of={status} />{' '}
          <Link to="/kubernetes/$id" params={{ id }}>
            {name}
          </Link>{' '}
          {version}
          {rest.score !== null && `, score ${rest.score}`}
          {message && <p>{message}</p>}
          <p className="quiet">
            {rest.nodesReady} of {plural(rest.nodes, 'node')} ready, {count(rest.cpuCores)} cores,{' '}
            {count(rest.memoryGb)} GiB, {[provider, region, ...rest.tags].join(', ')}, seen{' '}
            <Time at={rest.lastSeenAt} />
            {rest.credentialExpiresAt && `, its credential ends ${exactDay(rest.credentialExpiresAt)}`}
          </p>
        </div>
      )}
    />
  );
}
