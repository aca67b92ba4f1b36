import { getRouteApi } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useQuery } from 'urql';

import { useLive } from '../api/use-live.ts';
import { useThrottled } from '../api/use-throttled.ts';
import {
  InstanceHistoryDocument,
  MetricsReportedDocument,
  type InstanceHistoryQuery,
} from '../generated/graphql.ts';
import { Card } from '../parts/card.tsx';
import { Chart } from '../parts/chart.tsx';
import { bytesPerSecond, percent } from '../parts/words.ts';
import { ranges, type Range } from './instance-search.ts';

const route = getRouteApi('/instances/$id');

const charts = [
  { key: 'cpu', title: 'CPU', format: percent, top: 100 },
  { key: 'mem', title: 'Memory', format: percent, top: 100 },
  { key: 'disk', title: 'Disk', format: percent, top: 100 },
  { key: 'net', title: 'Network', format: bytesPerSecond },
] as const;

/** How often what is shown is read anew, at most: a bucket is never shorter than this. */
const everyMs = 30_000;

/** What the instance measured, over a range that is in the address. */
export function History({ id }: { id: string }) {
  const { range = '1h' } = route.useSearch();
  const [{ data, error }, again] = useQuery({ query: InstanceHistoryDocument, variables: { id, range } });
  const read = () => again({ requestPolicy: 'network-only' });
  const readSoon = useThrottled(read, everyMs);
  useLive(MetricsReportedDocument, { instanceId: id }, { next: readSoon, lost: readSoon });
  const history = data?.metricsHistory;
  return (
    <Card title="Measurements" className="wide" error={error} retry={read}>
      <RangeChoice range={range} />
      {history && (
        <>
          <p className="quiet">
            One point for each {lengthOf(history.bucketSeconds)}. The band reaches from the smallest to the
            largest value, the dashed line is the 95th percentile. Drag over a chart to look closer, press it
            twice to look at all of it.
          </p>
          <div className="charts">
            {charts.map((chart) => (
              <HistoryChart key={chart.key} chart={chart} history={history} />
            ))}
          </div>
        </>
      )}
    </Card>
  );
}

function RangeChoice({ range }: { range: Range }) {
  const navigate = route.useNavigate();
  return (
    <div role="group" aria-label="Range" className="choices">
      {ranges.map((one) => (
        <button
          key={one}
          type="button"
          aria-pressed={one === range}
          onClick={() => void navigate({ search: { range: one }, replace: true, resetScroll: false })}
        >
          {one}
        </button>
      ))}
    </div>
  );
}

function HistoryChart({
  chart: { key, title, format, ...scale },
  history: { buckets },
}: {
  chart: (typeof charts)[number];
  history: InstanceHistoryQuery['metricsHistory'];
}) {
  const data = useMemo(() => {
    const of = (part: 'mean' | 'min' | 'max' | 'p95') => buckets.map((bucket) => bucket[key]?.[part] ?? null);
    return {
      times: buckets.map(({ start }) => new Date(start).getTime() / 1000),
      mean: of('mean'),
      min: of('min'),
      max: of('max'),
      p95: of('p95'),
    };
  }, [buckets, key]);
  return <Chart title={title} format={format} {...data} {...scale} />;
}

function lengthOf(seconds: number): string {
  if (seconds < 120) return `${seconds} seconds`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} minutes`;
  return seconds < 86_400 ? `${Math.round(seconds / 3_600)} hours` : 'day';
}
