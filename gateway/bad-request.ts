import { GraphQLError } from 'graphql';

import { headOf, tailOf } from '#platform/cut-text.js';

/** graphql-js quotes what it refuses, which may be of any length. */
const longest = 500;

/** A refusal of the request itself, pointing at the place that is wrong where that is known. */
export function badRequest(message: string, at?: GraphQLError): GraphQLError {
  const { nodes, source, positions } = at ?? {};
  const told =
    message.length > longest
      ? `${headOf(message, longest / 2)} ... ${tailOf(message, longest / 2)}`
      : message;
  return new GraphQLError(told, { nodes, source, positions, extensions: { code: 'BAD_REQUEST' } });
}
