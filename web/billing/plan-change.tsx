import { useState } from 'react';

import { useWhile } from '../api/use-again.ts';
import { useRead } from '../api/use-read.ts';
import {
  ChangeSubscriptionDocument,
  PackagesDocument,
  PreviewPlanChangeDocument,
  type BillingCycle,
  type BillingQuery,
  type PackagesQuery,
  type Plan,
} from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { Card } from '../parts/card.tsx';
import { Choice } from '../parts/field.tsx';
import { Problem } from '../parts/problem.tsx';
import { exactTime } from '../parts/time.tsx';
import { minor, words } from '../parts/words.ts';
import { Checkout } from './checkout.tsx';

interface PlanChangeProps {
  subscription: BillingQuery['subscription'];
  onChange: () => void;
}

const cycles = [
  { value: 'MONTHLY', text: 'Monthly' },
  { value: 'YEARLY', text: 'Yearly' },
] as const;

/** Another plan: what it costs at once, by the lines of the payment provider, before anything changes. */
export function PlanChange({ subscription, onChange }: PlanChangeProps) {
  const { data, told, read } = useRead(PackagesDocument);
  const [plan, setPlan] = useState<Plan>(subscription.plan);
  const [billingCycle, setCycle] = useState<BillingCycle>(subscription.billingCycle);
  const chosen = data?.packages.find((one) => one.plan === plan);
  // What was granted can be bought as well.
  const isHad = subscription.isSubscribed || plan === 'FREE';
  const isSame = isHad && plan === subscription.plan && billingCycle === subscription.billingCycle;
  if (!subscription.canManage)
    return (
      <Card title="Change the plan">
        <p>
          {subscription.providerName ?? 'The provider that manages your organization'} decides on its plan.
          Ask there for another one.
        </p>
      </Card>
    );
  const input = { plan, billingCycle };
  return (
    <Card title="Change the plan">
      <Problem told={told} retry={read} />
      <Choice
        label="Plan"
        value={plan}
        options={(data?.packages ?? []).map((one) => ({ value: one.plan, text: one.name }))}
        onChange={setPlan}
      />
      <Choice label="Paid" value={billingCycle} options={cycles} onChange={setCycle} />
      {chosen && <About chosen={chosen} billingCycle={billingCycle} />}
      {isSame ? (
        <p className="quiet">This is what you have. Choose another to see what it costs.</p>
      ) : subscription.isSubscribed ? (
        <Preview key={JSON.stringify(input)} input={input} onChange={onChange} />
      ) : data?.paymentMode === 'NONE' ? (
        <p className="quiet">
          Nothing can be bought: this panel has no payment provider. Ask whoever runs it.
        </p>
      ) : chosen?.priceMonthly ? (
        <Checkout
          key={plan}
          input={input}
          name={chosen.name}
          trialDays={subscription.isTrialAvailable ? chosen.trialDays : 0}
        />
      ) : (
        <p className="quiet">It is had by contract. Ask whoever runs this panel.</p>
      )}
      {data?.paymentMode === 'TEST' && <p className="quiet">Payments are tests here: no money moves.</p>}
    </Card>
  );
}

interface AboutProps {
  chosen: PackagesQuery['packages'][number];
  billingCycle: BillingCycle;
}

function About({ chosen, billingCycle }: AboutProps) {
  const price = billingCycle === 'MONTHLY' ? chosen.priceMonthly : chosen.priceYearly;
  const period = billingCycle === 'MONTHLY' ? 'a month' : 'a year';
  return (
    <p>
      {chosen.description} {price === null ? 'By contract' : `${minor(price, chosen.currency)} ${period}`},{' '}
      {chosen.instanceLimit ?? 'any number of'} instances, {chosen.userLimit ?? 'any number of'} users.
    </p>
  );
}

interface PreviewProps {
  input: { plan: Plan; billingCycle: BillingCycle };
  onChange: () => void;
}

function Preview({ input, onChange }: PreviewProps) {
  const { data, told, read } = useRead(PreviewPlanChangeDocument, {
    variables: { input },
    requestPolicy: 'network-only',
  });
  // What is still to be paid of a period becomes less while this is looked at.
  useWhile(true, read, 60_000);
  if (!data) return told ? <Problem told={told} retry={read} /> : <p role="status">Asking for the price…</p>;
  const { effect, effectiveAt, amountDue, currency, lines, problems } = data.previewPlanChange;
  return (
    <div role="status">
      {problems.map(({ limit, used, allowed }) => (
        <p key={limit} className="wrong">
          {words(limit)}: {used} are used and the plan allows {allowed}. Remove some first.
        </p>
      ))}
      <ul className="lines">
        {lines.map(({ description, amount, isProration }, at) => (
          <li key={at}>
            {description} <strong>{minor(amount, currency)}</strong> {isProration && '(prorated)'}
          </li>
        ))}
      </ul>
      <p>
        <strong>
          {amountDue < 0
            ? `${minor(-amountDue, currency)} are kept for the next invoice`
            : `${minor(amountDue, currency)} to pay at once`}
        </strong>
        {effect === 'AT_PERIOD_END' && effectiveAt && `, in force from ${exactTime(effectiveAt)} on`}
        {effect === 'AT_ONCE' && ', in force at once'}.
      </p>
      {problems.length === 0 && (
        <Action
          document={ChangeSubscriptionDocument}
          variables={{ input }}
          text={`Change to ${words(input.plan)}`}
          label={`Change to ${words(input.plan)}`}
          {...(amountDue > 0
            ? {
                confirm: `${minor(amountDue, currency)} is paid now, by the card that the payment provider has of you.`,
              }
            : {})}
          done={
            effect === 'AT_PERIOD_END' && effectiveAt
              ? `It becomes ${words(input.plan)} on ${exactTime(effectiveAt)}; until then all stays.`
              : 'The plan is changed.'
          }
          onDone={onChange}
          isMain
        />
      )}
    </div>
  );
}
