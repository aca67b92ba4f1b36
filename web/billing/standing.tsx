import { useRead } from '../api/use-read.ts';
import {
  CancelSubscriptionDocument,
  CreatePortalSessionDocument,
  PreviewPlanChangeDocument,
  ResumeSubscriptionDocument,
  type BillingQuery,
} from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { Card } from '../parts/card.tsx';
import { Status } from '../parts/status.tsx';
import { exactTime } from '../parts/time.tsx';
import { minor, words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';

const sources = {
  NONE: 'Nobody pays for it.',
  SUBSCRIPTION: 'By your subscription.',
  GRANT: 'Granted by who runs this panel.',
  PROVIDER: 'Given by the provider that manages your organization.',
};

interface StandingProps {
  subscription: BillingQuery['subscription'];
  onChange: () => void;
}

/** The plan in force, until when, and what is wrong with its payment. */
export function Standing({ subscription, onChange }: StandingProps) {
  const { may } = useViewer();
  const { plan, planSource, status, periodEnd, trialEnd, cancelAt, nextInvoiceDate } = subscription;
  const { scheduledChange, overduePayment, partnerDiscountPercent, billingCycle } = subscription;
  const { isSubscribed, isCustomer, isReadOnly } = subscription;
  const isPaused = status === 'PAUSED';
  // On a day behind the period that is paid: it is paid until then, and nothing can be taken back.
  const isByContract = cancelAt !== null && nextInvoiceDate !== null;
  return (
    <Card title="Plan">
      <p className="big">{words(plan)}</p>
      <p>
        <Status of={status} /> {sources[planSource]}
      </p>
      {isSubscribed && (
        <p>
          Paid {words(billingCycle).toLowerCase()}
          {periodEnd && `, this period until ${exactTime(periodEnd)}`}
          {nextInvoiceDate && `, next invoice ${exactTime(nextInvoiceDate)}`}.
        </p>
      )}
      {trialEnd && status === 'TRIALING' && <p>The trial ends {exactTime(trialEnd)}.</p>}
      {partnerDiscountPercent > 0 && <p>Your partner takes {partnerDiscountPercent} % off.</p>}
      {scheduledChange && (
        <p>
          Becomes {words(scheduledChange.plan)} {exactTime(scheduledChange.at)}.
        </p>
      )}
      {isPaused && (
        <p className="wrong">
          It is paused until it is paid: nothing can be added. Leave a card with the payment provider, and go
          on.
        </p>
      )}
      {cancelAt && !isByContract && (
        <p className="wrong">It ends {exactTime(cancelAt)}. Resume it to keep it.</p>
      )}
      {overduePayment && (
        <p className="wrong">
          {overduePayment.amountDue !== null && overduePayment.currency
            ? `${minor(overduePayment.amountDue, overduePayment.currency)} are`
            : 'A payment is'}{' '}
          overdue since {exactTime(overduePayment.since)}.{' '}
          {isReadOnly
            ? 'Nothing can be added until it is settled at the payment provider.'
            : `Settle it at the payment provider before ${exactTime(overduePayment.readOnlyAt)}; nothing can be added from then on.`}
        </p>
      )}
      {may('billing.subscription.manage') && (
        <div className="actions">
          {isCustomer && (
            <Action
              document={CreatePortalSessionDocument}
              variables={{}}
              text={overduePayment ? 'Pay at the payment provider' : 'Cards and addresses'}
              label={
                overduePayment
                  ? 'Pay at the payment provider'
                  : 'Cards and addresses, at the payment provider'
              }
              isMain={overduePayment !== null}
              done="On the way to the payment provider."
              onDone={({ createPortalSession }) => location.assign(createPortalSession.url)}
            />
          )}
          {isPaused && <GoOn subscription={subscription} onChange={onChange} />}
          {isSubscribed &&
            (scheduledChange && !isByContract ? (
              <Action
                document={ResumeSubscriptionDocument}
                variables={{}}
                text="Keep the plan"
                label="Keep the plan"
                done="The plan stays."
                onDone={onChange}
              />
            ) : (
              <Action
                document={CancelSubscriptionDocument}
                variables={{}}
                text="End the subscription"
                label="End the subscription"
                confirm={
                  isPaused
                    ? 'Nothing is paid: it ends now, and the plan becomes Free.'
                    : 'The plan stays until the period that is paid ends, and becomes Free then. You can resume it until then.'
                }
                done={isPaused ? 'The subscription has ended.' : 'The subscription will end.'}
                onDone={onChange}
              />
            ))}
        </div>
      )}
    </Card>
  );
}

/** Has a subscription that is paused go on, which costs what the payment provider counts. */
function GoOn({ subscription: { plan, billingCycle }, onChange }: StandingProps) {
  const { data } = useRead(PreviewPlanChangeDocument, { variables: { input: { plan, billingCycle } } });
  const cost = data?.previewPlanChange;
  return (
    <Action
      document={ResumeSubscriptionDocument}
      variables={{}}
      text="Pay and go on"
      label="Pay and go on with the subscription"
      confirm={`${
        cost ? minor(cost.amountDue, cost.currency) : 'The price of a period'
      } is paid for a period that begins now, by the card that the payment provider has of you.`}
      done="It is paid, and goes on."
      onDone={onChange}
    />
  );
}
