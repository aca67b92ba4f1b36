import { systemClock } from '#platform/clock.js';
import { OperatorError } from '#platform/errors.js';
import {
  failedJobs,
  failedKindOf,
  retryFailedJobs,
  type FailedJob,
  type FailedKind,
} from '#platform/jobs/failed-jobs.job.js';

import { areaNames } from '../areas.js';
import { panelEnv } from '../env.js';
import { run } from '../run.js';
import { withDatabase } from '../with-database.js';

const usage =
  'npm run jobs -- failed, npm run jobs -- failed NAME, npm run jobs -- retry ID, or npm run jobs -- retry NAME';
const mostOfEach = 5;
const mostOfOne = 100;
const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

// Background jobs that failed for good: shows them, or has running panels try them again.
await run(async () => {
  const [act, what, ...rest] = process.argv.slice(2);
  const isKnown = act === 'failed' || (act === 'retry' && what !== undefined);
  if (!isKnown || rest.length > 0) throw new OperatorError(usage);
  await withDatabase(panelEnv(), async (open) => {
    const platform = await open('platform');
    if (act === 'failed') {
      const kinds = await failedJobs(platform, what === undefined ? mostOfEach : mostOfOne, what);
      process.stdout.write(kinds.length === 0 ? none(what) : inWords(kinds));
      return;
    }
    const id = uuid.test(what!) ? what : undefined;
    const name = id === undefined ? what! : await failedKindOf(platform, id);
    const area = areaNames.find((known) => name?.startsWith(`${known}.`));
    if (name === undefined || area === undefined) throw new OperatorError(none(what).trimEnd());
    const count = await retryFailedJobs({ database: await open(area), clock: systemClock }, name, id);
    if (count === 0) throw new OperatorError(none(what).trimEnd());
    process.stdout.write(
      `${count} asked for: panels that run begin with them within some seconds, and try each as often as a new one. What ` +
        'fails for good again is listed again.\n',
    );
  });
});

/** They are kept for a week. */
function none(what: string | undefined): string {
  return `No job${what === undefined ? '' : ` ${what}`} has failed for good in the last seven days.\n`;
}

/** By area, which names begin with. */
function inWords(kinds: readonly FailedKind[]): string {
  let area = '';
  return kinds
    .map((kind) => {
      const [before, own = ''] = [area, kind.name.split('.')[0]];
      area = own;
      return `${own === before ? '' : `${own}\n`}${kindInWords(kind)}`;
    })
    .join('');
}

function kindInWords({ name, count, newest }: FailedKind): string {
  const more = count - newest.length;
  const rest =
    more === 0
      ? ''
      : `    ${more} more${newest.length < mostOfOne ? `: npm run jobs -- failed ${name}` : ''}\n`;
  return `  ${name}: ${count} failed\n${newest.map(jobInWords).join('')}${rest}`;
}

function jobInWords({ id, tenantId, failedAt, attempts, problem }: FailedJob): string {
  return `    ${failedAt.toISOString()} ${id} of ${tenantId}, after ${attempts} attempts\n      ${problem}\n`;
}
