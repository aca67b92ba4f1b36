import { getNamedType, isInputObjectType, type GraphQLInputObjectType, type GraphQLInputType } from 'graphql';

import type { Operation } from './operations.js';
import { snakeCase } from './text.js';

/**
 * Compiles the way back from a path in the GraphQL arguments (`input.maxUses`, `filter.status`) to what the client
 * wrote (`max_uses`, `status`), so that a subgraph's VALIDATION_FAILED names fields as they were sent.
 */
export function asSent(
  operation: Operation,
  texts: readonly { sentAs: string; variable: string }[],
  body: string | undefined,
  bodyType: GraphQLInputObjectType | undefined,
): (argumentPath: string) => string {
  const sentAs = new Map(texts.map((text) => [text.variable, text.sentAs]));
  return (argumentPath) => {
    const segments = argumentPath.split('.');
    for (let length = segments.length; length > 0; length--) {
      const variable = operation.argumentPaths.get(segments.slice(0, length).join('.'));
      if (variable === undefined) continue;
      const rest = segments.slice(length);
      if (variable === body) return restName(rest, bodyType) || 'body';
      return [sentAs.get(variable) ?? variable, ...rest].join('.');
    }
    // A path that starts at no argument: the field's own name, as a service may know it, is the best guess.
    return restName(segments, bodyType);
  };
}

/** Names below an input type are snake-cased; those inside a JSON scalar are the client's own already. */
function restName(segments: readonly string[], start: GraphQLInputType | undefined): string {
  let type = start;
  return segments
    .map((segment) => {
      // Places in lists, and names of headers.
      if (/^\d+$|-/.test(segment)) return segment;
      const named = type && getNamedType(type);
      if (named && !isInputObjectType(named)) return segment;
      type = named?.getFields()[segment]?.type;
      return snakeCase(segment);
    })
    .join('.');
}
