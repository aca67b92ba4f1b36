import { useState } from 'react';

import { problemOf } from '../api/problem.ts';
import { usePages } from '../api/use-pages.ts';
import { CommissionsDocument, type CommissionsQuery } from '../generated/graphql.ts';
import { Listing } from '../parts/listing.tsx';
import { Time } from '../parts/time.tsx';
import { minor, words } from '../parts/words.ts';

/** What a partner earned by what its customers paid, newest first. */
export function Commissions({ partnerId }: { partnerId: string }) {
  const [totals, setTotals] = useState<CommissionsQuery['commissions']['totals']>([]);
  const { rows, error, hasMore, more, reload } = usePages(
    CommissionsDocument,
    { partnerId },
    ({ commissions }) => {
      setTotals(commissions.totals);
      return commissions;
    },
  );
  const sums = totals.map(({ amount, currency }) => minor(amount, currency)).join(', ');
  return (
    <Listing
      title={sums ? `Commissions: ${sums} in all` : 'Commissions'}
      rows={rows}
      told={error && problemOf(error)}
      retry={reload}
      more={hasMore ? more : undefined}
      empty="Nothing was earned yet. The first commission comes with the first invoice that a client pays."
      keyOf={({ id }) => id}
      render={({ kind, amountPaid, commissionPercent, amount, currency, paidAt }) => (
        <div>
          <strong>{minor(amount, currency)}</strong> {words(kind).toLowerCase()}: {commissionPercent} % of{' '}
          {minor(amountPaid, currency)} <Time at={paidAt} />
        </div>
      )}
    />
  );
}
