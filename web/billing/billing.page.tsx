import { getRouteApi } from '@tanstack/react-router';

import { useFollowed } from '../api/use-followed.ts';
import { useRead } from '../api/use-read.ts';
import { BillingDocument, SubscriptionChangedDocument } from '../generated/graphql.ts';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { useViewer } from '../session/viewer.tsx';
import { Invoices } from './invoices.tsx';
import { PlanChange } from './plan-change.tsx';
import { Standing } from './standing.tsx';
import { TestClock } from './test-clock.tsx';
import { Use } from './use.tsx';

const route = getRouteApi('/billing');

/** What the organization has, uses, pays and could have instead. */
export default function BillingPage() {
  const { may } = useViewer();
  const { data, told, read } = useRead(BillingDocument);
  useFollowed(SubscriptionChangedDocument, {}, read);
  const { checkout } = route.useSearch();
  return (
    <Page title="Billing">
      {checkout && <p role="status">{afterCheckout(checkout, data?.subscription.isSubscribed)}</p>}
      <Problem told={told} retry={read} />
      <div className="cards">
        {data && <Standing subscription={data.subscription} onChange={read} />}
        {may('billing.usage.read') && <Use />}
        {data && may('billing.subscription.manage') && (
          <PlanChange subscription={data.subscription} onChange={read} />
        )}
        {may('billing.test-clock.read') && <TestClock onMoved={read} />}
        {may('billing.invoice.read') && <Invoices />}
      </div>
    </Page>
  );
}

function afterCheckout(checkout: 'done' | 'cancelled', isSubscribed = false): string {
  if (checkout === 'cancelled') return 'Nothing was bought.';
  return isSubscribed
    ? 'Thank you. The plan is in force.'
    : 'Thank you. The plan is in force as soon as the payment provider has told of it, which takes some seconds.';
}
