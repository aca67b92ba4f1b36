import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';

import { useFollowed } from '../api/use-followed.ts';
import { useRead } from '../api/use-read.ts';
import { NoSuchPage } from '../app/no-such-page.tsx';
import {
  CanaryDetailDocument,
  CanaryProgressedDocument,
  UpdateCanaryDocument,
  type CanaryAction,
  type CanaryRowFragment,
  type CanaryStatus,
} from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { Card } from '../parts/card.tsx';
import { Listing } from '../parts/listing.tsx';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { plural, words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { EditCanary } from './edit-canary.tsx';

const route = getRouteApi('/governance/canaries/$id');

const offered: Partial<Record<CanaryStatus, readonly CanaryAction[]>> = {
  PENDING: ['ABORT'],
  RUNNING: ['PAUSE', 'PROMOTE', 'ABORT'],
  BAKING: ['PAUSE', 'PROMOTE', 'ABORT'],
  PAUSED: ['RESUME', 'PROMOTE', 'ABORT'],
  PROMOTING: ['ABORT'],
};

const told: Record<CanaryAction, string> = {
  PAUSE: 'No further step begins. What was sent goes on.',
  RESUME: 'It goes on where it was.',
  PROMOTE: 'All the others get the command at once; the steps that are left are passed over.',
  ABORT: 'It is taken back on those that have it, where there is a way back.',
};

/** One canary, its steps and what they are judged by, live. */
export default function CanaryPage() {
  const { id } = route.useParams();
  const { may } = useViewer();
  const [isEditing, setEditing] = useState(false);
  const { data, told: problem, read } = useRead(CanaryDetailDocument, { variables: { id } });
  useFollowed(CanaryProgressedDocument, { id }, read);
  if (!data) {
    if (!problem) return <p role="status">Reading the canary…</p>;
    return problem.code === 'NOT_FOUND' ? <NoSuchPage /> : <Problem told={problem} retry={read} />;
  }
  const { canary } = data;
  const isAwaiting = canary.reason === 'AWAITING_APPROVAL';
  return (
    <Page
      title={canary.name}
      actions={
        may('governance.canary.manage') && (
          <>
            {canary.status === 'PENDING' && (
              <button
                type="button"
                aria-haspopup="dialog"
                aria-label={`Edit ${canary.name}`}
                onClick={() => setEditing(true)}
              >
                Edit
              </button>
            )}
            {(offered[canary.status] ?? []).map((action) => (
              <Action
                key={action}
                document={UpdateCanaryDocument}
                variables={{ id, input: { action } }}
                text={words(action)}
                label={`${words(action)} ${canary.name}`}
                confirm={isAwaiting && action === 'RESUME' ? 'The next step begins.' : told[action]}
                done={`${words(action)}: done.`}
                onDone={read}
              />
            ))}
          </>
        )
      }
    >
      {isEditing && <EditCanary canary={canary} onClose={() => setEditing(false)} onChange={read} />}
      <Problem told={problem} retry={read} />
      <p>
        <span aria-live="polite">
          <Status of={canary.status} />
        </span>{' '}
        {words(canary.command)} {JSON.stringify(canary.params)},{' '}
        {canary.status === 'PENDING' ? 'begins' : 'begun'} <Time at={canary.startAt} isKey />
        <span aria-live="polite">{canary.message && `. ${canary.message}`}</span>
      </p>
      <div className="cards">
        <Steps canary={canary} />
        <Analysis analysis={canary.analysis} />
        <Listing
          title="Its instances"
          rows={[...canary.failed, ...canary.members.filter(({ status }) => status !== 'FAILED')]}
          note={
            canary.instances.target > 200 ? 'The first 200, and those that failed before them.' : undefined
          }
          empty="Nobody is in it."
          keyOf={({ instanceId }) => instanceId}
          render={({ instanceId, step, status, instance }) => (
            <div>
              <Status of={status} />{' '}
              <Link to="/instances/$id" params={{ id: instanceId }}>
                {instance?.name ?? instanceId}
              </Link>{' '}
              step {step}
            </div>
          )}
        />
      </div>
    </Page>
  );
}

/** In which it is at a step; it stops where it is, and begins before the first. */
const atAStep: ReadonlySet<CanaryStatus> = new Set(['RUNNING', 'BAKING', 'PAUSED']);

function Steps({
  canary: { steps, currentStep, instances, bakeUntil, status },
}: {
  canary: CanaryRowFragment;
}) {
  const { target, updated, underWay, failed, unreached, rolledBack } = instances;
  const isPromoting = status === 'PROMOTING';
  const isAt = (step: number) => step === currentStep && atAStep.has(status);
  return (
    <Card title="Steps">
      <ol>
        {steps.map(({ percent, bakeSeconds, waits }, at) => (
          <li key={percent} aria-current={isAt(at + 1) ? 'step' : undefined}>
            {percent} %, watched for {plural(Math.round(bakeSeconds / 60), 'minute')}
            {waits && ', then it waits for somebody'}
            {isAt(at + 1) && <strong> (now)</strong>}
          </li>
        ))}
        <li aria-current={isPromoting ? 'step' : undefined}>
          All
          {isPromoting && <strong> (now)</strong>}
        </li>
      </ol>
      <progress aria-label="Instances that have it" value={updated} max={Math.max(1, target)} />
      <p>
        {updated} of {target} have it, {underWay} are at it, {failed} failed, {unreached} were not reached,{' '}
        {rolledBack} were taken back.
      </p>
      {status === 'BAKING' && (
        <p>
          The step is watched until <Time at={bakeUntil} isKey />.
        </p>
      )}
    </Card>
  );
}

function Analysis({ analysis }: { analysis: CanaryRowFragment['analysis'] }) {
  return (
    <Card title="Analysis">
      {!analysis && <p className="quiet">It is first compared when a step is watched.</p>}
      {analysis && (
        <>
          <p>
            <Status of={analysis.verdict} /> at step {analysis.step}, <Time at={analysis.measuredAt} />
          </p>
          <ul className="lines">
            {analysis.checks.map(({ name, verdict, measured, reference, message }) => (
              <li key={name}>
                <Status of={verdict} /> {words(name)}: {measured ?? '–'} against {reference ?? '–'} of the
                others. {message}
              </li>
            ))}
          </ul>
        </>
      )}
    </Card>
  );
}
