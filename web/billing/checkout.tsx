import { CreateCheckoutSessionDocument, type BillingCycle, type Plan } from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Field } from '../parts/field.tsx';
import { textOf } from '../parts/form.ts';

interface CheckoutProps {
  input: { plan: Plan; billingCycle: BillingCycle };
  name: string;
  /** That may come first, without payment; 0 for none. */
  trialDays: number;
}

/** What is bought at the payment provider, and on which terms. */
export function Checkout({ input, name, trialDays }: CheckoutProps) {
  return (
    <ActionForm
      document={CreateCheckoutSessionDocument}
      variables={(form) => ({
        input: { ...input, withTrial: form.has('withTrial'), coupon: textOf(form, 'coupon') || null },
      })}
      submit={`Go to the payment of ${name}`}
      done="On the way to the payment provider."
      onDone={({ createCheckoutSession }) => location.assign(createCheckoutSession.url)}
      keepsFilled
    >
      {trialDays > 0 && (
        <label>
          <input type="checkbox" name="withTrial" /> Try it for {trialDays} days first, without payment
        </label>
      )}
      <Field label="Coupon" name="coupon" maxLength={200} hint="May be left empty." />
    </ActionForm>
  );
}
