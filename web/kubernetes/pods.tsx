import { useEffect, useState } from 'react';

import { useAgain, useWhile } from '../api/use-again.ts';
import { useRead } from '../api/use-read.ts';
import {
  DeploymentPodsDocument,
  type DeploymentDetailFragment,
  type DeploymentPodsQuery,
} from '../generated/graphql.ts';
import { Card } from '../parts/card.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { useViewer } from '../session/viewer.tsx';
import { PodLog } from './pod-log.tsx';

export type PodLine = DeploymentPodsQuery['deploymentPods'][number];

/** The pods of a deployment, and what keeps them from being ready. No event tells of them: they are read with its changes. */
export function Pods({ deployment }: { deployment: DeploymentDetailFragment }) {
  const { id, status, replicas, readyReplicas, updatedReplicas, image } = deployment;
  const { data, told, error, read } = useRead(DeploymentPodsDocument, { variables: { id } });
  const changed = JSON.stringify([status, replicas, readyReplicas, updatedReplicas, image]);
  useEffect(read, [changed, read]);
  useAgain(told, read);
  const pods = data?.deploymentPods;
  const isMoving = pods?.some(({ isReady }) => !isReady) === true;
  useWhile(told === undefined && (status === 'PROGRESSING' || status === 'DELETING' || isMoving), read);
  return (
    <Card
      title="Pods"
      {...(told?.code === 'NOT_FOUND' ? {} : { error })}
      retry={read}
      isReading={!data && !error}
    >
      {pods?.length === 0 && <p>It has none now.</p>}
      <ul className="lines">
        {pods?.map((pod) => (
          <Line key={pod.name} pod={pod} deploymentId={id} />
        ))}
      </ul>
    </Card>
  );
}

function Line({ pod, deploymentId }: { pod: PodLine; deploymentId: string }) {
  const { may } = useViewer();
  const [isOpen, setIsOpen] = useState(false);
  const { name, phase, isReady, isEnding, restarts, reason, message, node, createdAt } = pod;
  const { lastExitReason, lastExitCode } = pod;
  return (
    <li>
      <Status of={isEnding ? 'DELETING' : isReady ? 'READY' : phase} /> <code>{name}</code>{' '}
      {reason && <strong>{reason}</strong>}{' '}
      <span className="quiet">
        {node ? `on ${node}, ` : ''}made <Time at={createdAt} />
      </span>
      {message && <p>{message}</p>}
      {restarts > 0 && (
        <p>
          Started anew {restarts} times
          {lastExitReason && `; ended last with ${lastExitReason}`}
          {lastExitCode !== null && ` (exit code ${lastExitCode})`}.
        </p>
      )}
      {may('hosting.pod-log.read') && (
        <p>
          <button type="button" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
            {isOpen ? `Close the log of ${name}` : `Log of ${name}`}
          </button>
        </p>
      )}
      {isOpen && <PodLog deploymentId={deploymentId} pod={pod} />}
    </li>
  );
}
