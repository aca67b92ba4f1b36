import { GraphQLScalarType } from 'graphql';

/**
 * What nodes report. The types take whatever comes, since what a node measured wrongly is no reason to refuse the rest:
 * it is judged where it is stored, and what is left out is told in the answer's warnings.
 */
export const Measurement: GraphQLScalarType = new GraphQLScalarType({
  name: 'Measurement',
  description:
    'A number that a node measured. Anything else, and a number out of its range, is taken as null, and told in the ' +
    "answer's warnings.",
});

export const ReportedText: GraphQLScalarType = new GraphQLScalarType({
  name: 'ReportedText',
  description:
    'Text that a node reports. What is too long is cut, what no database can hold (NUL, half of a surrogate pair) is ' +
    "replaced by U+FFFD, and anything else is left out; the answer's warnings tell.",
});

export const ReportedTime: GraphQLScalarType = new GraphQLScalarType({
  name: 'ReportedTime',
  description:
    'A time that a node reports, by RFC 3339, section 5.6: `2025-01-15T10:30:00Z`, in a leap second and in lower case ' +
    "too. Anything else is taken as null, and told in the answer's warnings.",
});
