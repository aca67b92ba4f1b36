import { GraphQLError, GraphQLScalarType } from 'graphql';

const mostOfInt = 2 ** 31 - 1;

/** Answered only: nobody names an amount. */
export const MinorUnits: GraphQLScalarType = new GraphQLScalarType({
  name: 'MinorUnits',
  description:
    'Money in whole minor units of its currency, as Stripe counts them: cents, and in currencies without fractions their ' +
    'units. A number without a fraction, of which clients keep 53 bits, up to 9007199254740991 either way.',
  serialize(value) {
    if (Number.isSafeInteger(value)) return value;
    throw new GraphQLError(`MinorUnits cannot represent ${String(value)}`);
  },
});

/** Why the older fields of amounts are not the ones to read. */
export const insteadOf = (exact: string): string =>
  `A GraphQL Int ends at 2147483647, some $21 million: what is larger is shown as that. \`${exact}\` has no such limit.`;

/** What an Int can hold of an amount: one that is too large must not make the whole answer an error. */
export function asInt(amount: number): number {
  return Math.max(-mostOfInt, Math.min(mostOfInt, amount));
}
