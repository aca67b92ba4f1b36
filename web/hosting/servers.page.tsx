import { getRouteApi } from '@tanstack/react-router';

import { problemOf } from '../api/problem.ts';
import { useFollowed } from '../api/use-followed.ts';
import { useLive } from '../api/use-live.ts';
import { usePages } from '../api/use-pages.ts';
import { useRead } from '../api/use-read.ts';
import { ProvidersDocument, ServerChangedDocument, ServersDocument } from '../generated/graphql.ts';
import { Choice } from '../parts/field.tsx';
import { Listing } from '../parts/listing.tsx';
import { Page } from '../parts/page.tsx';
import { withoutEmpty } from '../parts/search.ts';
import { words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { Budget } from './budget.tsx';
import { NewServer } from './new-server.tsx';
import { Providers } from './providers.tsx';
import { ServerLine } from './server-line.tsx';
import { serverStatuses, type ServerSearch } from './server-search.ts';

const route = getRouteApi('/servers');

const states = [
  { value: '' as const, text: 'Any but deleted ones' },
  ...serverStatuses.map((value) => ({ value, text: words(value) })),
];

/** Servers that the panel had made, each with its way from the order to the first beat, live. */
export default function ServersPage() {
  const { may } = useViewer();
  const withCosts = may('hosting.cost.read');
  const isReader = may('hosting.provider.read');
  const isOrderer = may('hosting.server.provision');
  const navigate = route.useNavigate();
  const search = route.useSearch();
  const change = (more: { [Name in keyof ServerSearch]?: string }) =>
    void navigate({
      search: (before) => withoutEmpty<ServerSearch>({ ...before, ...more }),
      replace: true,
    });
  const { rows, error, hasMore, more, put, reload } = usePages(
    ServersDocument,
    { withCosts, filter: { status: search.status ?? null, provider: search.provider ?? null } },
    ({ servers }) => servers,
  );
  const providers = useRead(ProvidersDocument, { pause: !isReader });
  useLive(
    ServerChangedDocument,
    { withCosts },
    {
      // What is shown. Others are where they belong, or beyond what is shown, once the list is read again.
      next: ({ serverChanged }) => rows?.some(({ id }) => id === serverChanged.id) && put(serverChanged),
      lost: reload,
    },
  );
  useFollowed(ServerChangedDocument, { withCosts }, reload);
  const known = providers.data?.hostingProviders;
  const usable = known?.filter(({ status }) => status === 'ACTIVE');
  return (
    <Page title="Servers">
      <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <Choice
          label="State"
          value={search.status ?? ''}
          options={states}
          onChange={(status) => change({ status })}
        />
        {known && (
          <Choice
            label="At the provider"
            value={search.provider ?? ''}
            options={[
              { value: '', text: 'Any provider' },
              ...known.map(({ id, name }) => ({ value: id, text: name })),
            ]}
            onChange={(provider) => change({ provider })}
          />
        )}
      </form>
      <div className="cards">
        <Listing
          title="Servers"
          rows={rows}
          told={error && problemOf(error)}
          retry={reload}
          more={hasMore ? more : undefined}
          empty={
            Object.keys(search).length > 0
              ? 'None is like this.'
              : noneYet(usable?.length, { isOrderer, isConnector: may('hosting.provider.manage') })
          }
          keyOf={({ id }) => id}
          render={(server) => <ServerLine server={server} onChange={put} />}
        />
        {isOrderer && usable && usable.length > 0 && (
          <NewServer
            providers={usable}
            onMade={({ id }) => void navigate({ to: '/servers/$id', params: { id } })}
          />
        )}
        {withCosts && <Budget />}
        {isReader && <Providers reading={providers} />}
      </div>
    </Page>
  );
}

/** And the first step, where somebody may take it. */
function noneYet(usable: number | undefined, { isOrderer = false, isConnector = false }): string {
  if (usable === 0 && isConnector) {
    return 'There is none yet. Connect a provider first, by a token of your account there.';
  }
  return usable && isOrderer ? 'There is none yet. Order the first one below.' : 'There is none yet.';
}
