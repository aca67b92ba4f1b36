const known = new WeakMap<readonly number[], string>();

/** Reckoned once for the same readings, in however many rows and however often they are shown. */
function pointsOf(values: readonly number[]): string {
  let points = known.get(values);
  if (points === undefined) {
    const step = 60 / (values.length - 1);
    points = values
      .map((value, at) => `${(at * step).toFixed(1)},${(16 - (value / 100) * 15).toFixed(1)}`)
      .join(' ');
    known.set(values, points);
  }
  return points;
}

/** A few readings between 0 and 100 as a line. For the eye only: the last one is written beside it. */
export function Sparkline({ values }: { values: readonly number[] }) {
  // With nothing to draw it is there all the same, so that a row that takes another's place need not make one.
  return (
    <svg className="sparkline" viewBox="0 0 60 16" aria-hidden="true">
      <polyline points={values.length < 2 ? '' : pointsOf(values)} />
    </svg>
  );
}
