import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';

import { RemoveClusterDocument } from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';

/** Forgets the cluster; where the panel's deployments are left in it, that is asked again. */
export function RemoveCluster({ cluster: { id, name } }: { cluster: { id: string; name: string } }) {
  const navigate = useNavigate();
  const [hasLeft, setLeft] = useState(false);
  const gone = () => void navigate({ to: '/kubernetes' });
  return (
    <>
      <Action
        document={RemoveClusterDocument}
        variables={{ id }}
        text="Remove"
        label={`Remove ${name}`}
        confirm="The panel forgets the cluster and its credential. What the panel deployed there has to be deleted first."
        done={`${name} is removed.`}
        onDone={gone}
        onRefused={({ reason }) => setLeft(reason === 'DEPLOYMENTS_LEFT')}
      />
      {hasLeft && (
        <Action
          document={RemoveClusterDocument}
          variables={{ id, abandonsDeployments: true }}
          text="Remove it and leave them"
          label={`Remove ${name} and leave its deployments`}
          confirm="What the panel deployed goes on running in the cluster, and can not be changed from here any more."
          done={`${name} is removed.`}
          onDone={gone}
        />
      )}
    </>
  );
}
