import { problemOf } from '../api/problem.ts';
import { useFollowed } from '../api/use-followed.ts';
import { usePages } from '../api/use-pages.ts';
import {
  DeleteDeploymentDocument,
  DeploymentChangedDocument,
  DeploymentsDocument,
  UpdateDeploymentDocument,
  type DeploymentsQuery,
} from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Action } from '../parts/action.tsx';
import { Field } from '../parts/field.tsx';
import { textOf } from '../parts/form.ts';
import { Listing } from '../parts/listing.tsx';
import { Status } from '../parts/status.tsx';
import { useViewer } from '../session/viewer.tsx';

type Deployment = DeploymentsQuery['deployments']['nodes'][number];

/** What runs in the clusters; what the panel made can be changed. */
export function Deployments() {
  const { rows, error, hasMore, more, reload } = usePages(
    DeploymentsDocument,
    {},
    ({ deployments }) => deployments,
  );
  useFollowed(DeploymentChangedDocument, {}, reload);
  return (
    <Listing
      title="Deployments"
      rows={rows}
      told={error && problemOf(error)}
      retry={reload}
      more={hasMore ? more : undefined}
      empty="Nothing runs yet, or no cluster is registered."
      keyOf={({ id }) => id}
      render={(deployment) => <Line deployment={deployment} onChange={reload} />}
    />
  );
}

function Line({ deployment, onChange }: { deployment: Deployment; onChange: () => void }) {
  const { may } = useViewer();
  const { id, namespace, name, image, replicas, readyReplicas, status, message, cluster } = deployment;
  const isMine = deployment.isManaged && deployment.placementId === null && may('hosting.deployment.manage');
  return (
    <>
      <div>
        <Status of={status} />{' '}
        <strong>
          {namespace}/{name}
        </strong>{' '}
        in {cluster?.name ?? 'a cluster that was removed'}
        {message && <p>{message}</p>}
        <p className="quiet">
          <code>{image}</code> {readyReplicas} of {replicas} ready
          {deployment.placementId && ', of a placement'}
          {!deployment.isManaged && ', not made by the panel'}
        </p>
        {isMine && (
          <details>
            <summary>Change {name}</summary>
            <ActionForm
              document={UpdateDeploymentDocument}
              variables={(form) => ({
                id,
                input: { image: textOf(form, 'image'), replicas: Number(form.get('replicas')) },
              })}
              submit={`Change ${name}`}
              done={`${name} is being changed.`}
              onDone={onChange}
            >
              <Field label="Image" name="image" required defaultValue={image} />
              <Field
                label="Replicas"
                name="replicas"
                type="number"
                min={0}
                max={1000}
                required
                defaultValue={replicas}
              />
            </ActionForm>
          </details>
        )}
      </div>
      {isMine && (
        <Action
          document={DeleteDeploymentDocument}
          variables={{ id }}
          text="Delete"
          label={`Delete ${name}`}
          confirm="It is deleted in its cluster, with its pods."
          done={`${name} is being deleted.`}
          onDone={onChange}
        />
      )}
    </>
  );
}
