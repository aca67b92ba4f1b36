import { GraphQLError, GraphQLScalarType } from 'graphql';
import { GraphQLDateTimeISO, GraphQLJSON, GraphQLJSONObject } from 'graphql-scalars';

import { instantText, isStorableInstant } from './instant.js';

// The ISO variant serializes to text, not to a Date: a subgraph answers the same in process and over HTTP.
const dateTime = GraphQLDateTimeISO.toConfig();

/** As it is shown, which is how some reads have it from the database. */
const shown = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** An instant in RFC 3339 form, UTC, with milliseconds: `2025-01-15T10:30:00.000Z`. */
export const dateTimeScalar: GraphQLScalarType = new GraphQLScalarType({
  ...dateTime,
  serialize: (value) => {
    if (value instanceof Date && !Number.isNaN(value.getTime())) return instantText(value);
    return typeof value === 'string' && shown.test(value) ? value : dateTime.serialize(value);
  },
  parseValue: (value) => storable(dateTime.parseValue(value)),
  parseLiteral: (node, variables) => storable(dateTime.parseLiteral(node, variables)),
  name: 'DateTime',
  description:
    'An instant in RFC 3339 form, UTC, with milliseconds: `2025-01-15T10:30:00.000Z`. Given, it may have an offset, and more ' +
    'or fewer digits of the second, of which those after milliseconds are cut off; the years 1 to 9999.',
});

function storable(date: Date): Date {
  if (!isStorableInstant(date)) throw new GraphQLError('DateTime takes the years 1 to 9999, by UTC.');
  return date;
}

export { dateTimeScalar as DateTime, GraphQLJSON as Json, GraphQLJSONObject as JsonObject };
