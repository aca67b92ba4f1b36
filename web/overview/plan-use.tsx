import { useAgain } from '../api/use-again.ts';
import { useFollowed } from '../api/use-followed.ts';
import { useRead } from '../api/use-read.ts';
import {
  FleetHealthChangedDocument,
  PlanUseDocument,
  SubscriptionChangedDocument,
  type FleetHealthChangedSubscription,
} from '../generated/graphql.ts';
import { Card, Meter } from '../parts/card.tsx';
import { exactTime } from '../parts/time.tsx';
import { words } from '../parts/words.ts';

/** What of the plan is used. */
export function PlanUse() {
  const { data, error, told, read } = useRead(PlanUseDocument);
  useAgain(told, read);
  useFollowed(SubscriptionChangedDocument, {}, read);
  const isOtherNumber = ({ fleetHealthChanged }: FleetHealthChangedSubscription) =>
    fleetHealthChanged.totalInstances !== data?.usage.nodes.used;
  useFollowed(FleetHealthChangedDocument, {}, read, true, isOtherNumber);
  return (
    <Card title="Plan" error={error} retry={read} isReading={!data && !error}>
      {data && (
        <>
          <p>
            {words(data.subscription.plan)}, {words(data.subscription.status).toLowerCase()}
          </p>
          {data.subscription.overduePayment && !data.subscription.isReadOnly && (
            <p className="wrong">
              A payment is overdue. Nothing can be added from{' '}
              {exactTime(data.subscription.overduePayment.readOnlyAt)} on; an owner can settle it.
            </p>
          )}
          {data.subscription.isReadOnly && (
            <p className="wrong">
              Nothing can be added until the open payment is settled. An owner can settle it.
            </p>
          )}
          <Meter label="Instances" {...data.usage.nodes} />
          <Meter label="Users" {...data.usage.users} />
          <Meter label="Storage" {...data.usage.storage} unit=" GB" />
        </>
      )}
    </Card>
  );
}
