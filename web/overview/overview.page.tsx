import { Link } from '@tanstack/react-router';
import { useState } from 'react';

import { useAgain } from '../api/use-again.ts';
import { useLive } from '../api/use-live.ts';
import { useRead } from '../api/use-read.ts';
import {
  FleetHealthChangedDocument,
  FleetHealthDocument,
  type FleetNumbersFragment,
} from '../generated/graphql.ts';
import { Empty, Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { count } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { Changes } from './changes.tsx';
import { Costs } from './costs.tsx';
import { Firing } from './firing.tsx';
import { PlanUse } from './plan-use.tsx';
import { Score } from './score.tsx';

/** How the fleet is, live. */
export function OverviewPage() {
  const { may } = useViewer();
  const { data, told, read } = useRead(FleetHealthDocument);
  useAgain(told, read);
  const [changed, setChanged] = useState<FleetNumbersFragment>();
  useLive(
    FleetHealthChangedDocument,
    {},
    {
      after: data?.fleetCursor,
      next: ({ fleetHealthChanged }) => setChanged(fleetHealthChanged),
      lost: () => {
        setChanged(undefined);
        read();
      },
    },
  );
  const fleet = changed ?? data?.fleetSummary;
  return (
    <Page title="Overview">
      <Problem told={told} retry={read} />
      {fleet && <Health fleet={fleet} />}
      {fleet?.totalInstances === 0 && (
        <Empty>
          <p>No node has enrolled yet.</p>
          {may('fleet.token.create') ? (
            <Link to="/enrollment" className="button main">
              Enroll the first node
            </Link>
          ) : (
            <p>Ask an owner, admin or operator of your organization to enroll one.</p>
          )}
        </Empty>
      )}
      <div className="cards">
        {may('fleet.alert.read') && <Firing />}
        {may('governance.score.read') && <Score />}
        {may('billing.usage.read') && <PlanUse />}
        {may('hosting.cost.read') && <Costs />}
        {may('identity.audit.read') && <Changes />}
      </div>
    </Page>
  );
}

const states = [
  { status: 'HEALTHY', key: 'healthy', text: 'Healthy', tone: 'good' },
  { status: 'DEGRADED', key: 'degraded', text: 'Degraded', tone: 'warn' },
  { status: 'OFFLINE', key: 'offline', text: 'Offline', tone: 'bad' },
] as const;

function Health({ fleet }: { fleet: FleetNumbersFragment }) {
  return (
    <section aria-label="Fleet health">
      <ul className="numbers">
        {states.map(({ status, key, text, tone }) => (
          <li key={key}>
            <Link to="/instances" search={{ status }} className={`number ${tone}`}>
              <strong>{count(fleet[key])}</strong> {text}
            </Link>
          </li>
        ))}
        <li>
          <Link to="/instances" className="number">
            <strong>{count(fleet.totalInstances)}</strong> Instances
          </Link>
        </li>
      </ul>
      <p className="quiet">
        {count(fleet.totalApps)} apps on {count(fleet.totalCpuCores)} cores and {count(fleet.totalMemoryGb)}{' '}
        GB of memory.
      </p>
    </section>
  );
}
