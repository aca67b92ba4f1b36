import { getRouteApi } from '@tanstack/react-router';

import { useFollowed } from '../api/use-followed.ts';
import { useRead } from '../api/use-read.ts';
import {
  BillingUseDocument,
  FleetHealthChangedDocument,
  SubscriptionChangedDocument,
  UseHistoryDocument,
  type FleetHealthChangedSubscription,
  type UsePastFragment,
} from '../generated/graphql.ts';
import { Card, Meter } from '../parts/card.tsx';
import { Choice } from '../parts/field.tsx';
import { Problem } from '../parts/problem.tsx';
import { Sparkline } from '../parts/sparkline.tsx';
import { useRanges } from './billing-search.ts';

const route = getRouteApi('/billing');

const rangeTexts = { '7d': 'Seven days', '30d': 'Thirty days', '12mo': 'A year' } as const;
const ranges = useRanges.map((value) => ({ value, text: rangeTexts[value] }));

/** What of the plan is used, and was until now. */
export function Use() {
  const { range = '30d' } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, told, read } = useRead(BillingUseDocument);
  const past = useRead(UseHistoryDocument, { variables: { range } });
  useFollowed(SubscriptionChangedDocument, {}, read);
  const isOtherNumber = ({ fleetHealthChanged }: FleetHealthChangedSubscription) =>
    fleetHealthChanged.totalInstances !== data?.usage.nodes.used;
  useFollowed(FleetHealthChangedDocument, {}, read, true, isOtherNumber);
  return (
    <Card title="Use">
      <Problem told={told} retry={read} />
      {data && (
        <>
          <Meter label="Instances" {...data.usage.nodes} />
          {past.data && <Past {...past.data.instances} />}
          <Meter label="Users" {...data.usage.users} />
          {past.data && <Past {...past.data.users} />}
          <Meter label="Storage" {...data.usage.storage} unit=" GB" />
          {past.data && <Past {...past.data.storage} unit=" GB" />}
          <Choice
            label="Until now"
            value={range}
            options={ranges}
            onChange={(value) =>
              void navigate({ search: (before) => ({ ...before, range: value }), replace: true })
            }
          />
        </>
      )}
      <Problem told={past.told} retry={past.read} />
    </Card>
  );
}

const shown = (value: number) => Math.round(value * 10) / 10;

/** How it came to that: the most of each hour or day as a line, of those in which something was measured. */
function Past({ buckets, unit = '' }: UsePastFragment & { unit?: string }) {
  const most = buckets.flatMap(({ max }) => (max === null ? [] : [max]));
  const means = buckets.flatMap(({ mean }) => (mean === null ? [] : [mean]));
  if (most.length === 0) return <p className="quiet">Not measured yet; it is once an hour.</p>;
  const top = Math.max(...most);
  const average = means.reduce((sum, mean) => sum + mean, 0) / means.length;
  return (
    <p className="quiet">
      <Sparkline values={most.map((value) => (top === 0 ? 0 : (100 * value) / top))} /> {shown(average)}
      {unit} on average, {shown(top)}
      {unit} at most
    </p>
  );
}
