import { useQuery } from 'urql';

import { useLive } from '../api/use-live.ts';
import { useThrottled } from '../api/use-throttled.ts';
import { OverallScoreDocument, ScoreChangedDocument } from '../generated/graphql.ts';
import { Card } from '../parts/card.tsx';
import { plural } from '../parts/words.ts';

/** How well the fleet keeps its policies. */
export function Score() {
  const [{ data, error }, again] = useQuery({ query: OverallScoreDocument });
  const read = useThrottled(() => again({ requestPolicy: 'network-only' }), 5_000);
  useLive(ScoreChangedDocument, {}, { next: read, lost: read });
  return (
    <Card title="Policy score" error={error} retry={read}>
      {data && (
        <>
          <p className="big">{data.scores.overallScore ?? '–'}</p>
          <p>
            {data.scores.overallScore === null
              ? 'No policy has a result yet.'
              : `${plural(data.scores.violations, 'violation')} in ${plural(data.scores.instances, 'instance')}; ${data.scores.coverage ?? 0} % of what applies is known.`}
          </p>
        </>
      )}
    </Card>
  );
}
