// Started as a process of its own by jobs.test.ts, which may kill it.
import { systemClock } from '../../../platform/clock.js';
import { Database } from '../../../platform/database/database.js';
import { JobRunner } from '../../../platform/jobs/runner.js';
import { silentLogger as logger } from '../../../platform/logger.js';
import { noteJobs } from './note-jobs.js';

const url = process.argv[2]!;
const database = await Database.open({ area: 'fleet', url, entities: [], poolSize: 4, logger });
const runner = new JobRunner({
  connections: database.connections,
  areas: [{ database, jobs: [noteJobs(database)] }],
  concurrency: 3,
  clock: systemClock,
  logger,
  pollSeconds: 0.5,
  superviseSeconds: 1,
});
await runner.start();
process.stdout.write('working\n');
