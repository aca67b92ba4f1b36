import fc, { type GeneratorValue } from 'fast-check';

export interface Choices {
  below: (limit: number) => number;
  chance: (percent: number) => boolean;
  of: <Value>(values: readonly Value[]) => Value;
}

// Not biased to the ends: a world in which everything is the first of its kind shows little.
const even = (limit: number) => fc.noBias(fc.nat({ max: limit - 1 }));

/** Choices that fast-check makes, and makes simpler when they have led to a failure: towards no, and the first. */
export function choicesOf(g: GeneratorValue): Choices {
  const below = (limit: number) => g(even, limit);
  return {
    below,
    chance: (percent) => 99 - below(100) < percent,
    of: (values) => values[below(values.length)]!,
  };
}
