import { problemOf } from '../api/problem.ts';
import { useFollowed } from '../api/use-followed.ts';
import { usePages } from '../api/use-pages.ts';
import { useRead } from '../api/use-read.ts';
import {
  DelegationChangedDocument,
  DelegationsReceivedDocument,
  MspClientsDocument,
} from '../generated/graphql.ts';
import { Listing } from '../parts/listing.tsx';
import { Page } from '../parts/page.tsx';
import { useViewer } from '../session/viewer.tsx';
import { ClientLine } from './client-line.tsx';
import { NewClient } from './new-client.tsx';

/** Organizations that this one manages; acting in one needs a grant of it. */
export default function ClientsPage() {
  const { may } = useViewer();
  const isActor = may('identity.delegation.use');
  const { rows, error, hasMore, more, reload } = usePages(
    MspClientsDocument,
    {},
    ({ mspClients }) => mspClients,
  );
  const grants = useRead(DelegationsReceivedDocument, { pause: !isActor });
  useFollowed(DelegationChangedDocument, {}, grants.read, isActor);
  const open = new Map(
    grants.data?.delegationsReceived.nodes
      .filter(({ revokedAt, expiresAt }) => revokedAt === null && new Date(expiresAt) > new Date())
      .map((grant) => [grant.clientId, grant]),
  );
  const isPlanMissing = error && problemOf(error).code === 'PLAN_REQUIRED';
  return (
    <Page title="Clients">
      <div className="cards">
        <Listing
          title="Clients"
          rows={rows}
          told={error && problemOf(error)}
          {...(isPlanMissing ? {} : { retry: reload })}
          more={hasMore ? more : undefined}
          empty="You manage nobody yet. Make the first client below: its owner is invited by mail."
          keyOf={({ id }) => id}
          render={(client) => <ClientLine client={client} grant={open.get(client.id)} onChange={reload} />}
        />
        {!error && may('identity.msp.manage') && <NewClient onMade={reload} />}
      </div>
    </Page>
  );
}
