import { useState } from 'react';

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

const ranges = [
  { value: '7d', text: 'Seven days' },
  { value: '30d', text: 'Thirty days' },
  { value: '12mo', text: 'A year' },
] as const;

/** What of the plan is used, and was until now. */
export function Use() {
  const [range, setRange] = useState<(typeof ranges)[number]['value']>('30d');
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
          <Choice label="Until now" value={range} options={ranges} onChange={setRange} />
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
