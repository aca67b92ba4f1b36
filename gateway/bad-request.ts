import { GraphQLError } from 'graphql';

/** A refusal of the request itself, pointing at the place that is wrong where that is known. */
export function badRequest(message: string, at?: GraphQLError): GraphQLError {
  const { nodes, source, positions } = at ?? {};
  return new GraphQLError(message, { nodes, source, positions, extensions: { code: 'BAD_REQUEST' } });
}
