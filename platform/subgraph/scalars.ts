import { GraphQLScalarType } from 'graphql';
import { GraphQLDateTimeISO, GraphQLJSON, GraphQLJSONObject } from 'graphql-scalars';

// The ISO variant serializes to text, not to a Date: a subgraph answers the same in process and over HTTP.
const dateTime = GraphQLDateTimeISO.toConfig();

/** An instant in RFC 3339 form, UTC, with milliseconds: `2025-01-15T10:30:00.000Z`. */
export const dateTimeScalar: GraphQLScalarType = new GraphQLScalarType({
  ...dateTime,
  name: 'DateTime',
  description: 'An instant in RFC 3339 form, UTC, with milliseconds: `2025-01-15T10:30:00.000Z`.',
});

export { dateTimeScalar as DateTime, GraphQLJSON as Json, GraphQLJSONObject as JsonObject };
