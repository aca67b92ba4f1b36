import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';

import { useAgain } from '../api/use-again.ts';
import { useLive } from '../api/use-live.ts';
import { useRead } from '../api/use-read.ts';
import { useThrottled } from '../api/use-throttled.ts';
import {
  InstanceChangedDocument,
  InstanceDetailDocument,
  InstanceMeasuredDocument,
  type InstanceDetailQuery,
  type InstanceMeasuredSubscription,
} from '../generated/graphql.ts';
import { TrailLink } from '../organization/trail-link.tsx';
import { Card } from '../parts/card.tsx';
import { One } from '../parts/one.tsx';
import { Page } from '../parts/page.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { percent, words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { EditDialog } from './edit-dialog.tsx';
import { Facts } from './facts.tsx';
import { History } from './history.tsx';
import { OpenInNode } from './open-in-node.tsx';
import { Policies } from './policies.tsx';
import { RecentCommands } from './recent-commands.tsx';
import { RulesInForce } from './rules-in-force.tsx';
import { Standing } from './standing.tsx';

type Instance = InstanceDetailQuery['instance'];
type Beat = InstanceMeasuredSubscription['metricsReported'];

const route = getRouteApi('/instances/$id');

/** One node: how it is, what it measured, and what can be done with it. */
export default function InstancePage() {
  const { id } = route.useParams();
  return <Loaded key={id} id={id} />;
}

function Loaded({ id }: { id: string }) {
  const { data, told, read } = useRead(InstanceDetailDocument, { variables: { id } });
  useAgain(told, read);
  const readSoon = useThrottled(read, 1_000);
  useLive(
    InstanceChangedDocument,
    { instanceId: id },
    { after: data?.fleetCursor, next: readSoon, lost: readSoon },
  );
  // No event of the instance tells what it measures, or that it still does.
  const [beat, setBeat] = useState<Beat>();
  useLive(
    InstanceMeasuredDocument,
    { instanceId: id },
    { next: ({ metricsReported }) => setBeat(metricsReported), lost: readSoon },
  );
  return (
    <One what="the instance" row={data?.instance} told={told} retry={read}>
      {(instance) => <Shown instance={measured(instance, beat)} />}
    </One>
  );
}

/** As its last beat tells it, unless it was read after that. */
function measured(instance: Instance, beat: Beat | undefined): Instance {
  if (!beat || (instance.lastSeen && new Date(beat.timestamp) < new Date(instance.lastSeen))) return instance;
  const { timestamp, cpuPercent, memoryPercent, diskPercent } = beat;
  const metrics = { ...instance.metrics, diskPercent };
  return { ...instance, lastSeen: timestamp, cpuPercent, memoryPercent, metrics };
}

function Shown({ instance }: { instance: Instance }) {
  const { may } = useViewer();
  const [isEditing, setEditing] = useState(false);
  const { id, name } = instance;
  return (
    <Page
      title={name}
      actions={
        <>
          {may('fleet.command.send') && (
            <Link to="/commands/new" search={{ instance: id }} className="button">
              Send a command
            </Link>
          )}
          {may('fleet.instance.update') && (
            <button type="button" aria-haspopup="dialog" onClick={() => setEditing(true)}>
              Edit name and tags
            </button>
          )}
          {may('fleet.instance.impersonate') && <OpenInNode id={id} />}
          <TrailLink target={id} />
        </>
      }
    >
      <p>
        <span aria-live="polite">
          <Status of={instance.status} />
        </span>{' '}
        last seen <Time at={instance.lastSeen} />
      </p>
      <div className="cards">
        <Card title="State">
          {instance.statusReasons.length === 0 ? (
            <p>All components are well.</p>
          ) : (
            <ul className="lines">
              {instance.statusReasons.map(({ code, message, since }) => (
                <li key={`${code} ${message}`}>
                  <strong>{words(code)}</strong> {message} {since && <Time at={since} />}
                </li>
              ))}
            </ul>
          )}
          {instance.isDuplicate && (
            <p className="wrong">
              Two machines seem to use its credential. Enroll the copy with a token of its own.
            </p>
          )}
        </Card>
        <Card title="Machine">
          <dl>
            <dt>Host</dt>
            <dd>
              {instance.hostname} <span className="quiet">{instance.baseUrl}</span>
            </dd>
            <dt>Version</dt>
            <dd>{instance.version}</dd>
            <dt>Size</dt>
            <dd>
              {instance.cpuCores ?? '–'} cores, {instance.memoryGb ?? '–'} GB
            </dd>
            <dt>Now</dt>
            <dd>
              CPU {percent(instance.cpuPercent)}, memory {percent(instance.memoryPercent)}, disk{' '}
              {percent(instance.metrics.diskPercent)}
            </dd>
            <dt>Tags</dt>
            <dd>{instance.tags.join(', ') || 'none'}</dd>
            <dt>Enrolled</dt>
            <dd>
              <Time at={instance.enrolledAt} />
              {may('fleet.token.read') && (
                <>
                  {' '}
                  <Link to="/enrollment" search={{ q: name, token: instance.enrollmentTokenId }}>
                    Its enrollment token
                  </Link>
                </>
              )}
            </dd>
          </dl>
        </Card>
        <Card title="Alerts">
          {instance.activeAlerts.length === 0 && <p>Nothing is wrong.</p>}
          <ul className="lines">
            {instance.activeAlerts.map((alert) => (
              <li key={alert.id}>
                <Status of={alert.severity} /> {alert.message} <Time at={alert.startedAt} />
              </li>
            ))}
          </ul>
          <Link to="/alerts" search={{ instance: id }}>
            All alerts of this instance
          </Link>
        </Card>
        {may('fleet.command.read') && <RecentCommands id={id} />}
        <History id={id} />
        <Policies id={id} name={name} />
        {may('fleet.alert.read') && <RulesInForce id={id} />}
        <Standing id={id} />
        <Facts facts={instance.facts} reportedAt={instance.factsReportedAt} />
      </div>
      {isEditing && <EditDialog instance={instance} onClose={() => setEditing(false)} />}
    </Page>
  );
}
