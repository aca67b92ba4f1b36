import { useAgain } from '../api/use-again.ts';
import { useFollowed } from '../api/use-followed.ts';
import { useRead } from '../api/use-read.ts';
import { OverallScoreDocument, ScoreChangedDocument } from '../generated/graphql.ts';
import { Card } from '../parts/card.tsx';
import { plural } from '../parts/words.ts';

/** How well the fleet keeps its policies. */
export function Score() {
  const { data, error, told, read } = useRead(OverallScoreDocument);
  useAgain(told, read);
  useFollowed(ScoreChangedDocument, {}, read);
  return (
    <Card title="Policy score" error={error} retry={read} isReading={!data && !error}>
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
