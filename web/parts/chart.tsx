import 'uplot/dist/uPlot.min.css';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';

export interface ChartProps {
  title: string;
  /** Unix seconds. */
  times: number[];
  mean: (number | null)[];
  min: (number | null)[];
  max: (number | null)[];
  p95: (number | null)[];
  format: (value: number) => string;
  /** The top of the scale; as high as the data unless told. */
  top?: number;
}

const height = 180;

/** A band from the smallest to the largest value, the mean in it and the 95th percentile. A gap stays a gap. */
export function Chart({ title, times, mean, min, max, p95, format, top }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current!;
    const look = getComputedStyle(element);
    const color = (name: string) => look.getPropertyValue(name).trim();
    const line = color('--chart-line');
    const axis = { stroke: color('--chart-text'), grid: { stroke: color('--chart-grid'), width: 1 } };
    const value = (_: uPlot, given: number | null) => (given === null ? '–' : format(given));
    const plot = new uPlot(
      {
        width: element.clientWidth,
        height,
        scales: { y: { range: (_, low, high) => [Math.min(0, low), top ?? Math.max(1, high * 1.05)] } },
        axes: [axis, { ...axis, size: 84, values: (_, splits) => splits.map(format) }],
        cursor: { drag: { x: true, y: false } },
        series: [
          {},
          { label: 'largest', stroke: 'transparent', value, points: { show: false } },
          { label: 'smallest', stroke: 'transparent', value, points: { show: false } },
          { label: 'p95', stroke: color('--chart-p95'), dash: [4, 4], value, points: { show: false } },
          { label: 'mean', stroke: line, width: 2, value },
        ],
        bands: [{ series: [1, 2], fill: color('--chart-band') }],
      },
      [times, max, min, p95, mean],
      element,
    );
    const resized = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      plot.destroy();
    };
  }, [times, mean, min, max, p95, format, top]);
  return (
    <figure>
      <figcaption>{title}</figcaption>
      <div ref={place} className="chart" role="img" aria-label={`${title}: ${summary(mean, max, format)}`} />
    </figure>
  );
}

/** The chart for those who don't see it. */
function summary(
  mean: readonly (number | null)[],
  max: readonly (number | null)[],
  format: (value: number) => string,
): string {
  const known = mean.filter((value) => value !== null);
  if (known.length === 0) return 'nothing was measured';
  const average = known.reduce((sum, value) => sum + value, 0) / known.length;
  const highest = max.reduce<number>(
    (most, value) => Math.max(most, value ?? most),
    Number.NEGATIVE_INFINITY,
  );
  const gaps = mean.length - known.length;
  const missing = gaps === 0 ? '' : `, ${gaps} of ${mean.length} intervals without measurements`;
  return `${format(average)} on average, ${format(highest)} at most, ${format(known.at(-1)!)} last${missing}`;
}
