/** A few readings between 0 and 100 as a line. For the eye only: the last one is written beside it. */
export function Sparkline({ values }: { values: readonly number[] }) {
  if (values.length < 2) return <span className="sparkline" />;
  const step = 60 / (values.length - 1);
  const points = values.map(
    (value, at) => `${(at * step).toFixed(1)},${(16 - (value / 100) * 15).toFixed(1)}`,
  );
  return (
    <svg className="sparkline" viewBox="0 0 60 16" aria-hidden="true">
      <polyline points={points.join(' ')} />
    </svg>
  );
}
