import { Link } from '@tanstack/react-router';
import { useEffect } from 'react';

import { useRead } from '../api/use-read.ts';
import { ClusterPoliciesDocument, type ClusterDetailFragment } from '../generated/graphql.ts';
import { evidenceText } from '../governance/policy-words.ts';
import { Card } from '../parts/card.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { words } from '../parts/words.ts';

/** By then what changed of a cluster is judged; no event tells. */
const judgedWithinMs = 3_000;

/** Which policies hold on the cluster, and why not. */
export function ClusterPolicies({ cluster }: { cluster: ClusterDetailFragment }) {
  const { id, version, nodes, nodesReady, cpuCores, memoryGb, tags, status } = cluster;
  const { data, told, error, read } = useRead(ClusterPoliciesDocument, { variables: { id } });
  const judged = JSON.stringify([version, nodes, nodesReady, cpuCores, memoryGb, tags, status]);
  useEffect(() => {
    const later = setTimeout(read, judgedWithinMs);
    return () => clearTimeout(later);
  }, [judged, read]);
  const results = data?.cluster.policyResults;
  return (
    <Card title="Policies" {...(told?.code === 'NOT_FOUND' ? {} : { error })} retry={read}>
      {data && <p>Score {data.cluster.score ?? '–'}</p>}
      {data && results == null && !error && <p>It is being judged for the first time.</p>}
      {results?.length === 0 && (
        <p>No policy is about clusters yet. Make one about a fact that begins with cluster.</p>
      )}
      <ul className="lines">
        {results?.map(({ policyId, status: of, since, evidence, policy }) => (
          <li key={policyId}>
            <Status of={of} />{' '}
            <Link to="/governance/policies/$id" params={{ id: policyId }}>
              {policy?.name ?? policyId}
            </Link>{' '}
            {policy && <span className="quiet">{words(policy.enforcement)}</span>} <Time at={since} />
            {evidence && <p>{evidenceText(evidence)}</p>}
            {of === 'FAIL' && policy?.resolution && <p>{policy.resolution}</p>}
          </li>
        ))}
      </ul>
    </Card>
  );
}
