import { getRouteApi } from '@tanstack/react-router';

import { useFollowed } from '../api/use-followed.ts';
import { useRead } from '../api/use-read.ts';
import {
  DeleteMspClientDocument,
  MspClientChangedDocument,
  MspClientDocument,
  type MspClientQuery,
} from '../generated/graphql.ts';
import { TrailLink } from '../organization/trail-link.tsx';
import { Action } from '../parts/action.tsx';
import { Card, Meter } from '../parts/card.tsx';
import { One } from '../parts/one.tsx';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { Status } from '../parts/status.tsx';
import { exactTime, Time } from '../parts/time.tsx';
import { words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { ChangeClient } from './change-client.tsx';
import { ClientActions } from './client-actions.tsx';
import { ClientGrants } from './client-grants.tsx';
import { ClientHealth } from './client-health.tsx';
import { RequestsToClient } from './requests-to-client.tsx';
import { isLetIn, useGrants } from './use-grants.ts';

const route = getRouteApi('/clients/$id');

/** One client: what it has, who may act in it, and what becomes of it. */
export default function ClientPage() {
  const { id } = route.useParams();
  const { data, told, read } = useRead(MspClientDocument, { variables: { id } });
  useFollowed(MspClientChangedDocument, { id }, read, data !== undefined);
  return (
    <One what="the client" row={data?.mspClient} told={told} retry={read}>
      {(client) => <Shown key={id} client={client} onChange={read} />}
    </One>
  );
}

interface ShownProps {
  client: MspClientQuery['mspClient'];
  onChange: () => void;
}

function Shown({ client, onChange }: ShownProps) {
  const { may, me } = useViewer();
  const isActor = may('identity.delegation.use');
  const grants = useGrants(isActor);
  const isGranted = isLetIn(grants.byClient?.get(client.id), me.id);
  const { id, name, contactEmail, plan, instanceLimit, instancesUsed, health, status, createdAt } = client;
  const { suspendedAt, suspendedBy, eraseAt } = client;
  const isManager = may('identity.msp.manage');
  return (
    <Page
      title={name}
      actions={
        <>
          <ClientActions
            client={client}
            contactEmail={contactEmail}
            isGranted={isGranted}
            onChange={onChange}
          />
          {isManager && eraseAt === null && (
            <Action
              document={DeleteMspClientDocument}
              variables={{ id }}
              text="Delete"
              label={`Delete ${name}`}
              confirm="It is suspended at once, and erased with all that it has in 30 days. Until then it can be restored."
              done={`${name} is deleted.`}
              onDone={onChange}
            />
          )}
          <TrailLink target={id} />
        </>
      }
    >
      <Problem told={grants.told} retry={grants.read} />
      <p aria-live="polite">
        <Status of={status} /> {suspendedAt && `since ${exactTime(suspendedAt)}`}
        {suspendedBy.includes('PANEL') && ", by the panel's administrators"}
      </p>
      {eraseAt && <p className="wrong">All of it is erased {exactTime(eraseAt)}, unless it is restored.</p>}
      <div className="cards">
        <Card title="What it has">
          <ClientHealth health={health} />
          <Meter label="Instances" used={instancesUsed} limit={instanceLimit} />
          <dl>
            <dt>Plan</dt>
            <dd>{words(plan)}</dd>
            <dt>Contact</dt>
            <dd>{contactEmail}</dd>
            <dt>Client since</dt>
            <dd>
              <Time at={createdAt} />
            </dd>
          </dl>
        </Card>
        {isManager && eraseAt === null && <ChangeClient client={client} onChange={onChange} />}
        {isActor && <ClientGrants clientId={id} />}
        {isActor && <RequestsToClient clientId={id} name={name} />}
      </div>
    </Page>
  );
}
