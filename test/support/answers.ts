import { expect } from 'vitest';

import type { GraphQLAnswer } from './world.js';

/** What a GraphQL answer that failed tells programs: the `extensions` of its only error. */
export function refusal(answer: GraphQLAnswer<unknown>): Record<string, unknown> {
  expect(answer.errors, 'the operation was to fail').toHaveLength(1);
  return answer.errors![0]!.extensions;
}

/** The data of a GraphQL answer that must not have failed. */
export function dataOf<Data>(answer: GraphQLAnswer<Data>): Data {
  expect(answer.errors).toBeUndefined();
  return answer.data!;
}

/** A time as REST shows it: no milliseconds. */
export function restTime(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}
