/** Weights in units of 2.5, as evaluations sum them up. */
export interface Weights {
  passed: number;
  known: number;
  applicable: number;
}

export const weightUnit = 2.5;

/** In units of 2.5: critical 10, high 7.5, medium 5, low 2.5. */
export const weightOf: Readonly<Record<string, number>> = { CRITICAL: 4, HIGH: 3, MEDIUM: 2, LOW: 1 };

/** 100 times what holds over what is known, rounded down; null when nothing is known. 100 only where all holds. */
export function scoreOf({ passed, known }: Weights): number | null {
  return known === 0 ? null : Math.floor((100 * passed) / known);
}

/** 100 times what is known over what applies, rounded down; null when nothing applies. */
export function coverageOf({ known, applicable }: Weights): number | null {
  return applicable === 0 ? null : Math.floor((100 * known) / applicable);
}
