import type { BillingNotice, NoticeRaised } from '#schema/events.js';

interface Words {
  subject: string;
  paragraphs: (facts: NoticeRaised) => string[];
}

const day = (at: string | undefined) => (at === undefined ? 'soon' : `on ${at.slice(0, 10)}`);

const things: Readonly<Record<NonNullable<NoticeRaised['metric']>, string>> = {
  instances: 'instances',
  users: 'users',
  storageGb: 'GB of storage',
};

const use = ({ metric = 'instances', used, limit }: NoticeRaised) =>
  `${used ?? 'Many'} of the ${limit ?? ''} ${things[metric]} that the plan allows are in use.`;

/** What is written to whoever pays for a tenant. */
const words: Readonly<Record<BillingNotice, Words>> = {
  PAYMENT_FAILED: {
    subject: 'A payment failed',
    paragraphs: ({ at }) => [
      `The payment for your subscription failed. It is tried again; if it is not made, nothing can be added ${day(at)}.`,
    ],
  },
  PAYMENT_REMINDER: {
    subject: 'A payment is overdue',
    paragraphs: ({ at }) => [
      `The payment for your subscription is still overdue. If it is not made, nothing can be added ${day(at)}.`,
    ],
  },
  READ_ONLY_SOON: {
    subject: 'Your subscription is about to be restricted',
    paragraphs: ({ at }) => [
      `The payment for your subscription is overdue: no instances, users or clients can be added ${day(at)}.`,
    ],
  },
  READ_ONLY: {
    subject: 'Your subscription is restricted',
    paragraphs: () => [
      'The payment for your subscription is overdue: until it is made, no instances, users or clients can be added. ' +
        'What is there goes on.',
    ],
  },
  TRIAL_ENDS: {
    subject: 'Your trial is about to end',
    paragraphs: ({ at }) => [
      `The trial of your plan ends ${day(at)}. It goes on if a payment method is there by then.`,
    ],
  },
  SUBSCRIPTION_ENDED: {
    subject: 'Your subscription has ended',
    paragraphs: () => [
      'Your subscription has ended: the limits of the plan Free hold from now on. Nothing is taken away.',
    ],
  },
  USAGE_NEAR_LIMIT: { subject: 'A limit of your plan is near', paragraphs: (facts) => [use(facts)] },
  USAGE_AT_LIMIT: {
    subject: 'A limit of your plan is reached',
    paragraphs: (facts) => [
      use(facts),
      facts.metric === 'storageGb'
        ? 'While more is stored than that, no instance joins; what is there goes on.'
        : 'No further one can be added; what is there goes on.',
    ],
  },
};

/** The subject and text of the mail for a notice. */
export function noticeMail(facts: NoticeRaised, publicUrl: string): { subject: string; text: string } {
  const { subject, paragraphs } = words[facts.notice];
  const text = [...paragraphs(facts), `The billing of your organization is at ${publicUrl}.`];
  return { subject, text: `${text.join('\n\n')}\n` };
}
