import { useAgain } from '../api/use-again.ts';
import { useFollowed } from '../api/use-followed.ts';
import { useRead } from '../api/use-read.ts';
import { CostsDocument, ServerChangedDocument } from '../generated/graphql.ts';
import { Card } from '../parts/card.tsx';
import { money } from '../parts/words.ts';

/** What the servers cost. */
export function Costs() {
  const { data, error, told, read } = useRead(CostsDocument);
  useAgain(told, read);
  useFollowed(ServerChangedDocument, { withCosts: true }, read);
  return (
    <Card title="Cost of servers" error={error} retry={read} isReading={!data && !error}>
      {data?.hostingCosts.length === 0 && <p>No server is rented.</p>}
      {data?.hostingCosts.map(({ currency, perMonth, thisMonth, budget }) => (
        <div key={currency}>
          <p className="big">{money(thisMonth, currency)}</p>
          <p>
            this month so far; {money(perMonth, currency)} in a whole month
            {budget === null ? ', without a budget' : `, of a budget of ${money(budget, currency)}`}.
          </p>
        </div>
      ))}
    </Card>
  );
}
