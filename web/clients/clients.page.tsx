import { getRouteApi } from '@tanstack/react-router';

import { problemOf } from '../api/problem.ts';
import { useFollowed } from '../api/use-followed.ts';
import { usePages } from '../api/use-pages.ts';
import { MspClientChangedDocument, MspClientsDocument } from '../generated/graphql.ts';
import { Choice, Field } from '../parts/field.tsx';
import { Listing } from '../parts/listing.tsx';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { withoutEmpty } from '../parts/search.ts';
import { useTyped } from '../parts/use-typed.ts';
import { useViewer } from '../session/viewer.tsx';
import { ClientLine } from './client-line.tsx';
import type { ClientSearch } from './client-search.ts';
import { ErasedClients } from './erased-clients.tsx';
import { NewClient } from './new-client.tsx';
import { useGrants } from './use-grants.ts';

const kinds = {
  '': {},
  attention: { needsAttention: true },
  active: { status: 'ACTIVE' },
  suspended: { status: 'SUSPENDED' },
} as const;

const kindOptions = [
  { value: '', text: 'All' },
  { value: 'attention', text: 'Need attention' },
  { value: 'active', text: 'Active' },
  { value: 'suspended', text: 'Suspended' },
] as const;

const route = getRouteApi('/clients');

/** Organizations that this one manages, and how they fare; acting in one needs a grant of it. */
export default function ClientsPage() {
  const { may } = useViewer();
  const navigate = route.useNavigate();
  const { q: search = '', kind = '' } = route.useSearch();
  const change = (more: { q?: string; kind?: keyof typeof kinds }) =>
    void navigate({
      search: (before) => withoutEmpty<ClientSearch>({ ...before, ...more }),
      replace: true,
    });
  const [typed, setTyped] = useTyped(search, (q) => change({ q }));
  const { rows, error, hasMore, more, reload } = usePages(
    MspClientsDocument,
    { filter: { search: search || null, ...kinds[kind] } },
    ({ mspClients }) => mspClients,
  );
  const isActor = may('identity.delegation.use');
  const grants = useGrants(isActor);
  const isPlanMissing = error && problemOf(error).code === 'PLAN_REQUIRED';
  useFollowed(MspClientChangedDocument, {}, reload, !isPlanMissing);
  const noneYet = may('identity.msp.manage')
    ? 'You manage nobody yet. Make the first client below: its owner is invited by mail.'
    : 'You manage nobody yet.';
  const isNarrowed = search !== '' || kind !== '';
  return (
    <Page title="Clients">
      {!isPlanMissing && <Problem told={grants.told} retry={grants.read} />}
      {!isPlanMissing && (
        <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
          <Field
            label="Name or contact"
            type="search"
            maxLength={254}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
          <Choice
            label="Which"
            value={kind}
            options={kindOptions}
            onChange={(chosen) => change({ kind: chosen })}
          />
        </form>
      )}
      <div className="cards">
        <Listing
          title="Clients"
          rows={rows}
          told={error && problemOf(error)}
          {...(isPlanMissing ? {} : { retry: reload })}
          more={hasMore ? more : undefined}
          empty={isNarrowed ? 'None is like this.' : noneYet}
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
