import { problemOf } from '../api/problem.ts';
import { usePages } from '../api/use-pages.ts';
import { MspClientsDocument } from '../generated/graphql.ts';
import { Listing } from '../parts/listing.tsx';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { useViewer } from '../session/viewer.tsx';
import { ClientLine } from './client-line.tsx';
import { ErasedClients } from './erased-clients.tsx';
import { NewClient } from './new-client.tsx';
import { useGrants } from './use-grants.ts';

/** Organizations that this one manages; acting in one needs a grant of it. */
export default function ClientsPage() {
  const { may } = useViewer();
  const { rows, error, hasMore, more, reload } = usePages(
    MspClientsDocument,
    {},
    ({ mspClients }) => mspClients,
  );
  const isActor = may('identity.delegation.use');
  const grants = useGrants(isActor);
  const isPlanMissing = error && problemOf(error).code === 'PLAN_REQUIRED';
  return (
    <Page title="Clients">
      {!isPlanMissing && <Problem told={grants.told} retry={grants.read} />}
      <div className="cards">
        <Listing
          title="Clients"
          rows={rows}
          told={error && problemOf(error)}
          {...(isPlanMissing ? {} : { retry: reload })}
          more={hasMore ? more : undefined}
          empty="You manage nobody yet. Make the first client below: its owner is invited by mail."
          keyOf={({ id }) => id}
          render={(client) => (
            <ClientLine client={client} grants={isActor ? grants.byClient : undefined} onChange={reload} />
          )}
        />
        {!error && may('identity.msp.manage') && <NewClient onMade={reload} />}
        {!error && may('identity.msp.manage') && <ErasedClients />}
      </div>
    </Page>
  );
}
