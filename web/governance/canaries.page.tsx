import { getRouteApi, Link } from '@tanstack/react-router';

import { problemOf } from '../api/problem.ts';
import { useFollowed } from '../api/use-followed.ts';
import { usePages } from '../api/use-pages.ts';
import { CanariesDocument, CanaryProgressedDocument } from '../generated/graphql.ts';
import { Choice } from '../parts/field.tsx';
import { Listing } from '../parts/listing.tsx';
import { Page } from '../parts/page.tsx';
import { withoutEmpty } from '../parts/search.ts';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { canaryStatuses, type CanarySearch } from './canary-search.ts';
import { NewCanary } from './new-canary.tsx';
import { GovernanceTabs } from './tabs.tsx';

const route = getRouteApi('/governance/canaries');

const states = [
  { value: '' as const, text: 'Any' },
  ...canaryStatuses.map((value) => ({ value, text: words(value) })),
];

/** Commands that came step by step, newest first. */
export default function CanariesPage() {
  const { may } = useViewer();
  const isManager = may('governance.canary.manage');
  const noneYet = isManager
    ? 'There was none yet. Make one below: it comes to a few first, and is taken back when it does harm.'
    : 'There was none yet.';
  const navigate = route.useNavigate();
  const { status = '' } = route.useSearch();
  const { rows, error, hasMore, more, reload } = usePages(
    CanariesDocument,
    { filter: status === '' ? null : { status: [status] } },
    ({ canaries }) => canaries,
  );
  useFollowed(CanaryProgressedDocument, { id: null }, reload);
  return (
    <Page title="Canaries" actions={<GovernanceTabs />}>
      <form className="filters" onSubmit={(event) => event.preventDefault()}>
        <Choice
          label="State"
          value={status}
          options={states}
          onChange={(chosen) =>
            void navigate({ search: withoutEmpty<CanarySearch>({ status: chosen }), replace: true })
          }
        />
      </form>
      <div className="cards">
        <Listing
          title="Rollouts"
          rows={rows}
          told={error && problemOf(error)}
          retry={reload}
          more={hasMore ? more : undefined}
          empty={status === '' ? noneYet : 'None is in this state.'}
          keyOf={({ id }) => id}
          render={({ id, name, command, currentStep, steps, createdAt, instances, ...canary }) => (
            <div>
              <Status of={canary.status} />{' '}
              <Link to="/governance/canaries/$id" params={{ id }}>
                {name}
              </Link>{' '}
              <Time at={createdAt} />
              <p className="quiet">
                {words(command)}, step {Math.max(1, currentStep)} of {steps.length}, {instances.updated} of{' '}
                {instances.target} have it
                {canary.reason === 'AWAITING_APPROVAL' && ': it waits for somebody to resume it'}
              </p>
            </div>
          )}
        />
        {isManager && (
          <NewCanary onMade={(id) => void navigate({ to: '/governance/canaries/$id', params: { id } })} />
        )}
      </div>
    </Page>
  );
}
