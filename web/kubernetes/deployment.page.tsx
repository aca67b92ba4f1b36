import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';

import { useOne } from '../api/use-one.ts';
import {
  DeleteDeploymentDocument,
  DeploymentDetailDocument,
  DeploymentProgressedDocument,
  type DeploymentDetailFragment,
} from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { Card, Meter } from '../parts/card.tsx';
import { One } from '../parts/one.tsx';
import { Page } from '../parts/page.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { deploymentAdvice } from './advice.ts';
import { ChangeDeployment } from './change-deployment.tsx';
import { Pods } from './pods.tsx';
import { Revisions } from './revisions.tsx';
import { Restart } from './rollout.tsx';

const route = getRouteApi('/kubernetes/deployments/$id');

/** One deployment: what is wanted, what is there, and how the one becomes the other, live. */
export default function DeploymentPage() {
  const { id } = route.useParams();
  return <Followed key={id} id={id} />;
}

function Followed({ id }: { id: string }) {
  const { row, told, read } = useOne({
    query: DeploymentDetailDocument,
    events: DeploymentProgressedDocument,
    variables: { id },
    pick: ({ deployment }) => deployment,
    pickEvent: ({ deploymentChanged }) => deploymentChanged,
  });
  return (
    <One what="the deployment" row={row} told={told} retry={read}>
      {(deployment) => <Shown deployment={deployment} onChange={read} />}
    </One>
  );
}

interface ShownProps {
  deployment: DeploymentDetailFragment;
  onChange: () => void;
}

function Shown({ deployment, onChange }: ShownProps) {
  const { may } = useViewer();
  const navigate = useNavigate();
  const { id, name, status, reason, message, isManaged, placementId } = deployment;
  const advice = deploymentAdvice(reason, status);
  const isThere = status !== 'DELETING' && status !== 'DELETED';
  const isMine = isThere && isManaged && placementId === null && may('hosting.deployment.manage');
  return (
    <Page
      title={name}
      actions={
        isMine && (
          <>
            <Restart deployment={deployment} onChange={onChange} />
            <Action
              document={DeleteDeploymentDocument}
              variables={{ id }}
              text="Delete"
              label={`Delete ${name}`}
              confirm="It is deleted in its cluster, with its pods."
              done={`${name} is being deleted.`}
              onDone={() => void navigate({ to: '/kubernetes' })}
            />
          </>
        )
      }
    >
      <p aria-live="polite">
        <Status of={status} /> {reason && <strong>{words(reason)}</strong>} {message}
      </p>
      {advice && <p>{advice}</p>}
      {!isManaged && <p>The panel did not make it, so it can only be looked at here.</p>}
      {placementId !== null && (
        <p>It is of a placement, by which it is changed and deleted, at Kubernetes.</p>
      )}
      <div className="cards">
        <Replicas deployment={deployment} />
        <About deployment={deployment} />
        {status !== 'DELETED' && deployment.cluster && <Pods deployment={deployment} />}
        {isMine && <ChangeDeployment deployment={deployment} onChange={onChange} />}
        {status !== 'DELETED' && isManaged && placementId === null && (
          <Revisions deployment={deployment} isMine={isMine} onChange={onChange} />
        )}
      </div>
    </Page>
  );
}

function Replicas({ deployment }: { deployment: DeploymentDetailFragment }) {
  const { replicas, updatedReplicas, readyReplicas, availableReplicas } = deployment;
  return (
    <Card title="Replicas">
      <p className="big">{replicas}</p>
      <p>wanted</p>
      <div aria-live="polite">
        <Meter label="Of its newest state" used={updatedReplicas} limit={replicas} />
        <Meter label="Ready" used={readyReplicas} limit={replicas} />
        <Meter label="Available" used={availableReplicas} limit={replicas} />
      </div>
    </Card>
  );
}

function About({ deployment }: { deployment: DeploymentDetailFragment }) {
  const { clusterId, cluster, namespace, image, createdAt } = deployment;
  return (
    <Card title="About it">
      <dl>
        <dt>Cluster</dt>
        <dd>
          {cluster ? (
            <Link to="/kubernetes/$id" params={{ id: clusterId }}>
              {cluster.name}
            </Link>
          ) : (
            'It was removed from the panel.'
          )}
        </dd>
        <dt>Namespace</dt>
        <dd>{namespace}</dd>
        <dt>Image</dt>
        <dd>
          <code>{image}</code>
        </dd>
        <dt>Made</dt>
        <dd>
          <Time at={createdAt} />
        </dd>
      </dl>
    </Card>
  );
}
