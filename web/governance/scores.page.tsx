import { Link } from '@tanstack/react-router';

import { problemOf } from '../api/problem.ts';
import { useFollowed } from '../api/use-followed.ts';
import { usePages } from '../api/use-pages.ts';
import { useRead } from '../api/use-read.ts';
import {
  InstanceScoresDocument,
  ScoreChangedDocument,
  ScoreHistoryDocument,
  ScoresDocument,
} from '../generated/graphql.ts';
import { Card } from '../parts/card.tsx';
import { Listing } from '../parts/listing.tsx';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { Sparkline } from '../parts/sparkline.tsx';
import { calendarDay } from '../parts/time.tsx';
import { count, percent, plural } from '../parts/words.ts';
import { GovernanceTabs } from './tabs.tsx';

interface Scored {
  score: number | null;
  coverage: number | null;
  violations: number;
  inputs: { passedWeight: number; knownWeight: number; applicableWeight: number };
}

/** As many as the document asks for; they come without saying whether there are more. */
const ofAPage = 100;

/** How far policies hold, with what each figure is made of. */
export default function ScoresPage() {
  const { data, told, read } = useRead(ScoresDocument);
  const instances = usePages(InstanceScoresDocument, {}, ({ scores: { byInstance } }) => ({
    nodes: byInstance.map((scored) => ({ ...scored, id: scored.instanceId })),
    pageInfo: {
      endCursor: byInstance.at(-1)?.instanceId ?? null,
      hasNextPage: byInstance.length === ofAPage,
    },
  }));
  useFollowed(ScoreChangedDocument, {}, () => {
    read();
    instances.reload();
  });
  const scores = data?.scores;
  return (
    <Page title="Scores" actions={<GovernanceTabs />}>
      <Problem told={told} retry={read} />
      <div className="cards">
        {scores && (
          <Card title="Overall">
            <p className="big">{scores.overallScore ?? 'Not known'}</p>
            <Made scored={{ ...scores, score: scores.overallScore }} />
            <p className="quiet">
              Of {plural(scores.instances, 'instance')} and {plural(scores.clusters, 'cluster')}.
            </p>
          </Card>
        )}
        <Card title="Formula">
          <p>
            100 × the weight of the policies that hold ÷ the weight of those that hold or do not, rounded
            down.
          </p>
          <p className="quiet">
            Critical policies weigh 10, high 7.5, medium 5, low 2.5. What is not known or exempt is in
            neither. Coverage is what is known ÷ what applies.
          </p>
        </Card>
        <History />
        {scores && scores.byCluster.length > 0 && (
          <Listing
            title="Clusters"
            rows={scores.byCluster}
            empty=""
            keyOf={({ clusterId }) => clusterId}
            render={(scored) => (
              <div>
                <strong>{scored.cluster?.name ?? scored.clusterId}</strong> {scored.score ?? '–'}
                <Made scored={scored} />
              </div>
            )}
          />
        )}
        <Listing
          title="Instances"
          rows={instances.rows}
          told={instances.error && problemOf(instances.error)}
          retry={instances.reload}
          more={instances.hasMore ? instances.more : undefined}
          empty="No instance is scored yet. Enroll a node and put a policy into force first."
          keyOf={({ id }) => id}
          render={(scored) => (
            <div>
              <Link to="/instances/$id" params={{ id: scored.instanceId }}>
                {scored.name ?? scored.instanceId}
              </Link>{' '}
              <strong>{scored.score ?? '–'}</strong>
              {scored.previousScore !== null && scored.previousScore !== scored.score && (
                <span className="quiet"> was {scored.previousScore}</span>
              )}
              <Made scored={scored} />
            </div>
          )}
        />
      </div>
    </Page>
  );
}

function Made({ scored: { score, coverage, violations, inputs } }: { scored: Scored }) {
  if (score === null) return <p className="quiet">Nothing that applies is known.</p>;
  return (
    <p className="quiet">
      100 × {count(inputs.passedWeight)} ÷ {count(inputs.knownWeight)} = {score}.{' '}
      {plural(violations, 'policy does', 'policies do')} not hold; {percent(coverage)} of the weight{' '}
      {count(inputs.applicableWeight)} is known.
    </p>
  );
}

function History() {
  const { data, told, read } = useRead(ScoreHistoryDocument);
  const days = data?.scoreHistory.filter(({ score }) => score !== null) ?? [];
  const last = days.at(-1);
  return (
    <Card title="Last 30 days">
      <Problem told={told} retry={read} />
      {last ? (
        <p>
          <Sparkline values={days.map(({ score }) => score ?? 0)} /> {last.score} on {calendarDay(last.day)}
        </p>
      ) : (
        <p className="quiet">The first day is kept once it has ended.</p>
      )}
    </Card>
  );
}
