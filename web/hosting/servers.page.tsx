import { problemOf } from '../api/problem.ts';
import { useFollowed } from '../api/use-followed.ts';
import { useLive } from '../api/use-live.ts';
import { usePages } from '../api/use-pages.ts';
import { useRead } from '../api/use-read.ts';
import { ProvidersDocument, ServerChangedDocument, ServersDocument } from '../generated/graphql.ts';
import { Listing } from '../parts/listing.tsx';
import { Page } from '../parts/page.tsx';
import { useViewer } from '../session/viewer.tsx';
import { Budget } from './budget.tsx';
import { NewServer } from './new-server.tsx';
import { Providers } from './providers.tsx';
import { ServerLine } from './server-line.tsx';

/** Servers that the panel had made, each with its way from the order to the first beat, live. */
export default function ServersPage() {
  const { may } = useViewer();
  const withCosts = may('hosting.cost.read');
  const isReader = may('hosting.provider.read');
  const isOrderer = may('hosting.server.provision');
  const { rows, error, hasMore, more, put, reload } = usePages(
    ServersDocument,
    { withCosts },
    ({ servers }) => servers,
  );
  const providers = useRead(ProvidersDocument, { pause: !isReader });
  useLive(
    ServerChangedDocument,
    { withCosts },
    { next: ({ serverChanged }) => put(serverChanged), lost: reload },
  );
  useFollowed(ServerChangedDocument, { withCosts }, reload);
  const usable = providers.data?.hostingProviders.filter(({ status }) => status === 'ACTIVE');
  return (
    <Page title="Servers">
      <div className="cards">
        <Listing
          title="Servers"
          rows={rows}
          told={error && problemOf(error)}
          retry={reload}
          more={hasMore ? more : undefined}
          empty={noneYet(usable?.length, { isOrderer, isConnector: may('hosting.provider.manage') })}
          keyOf={({ id }) => id}
          render={(server) => <ServerLine server={server} onChange={put} />}
        />
        {isOrderer && usable && usable.length > 0 && <NewServer providers={usable} onMade={put} />}
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
