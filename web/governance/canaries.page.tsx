import { Link, useNavigate } from '@tanstack/react-router';

import { problemOf } from '../api/problem.ts';
import { useFollowed } from '../api/use-followed.ts';
import { usePages } from '../api/use-pages.ts';
import { CanariesDocument, CanaryProgressedDocument } from '../generated/graphql.ts';
import { Listing } from '../parts/listing.tsx';
import { Page } from '../parts/page.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { NewCanary } from './new-canary.tsx';
import { GovernanceTabs } from './tabs.tsx';

/** Commands that came step by step, newest first. */
export default function CanariesPage() {
  const { may } = useViewer();
  const navigate = useNavigate();
  const { rows, error, hasMore, more, reload } = usePages(CanariesDocument, {}, ({ canaries }) => canaries);
  useFollowed(CanaryProgressedDocument, { id: null }, reload);
  return (
    <Page title="Canaries" actions={<GovernanceTabs />}>
      <div className="cards">
        <Listing
          title="Rollouts"
          rows={rows}
          told={error && problemOf(error)}
          retry={reload}
          more={hasMore ? more : undefined}
          empty="There was none yet. Make one below: it comes to a few first, and is taken back when it does harm."
          keyOf={({ id }) => id}
          render={({ id, name, command, status, currentStep, steps, createdAt, instances }) => (
            <div>
              <Status of={status} />{' '}
              <Link to="/governance/canaries/$id" params={{ id }}>
                {name}
              </Link>{' '}
              <Time at={createdAt} />
              <p className="quiet">
                {words(command)}, step {Math.max(1, currentStep)} of {steps.length}, {instances.updated} of{' '}
                {instances.target} have it
              </p>
            </div>
          )}
        />
        {may('governance.canary.manage') && (
          <NewCanary onMade={(id) => void navigate({ to: '/governance/canaries/$id', params: { id } })} />
        )}
      </div>
    </Page>
  );
}
