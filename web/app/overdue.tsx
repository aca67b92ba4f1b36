import { Link } from '@tanstack/react-router';

import { useFollowed } from '../api/use-followed.ts';
import { useRead } from '../api/use-read.ts';
import { OverdueDocument, SubscriptionChangedDocument } from '../generated/graphql.ts';
import { exactTime } from '../parts/time.tsx';

/** Told on every page while a payment is overdue, by which time it can still be made in peace. */
export function Overdue() {
  const { data, read } = useRead(OverdueDocument);
  useFollowed(SubscriptionChangedDocument, {}, read);
  const { overduePayment, isReadOnly } = data?.subscription ?? {};
  if (!overduePayment) return null;
  return (
    <section className="acting" aria-label="A payment is overdue">
      A payment is overdue since {exactTime(overduePayment.since)}.{' '}
      {isReadOnly
        ? 'Nothing can be added until it is made.'
        : `Unless it is made, nothing can be added from ${exactTime(overduePayment.readOnlyAt)} on.`}{' '}
      <Link to="/billing">See the billing</Link>
    </section>
  );
}
