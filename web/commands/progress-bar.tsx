import type { CommandRowFragment } from '../generated/graphql.ts';
import { plural } from '../parts/words.ts';

/** How far a command is, over all its instances. */
export function ProgressBar({ command: { counts } }: { command: CommandRowFragment }) {
  const done = counts.succeeded + counts.errors + counts.notRun;
  const parts = [
    [counts.succeeded, 'done'],
    [counts.running, 'at it'],
    [counts.waiting, 'waiting'],
    [counts.errors, 'failed'],
    [counts.notRun, 'not run'],
  ] as const;
  return (
    <div className="progress">
      <progress aria-label="Instances that are through" value={done} max={Math.max(1, counts.total)} />
      <span>
        {plural(counts.total, 'instance')}:{' '}
        {parts
          .filter(([number]) => number > 0)
          .map(([number, text]) => `${number} ${text}`)
          .join(', ')}
      </span>
    </div>
  );
}
