/** What happens to a card of Stripe's list of test cards when it is charged. */
export type CardOutcome =
  | 'pays'
  /** Refuses to be saved, and to pay. */
  | 'declined'
  /** Can be saved, and refuses to pay. */
  | 'declined_later'
  /** Pays only after its owner confirmed, each time. */
  | 'asks'
  /** Pays, and its owner's bank takes the money back at once. */
  | 'disputed'
  /** Pays, and its owner's bank asks what it was for. */
  | 'inquired';

export interface TestCard {
  brand: string;
  number: string;
  outcome: CardOutcome;
  code?: string;
  decline_code?: string;
  message?: string;
}

const declined = { outcome: 'declined', code: 'card_declined', message: 'Your card was declined.' } as const;

/** Stripe's test cards by the last part of their names: `pm_card_visa`, `tok_visa`. */
export const testCards: Readonly<Record<string, TestCard>> = {
  visa: { brand: 'visa', number: '4242424242424242', outcome: 'pays' },
  visa_debit: { brand: 'visa', number: '4000056655665556', outcome: 'pays' },
  mastercard: { brand: 'mastercard', number: '5555555555554444', outcome: 'pays' },
  amex: { brand: 'amex', number: '378282246310005', outcome: 'pays' },
  chargeDeclined: { brand: 'visa', number: '4000000000000002', ...declined, decline_code: 'generic_decline' },
  visa_chargeDeclined: {
    brand: 'visa',
    number: '4000000000000002',
    ...declined,
    decline_code: 'generic_decline',
  },
  visa_chargeDeclinedInsufficientFunds: {
    brand: 'visa',
    number: '4000000000009995',
    ...declined,
    decline_code: 'insufficient_funds',
    message: 'Your card has insufficient funds.',
  },
  chargeDeclinedInsufficientFunds: {
    brand: 'visa',
    number: '4000000000009995',
    ...declined,
    decline_code: 'insufficient_funds',
    message: 'Your card has insufficient funds.',
  },
  visa_chargeDeclinedLostCard: {
    brand: 'visa',
    number: '4000000000009987',
    ...declined,
    decline_code: 'lost_card',
  },
  visa_chargeDeclinedStolenCard: {
    brand: 'visa',
    number: '4000000000009979',
    ...declined,
    decline_code: 'stolen_card',
  },
  chargeDeclinedExpiredCard: {
    brand: 'visa',
    number: '4000000000000069',
    outcome: 'declined',
    code: 'expired_card',
    message: 'Your card has expired.',
  },
  chargeDeclinedIncorrectCvc: {
    brand: 'visa',
    number: '4000000000000127',
    outcome: 'declined',
    code: 'incorrect_cvc',
    message: "Your card's security code is incorrect.",
  },
  chargeDeclinedProcessingError: {
    brand: 'visa',
    number: '4000000000000119',
    outcome: 'declined',
    code: 'processing_error',
    message: 'An error occurred while processing your card. Try again in a little bit.',
  },
  chargeCustomerFail: {
    brand: 'visa',
    number: '4000000000000341',
    outcome: 'declined_later',
    code: 'card_declined',
    decline_code: 'generic_decline',
    message: 'Your card was declined.',
  },
  createDispute: { brand: 'visa', number: '4000000000000259', outcome: 'disputed' },
  createDisputeInquiry: { brand: 'visa', number: '4000000000001976', outcome: 'inquired' },
  authenticationRequired: { brand: 'visa', number: '4000002760003184', outcome: 'asks' },
  threeDSecure2Required: { brand: 'visa', number: '4000000000003220', outcome: 'asks' },
};

const cards = Object.values(testCards);

export function cardNumbered(number: string): TestCard | undefined {
  return cards.find((card) => card.number === number);
}

/** Which test card a saved one is: nothing else of its number is kept. */
export function cardEnding(last4: string): TestCard {
  const card = cards.find(({ number }) => number.endsWith(last4));
  if (!card) throw new Error(`no test card ends in ${last4}`);
  return card;
}
