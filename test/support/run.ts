import { cpus } from 'node:os';

import type { TestProject } from 'vitest/node';

import { build } from './build.js';
import { startPostgres } from './postgres.js';

/** What all files of a run share. The parts are made beside each other, since every file waits for them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [built, started] = await Promise.allSettled([build(), startPostgres(project)]);
  if (started.status === 'rejected') throw started.reason;
  if (built.status === 'rejected') {
    await started.value();
    throw built.reason;
  }
  const before = coreTime();
  return async () => {
    const { busy, all } = coreTime();
    const share = Math.round((100 * (busy - before.busy)) / (all - before.all));
    process.stdout.write(
      `\nWhile tests ran the machine's ${cpus().length} cores were busy for ${share} % of the time.\n`,
    );
    await started.value();
  };
}

/** Of all cores together since the machine started, in milliseconds: it tells whether more workers would help. */
function coreTime(): { busy: number; all: number } {
  const times = cpus().map((core) => core.times);
  const all = times.flatMap((each) => Object.values(each)).reduce((sum, ms) => sum + ms, 0);
  return { busy: all - times.reduce((sum, { idle }) => sum + idle, 0), all };
}
