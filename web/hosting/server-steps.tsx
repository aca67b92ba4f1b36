import type { ServerDetailFragment, ServerPhase } from '../generated/graphql.ts';
import { Card } from '../parts/card.tsx';
import { Status } from '../parts/status.tsx';
import { exactTime } from '../parts/time.tsx';
import { words } from '../parts/words.ts';

const ways: Partial<Record<string, readonly ServerPhase[]>> = {
  PROVISIONING: ['REQUESTED', 'CREATING', 'BOOTING', 'ENROLLING', 'READY'],
  DELETING: ['DRAINING', 'DELETING', 'DELETED'],
};

/** What each step is about. */
const abouts: Record<ServerPhase, string> = {
  REQUESTED: 'It was ordered.',
  CREATING: 'The provider makes it.',
  BOOTING: 'It starts.',
  ENROLLING: 'It runs; its node is to come into the fleet.',
  READY: 'It is there.',
  FAILED: 'It did not come about, or was lost.',
  ORPHANED: 'It was found at the provider.',
  DRAINING: 'Commands under way on its node may end.',
  DELETING: 'The provider deletes it.',
  DELETED: 'It is gone.',
};

/** How the server came to where it is, and what is yet to come. */
export function ServerSteps({ server }: { server: ServerDetailFragment }) {
  const { steps, phase, status, installCloudOs } = server;
  const way = ways[status]?.filter((each) => each !== 'ENROLLING' || installCloudOs) ?? [];
  const ahead = way.slice(way.indexOf(phase) + 1);
  return (
    <Card title="Steps">
      <ol className="lines" aria-label="Steps">
        {steps.map(({ phase: of, at, message }, index) => {
          const isLast = index === steps.length - 1;
          const next = steps[index + 1];
          return (
            <li key={`${of} ${at}`} aria-current={isLast ? 'step' : undefined}>
              {isLast ? <Status of={of} /> : <strong>{words(of)}</strong>}{' '}
              <time dateTime={at}>{exactTime(at)}</time>
              {next && `, for ${lasted(at, next.at)}`}
              <p className="quiet">{message ?? abouts[of]}</p>
            </li>
          );
        })}
        {ahead.map((each) => (
          <li key={each} className="quiet">
            {words(each)}: yet to come
          </li>
        ))}
      </ol>
    </Card>
  );
}

const seconds = new Intl.NumberFormat(undefined, { style: 'unit', unit: 'second', unitDisplay: 'long' });
const minutes = new Intl.NumberFormat(undefined, { style: 'unit', unit: 'minute', unitDisplay: 'long' });
const hours = new Intl.NumberFormat(undefined, { style: 'unit', unit: 'hour', unitDisplay: 'long' });
const days = new Intl.NumberFormat(undefined, { style: 'unit', unit: 'day', unitDisplay: 'long' });

function lasted(from: string, to: string): string {
  const took = Math.max(0, new Date(to).getTime() - new Date(from).getTime()) / 1000;
  if (took < 120) return seconds.format(Math.round(took));
  if (took < 7_200) return minutes.format(Math.round(took / 60));
  return took < 172_800 ? hours.format(Math.round(took / 3600)) : days.format(Math.round(took / 86_400));
}
