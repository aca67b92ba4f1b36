import { z } from 'zod';

const most = 50;
const word = z
  .string()
  .min(1)
  .max(400)
  .regex(/^[\w./-]+$/);
const value = z
  .string()
  .max(63)
  .regex(/^[\w.-]*$/);

const shape = z.object({
  matchLabels: z.record(word, value).nullish(),
  matchExpressions: z
    .array(
      z.object({
        key: word,
        operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
        values: z.array(value).max(most).nullish(),
      }),
    )
    .max(most)
    .nullish(),
});

type Expression = NonNullable<NonNullable<z.output<typeof shape>['matchExpressions']>[number]>;

/** A selector as a query names it; undefined where it is none, or would select everything. */
export function selectorText(told: unknown): string | undefined {
  const selector = shape.safeParse(told).data;
  if (!selector) return undefined;
  const labels = Object.entries(selector.matchLabels ?? {}).map(([key, is]) => `${key}=${is}`);
  const terms = [...labels, ...(selector.matchExpressions ?? []).map(termOf)];
  return terms.length === 0 || terms.length > most ? undefined : terms.join(',');
}

function termOf({ key, operator, values }: Expression): string {
  switch (operator) {
    case 'In':
      return `${key} in (${(values ?? []).join(',')})`;
    case 'NotIn':
      return `${key} notin (${(values ?? []).join(',')})`;
    case 'Exists':
      return key;
    case 'DoesNotExist':
      return `!${key}`;
  }
}
