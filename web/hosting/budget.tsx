import { useState } from 'react';

import { useFollowed } from '../api/use-followed.ts';
import { useRead } from '../api/use-read.ts';
import {
  HostingCostsDocument,
  ServerChangedDocument,
  SetHostingBudgetDocument,
} from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Action } from '../parts/action.tsx';
import { Card } from '../parts/card.tsx';
import { Choice, Field } from '../parts/field.tsx';
import { Problem } from '../parts/problem.tsx';
import { money } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';

/** What servers cost, and the most that they may cost. */
export function Budget() {
  const { may } = useViewer();
  const { data, told, read } = useRead(HostingCostsDocument);
  useFollowed(ServerChangedDocument, { withCosts: true }, read);
  const costs = data?.hostingCosts;
  // One may be set before the first server of its currency is ordered.
  const currencies = [...new Set([...(costs ?? []).map(({ currency }) => currency), 'EUR', 'USD'])];
  const [chosen, setCurrency] = useState<string>();
  const currency = chosen ?? currencies[0]!;
  const isManager = may('hosting.budget.manage');
  return (
    <Card title="Costs and budget">
      <Problem told={told} retry={read} />
      {costs?.length === 0 && <p className="quiet">No server has cost anything yet.</p>}
      <ul className="lines">
        {costs?.map(({ currency: of, perMonth, thisMonth, budget }) => (
          <li key={of}>
            <strong>{money(thisMonth, of)}</strong> this month, at most {money(perMonth, of)} a month
            {budget === null ? ', without a budget' : ` of a budget of ${money(budget, of)}`}{' '}
            {isManager && budget !== null && (
              <Action
                document={SetHostingBudgetDocument}
                variables={{ input: { currency: of, monthlyLimit: null } }}
                text="No budget"
                label={`No budget in ${of}`}
                confirm="No order is refused any more for what servers cost then."
                done={`There is no budget in ${of}.`}
                onDone={read}
              />
            )}
          </li>
        ))}
      </ul>
      {costs && isManager && (
        <ActionForm
          document={SetHostingBudgetDocument}
          variables={(form) => ({ input: { currency, monthlyLimit: Number(form.get('limit')) } })}
          submit="Set the budget"
          done="The budget is set."
          onDone={read}
        >
          <Choice
            label="Currency"
            name="currency"
            value={currency}
            options={currencies.map((value) => ({ value, text: value }))}
            onChange={setCurrency}
          />
          <Field
            key={currency}
            label="At most, a month"
            name="limit"
            type="number"
            min={0}
            step="0.01"
            required
            defaultValue={costs.find((one) => one.currency === currency)?.budget ?? ''}
          />
        </ActionForm>
      )}
    </Card>
  );
}
