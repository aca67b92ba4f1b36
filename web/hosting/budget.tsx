import { useRead } from '../api/use-read.ts';
import { HostingCostsDocument, SetHostingBudgetDocument } from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Card } from '../parts/card.tsx';
import { Field, Select } from '../parts/field.tsx';
import { textOf } from '../parts/form.ts';
import { Problem } from '../parts/problem.tsx';
import { money } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';

/** What servers cost, and the most that they may cost. */
export function Budget() {
  const { may } = useViewer();
  const { data, told, read } = useRead(HostingCostsDocument);
  const costs = data?.hostingCosts;
  const currencies = costs && costs.length > 0 ? costs.map(({ currency }) => currency) : ['EUR', 'USD'];
  return (
    <Card title="Costs and budget">
      <Problem told={told} retry={read} />
      {costs?.length === 0 && <p className="quiet">No server has cost anything yet.</p>}
      <ul className="lines">
        {costs?.map(({ currency, perMonth, thisMonth, budget }) => (
          <li key={currency}>
            <strong>{money(thisMonth, currency)}</strong> this month, at most {money(perMonth, currency)} a
            month{budget === null ? ', without a budget' : ` of a budget of ${money(budget, currency)}`}
          </li>
        ))}
      </ul>
      {costs && may('hosting.budget.manage') && (
        <ActionForm
          document={SetHostingBudgetDocument}
          variables={(form) => {
            const limit = textOf(form, 'limit');
            return {
              input: {
                currency: textOf(form, 'currency'),
                monthlyLimit: limit === '' ? null : Number(limit),
              },
            };
          }}
          submit="Set the budget"
          done="The budget is set."
          onDone={read}
        >
          <Select
            label="Currency"
            name="currency"
            options={currencies.map((value) => ({ value, text: value }))}
          />
          <Field
            label="At most, a month"
            name="limit"
            type="number"
            min={0}
            step="0.01"
            hint="Left empty: no budget."
          />
        </ActionForm>
      )}
    </Card>
  );
}
